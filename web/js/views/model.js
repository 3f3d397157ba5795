// One registered model: #/model/NAME?tab=versions|history|deployments|compare|rules&version=3, or as it was at a moment:
// #/model/NAME?at=2026-03-01T12:00:00.000Z, #/model/NAME?seq=57
import { childAbort, h, replace, setTitle } from '../dom.js';
import { models, quoteText, runs, versions } from '../api.js';
import { formatCount } from '../format.js';
import { follow, LATER } from '../live.js';
import { onlyWhenNew, redraw } from '../redraw.js';
import { deployments, registry } from '../registry.js';
import { go, href } from '../router.js';
import { attempt, editable, errorState, loading, tabs } from '../ui/controls.js';
import { confirmDialog, isAsking, menuButton } from '../ui/dialog.js';
import { removeOrAsk } from '../ui/removal.js';
import { deploymentsTab } from './model_deployments.js';
import { diffTab } from './model_diff.js';
import { historyTab } from './model_history.js';
import { momentOf, pastView } from './model_past.js';
import { rulesTab } from './model_rules.js';
import { chosenVersion, versionsTab } from './model_versions.js';
import { tagList } from './tag_list.js';

const REFRESH_MS = 10000;
const RUNS_AT_ONCE = 200;

/* name → function(body, ctx) → { update?(params), refresh?(ctx) } */
const TABS = {
	versions: versionsTab,
	history: historyTab,
	deployments: deploymentsTab,
	compare: diffTab,
	rules: rulesTab,
};

export function modelView(main, route, signal) {
	const name = route.args[0] ?? '';
	let params = route.params;
	let loaded = null;
	let sources = new Map();
	let tab = null;
	let past = null;
	const head = h('div');
	const tabBar = h('div');
	const [whenHeadIsNew, whenTabsAreNew] = [onlyWhenNew(), onlyWhenNew()];
	const body = h('div.tab-body');
	const page = h('div.page', loading());
	setTitle(name);
	replace(main, page);

	const tabName = () => (params.get('tab') in TABS ? params.get('tab') : 'versions');
	/** What the parts of the view get. */
	const context = () => ({ ...loaded, name, sources, params, signal, reload });

	/* --- loading --- */
	async function load() {
		if (momentOf(params)) {
			show();
			return;
		}
		try {
			await fetchAll();
		} catch (e) {
			if (e.name === 'AbortError') return;
			if (e.status === 404) await showGone(e);
			else replace(page, errorState(e, load));
			return;
		}
		show();
	}

	async function fetchAll() {
		const [model, list, aliases, rules, deployed] = await Promise.all([
			models.get(name, signal),
			versions.search(`name = ${quoteText(name)}`, signal),
			registry.aliases(name, signal),
			registry.rules(name, signal),
			deployments.search({ model: name }, signal),
		]);
		list.sort((a, b) => Number(b.version) - Number(a.version));
		await fetchSources(list);
		loaded = { model, list, aliases, rules, deployed };
	}

	/** The runs that versions were made from, for their names and metrics; null for those that are gone. */
	async function fetchSources(list) {
		const ids = [...new Set(list.map((v) => v.run_id).filter((id) => id && !sources.has(id)))].slice(
			0,
			RUNS_AT_ONCE,
		);
		const found = await Promise.all(
			ids.map((id) =>
				runs.get(id, signal).catch((e) => {
					if (e.status === 404 || e.status === 400) return null;
					throw e;
				}),
			),
		);
		ids.forEach((id, i) => sources.set(id, found[i]));
	}

	async function reload() {
		if (!loaded) {
			load();
			return;
		}
		if (await attempt(fetchAll)) refresh();
	}

	/* A model that was deleted still has its history, from where it can be restored. */
	async function showGone(problem) {
		const known = await registry.history(name, { maxResults: 1 }, signal).catch(() => ({ events: [] }));
		if (!known.events.length) {
			replace(page, errorState(problem, load));
			return;
		}
		replace(head, crumbs(), h('div.page-head', h('h1', name), h('span.pill.status-killed', 'Deleted')));
		replace(page, head, body);
		tab?.abort.abort();
		const abort = childAbort(signal);
		tab = {
			name: 'history',
			abort,
			...historyTab(body, { name, params, signal: abort.signal, reload: load }),
		};
	}

	/* --- drawing --- */
	function show() {
		if (momentOf(params)) {
			tab?.abort.abort();
			tab = null;
			if (past) past.update(params);
			else past = pastView(page, { name, params, sources, fetchSources, signal });
			return;
		}
		past = null;
		replace(page, head, tabBar, body);
		drawHead();
		showTab();
	}

	function refresh() {
		if (past) return;
		redraw(page, () => {
			const { name: title, description, tags } = loaded.model;
			whenHeadIsNew([title, description, tags], drawHead);
			drawTabs();
			tab?.refresh?.(context());
		});
	}

	function crumbs() {
		return h(
			'nav.crumbs',
			{ 'aria-label': 'Where you are' },
			h('a', { href: href(['models']) }, 'Models'),
		);
	}

	function drawHead() {
		const { model } = loaded;
		replace(
			head,
			crumbs(),
			h(
				'div.page-head',
				editable(model.name, { label: 'Rename the model', tag: 'h1', save: rename }),
				h('div.spacer'),
				menuButton(
					[
						{
							text: 'As it was …',
							icon: 'history',
							href: href(['model', name], { at: new Date().toISOString() }),
						},
						{ text: 'Delete the model', icon: 'trash', danger: true, run: remove },
					],
					{ label: 'Actions for this model' },
				),
			),
			h(
				'div.description',
				editable(model.description ?? '', {
					label: 'Edit the description',
					multiline: true,
					empty: 'No description.',
					save: async (text) => {
						await models.describe(name, text);
						model.description = text;
					},
				}),
			),
			tagList(model.tags, {
				set: (k, v) => models.setTag(name, k, v),
				remove: (k) => models.deleteTag(name, k),
				changed: reload,
			}),
		);
	}

	function drawTabs() {
		const { list, deployed, rules } = loaded;
		whenTabsAreNew([tabName(), list.length, deployed, rules], drawTabBar);
	}

	function drawTabBar() {
		const differing = loaded.deployed.filter((d) => d.differs || d.state !== 'active').length;
		replace(
			tabBar,
			tabs(
				'Parts of the model',
				[
					{ id: 'versions', text: 'Versions', count: loaded.list.length },
					{ id: 'history', text: 'History' },
					{
						id: 'deployments',
						text: 'Where it runs',
						count: loaded.deployed.length || undefined,
						warning:
							differing > 0
								? `${formatCount(differing)} not active, or not what the alias says`
								: null,
					},
					{ id: 'compare', text: 'Compare' },
					{ id: 'rules', text: 'Rules', count: loaded.rules.requirements.length || undefined },
				],
				tabName(),
				(t) => href(['model', name], { tab: t === 'versions' ? '' : t }),
			),
		);
		/* On a phone not all are in sight. */
		const bar = tabBar.firstChild;
		bar.scrollLeft = bar.querySelector('[aria-current]').offsetLeft - bar.clientWidth / 3;
	}

	function showTab() {
		drawTabs();
		if (tab?.name === tabName()) {
			tab.update?.(params);
			return;
		}
		tab?.abort.abort();
		const abort = childAbort(signal);
		replace(body);
		tab = { name: tabName(), abort, ...TABS[tabName()](body, { ...context(), signal: abort.signal }) };
	}

	/* --- changing --- */
	async function rename(to) {
		if (!to) throw new Error('A model needs a name');
		await models.rename(name, to);
		go(['model', to]);
	}

	async function remove() {
		if (
			await confirmDialog({
				title: `Delete “${name}”?`,
				action: 'Delete',
				text:
					`The model and its ${loaded.list.length} version(s), tags and aliases go. Its history stays, from where it ` +
					'can be restored; the runs and their artifacts stay, too.',
			})
		)
			if (await removeOrAsk((force) => models.remove(name, force), `“${name}” deleted`)) go(['models']);
	}

	async function changed(events) {
		const isOurs = !events || events.some((e) => e.data.model === name);
		if (!loaded || past || !isOurs) return null;
		/* What is being typed or decided stays as it is. */
		if (isAsking() || main.querySelector('.editable-form')) return LATER;
		const before = JSON.stringify(loaded);
		await fetchAll();
		if (JSON.stringify(loaded) !== before) refresh();
		return null;
	}

	load();
	follow({ topics: [`model:${name}`, 'deployment:*'], changed, everyMs: REFRESH_MS }, signal);
	return {
		update(next) {
			params = next.params;
			if (loaded || momentOf(params)) show();
			else if (past) load();
			else tab?.update?.(params);
		},
		key(e) {
			const step = { j: 1, k: -1 }[e.key];
			if (!step || !loaded || past || tabName() !== 'versions') return;
			const { list } = loaded;
			const next = list[list.indexOf(chosenVersion(list, params)) + step];
			if (next) go(['model', name], { version: next.version });
		},
		retry: () => {
			if (!loaded) load();
		},
	};
}
