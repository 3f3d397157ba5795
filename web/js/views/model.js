// One registered model and its versions: #/model/NAME?version=3
import { childAbort, h, replace, setTitle } from '../dom.js';
import { models, quoteText, runs, versions } from '../api.js';
import { formatDate, numberNode, shortId, timeAgo } from '../format.js';
import { poll } from '../poll.js';
import { go, href } from '../router.js';
import { attempt, button, editable, emptyState, errorState, loading } from '../ui/controls.js';
import { confirmDialog, formDialog, menuButton } from '../ui/dialog.js';
import { panel } from './run_overview.js';
import { versionPanel } from './model_version.js';

const REFRESH_MS = 10000;
const RUNS_AT_ONCE = 200;

export function modelView(main, route, signal) {
	const name = route.args[0] ?? '';
	let params = route.params;
	let model = null;
	let list = [];
	let sources = new Map();
	let detail = null;
	const head = h('div');
	const table = h('div');
	const side = h('div.column');
	const under = h('div.column');
	setTitle(name);
	replace(main, h('div.page', loading()));

	async function load() {
		try {
			await fetchAll();
		} catch (e) {
			if (e.name !== 'AbortError') replace(main, errorState(e, load));
			return;
		}
		replace(
			main,
			h('div.page', head, h('div.columns.model-columns', h('div.column', table, under), side)),
		);
		drawHead();
		drawTable();
		showVersion();
	}

	async function fetchAll() {
		[model, list] = await Promise.all([
			models.get(name, signal),
			versions.search(`name = ${quoteText(name)}`, signal),
		]);
		list.sort((a, b) => Number(b.version) - Number(a.version));
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

	const reload = async () => {
		await attempt(fetchAll);
		drawHead();
		drawTable();
		showVersion();
	};

	/* --- head --- */
	function drawHead() {
		replace(
			head,
			h('nav.crumbs', { 'aria-label': 'Where you are' }, h('a', { href: href(['models']) }, 'Models')),
			h(
				'div.page-head',
				editable(model.name, { label: 'Rename the model', tag: 'h1', save: rename }),
				h('div.spacer'),
				menuButton([{ text: 'Delete the model', icon: 'trash', danger: true, run: remove }], {
					label: 'Actions for this model',
				}),
			),
			h(
				'div.description',
				editable(model.description ?? '', {
					label: 'Edit the description',
					multiline: true,
					tag: 'p',
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

	async function rename(to) {
		if (!to) throw new Error('A model needs a name');
		await models.rename(name, to);
		go(['model', to]);
	}

	async function remove() {
		if (
			await confirmDialog({
				title: `Delete “${name}”?`,
				action: 'Delete for good',
				text: `The model and its ${list.length} version(s), tags and aliases go for good. The runs and their artifacts stay.`,
			})
		)
			if (await attempt(() => models.remove(name), `“${name}” deleted`)) go(['models']);
	}

	/* --- versions --- */
	const chosen = () => list.find((v) => v.version === params.get('version')) ?? list[0];

	function mainMetrics() {
		const counts = new Map();
		for (const v of list)
			for (const k of Object.keys(sources.get(v.run_id)?.metrics ?? {}))
				counts.set(k, (counts.get(k) ?? 0) + 1);
		return [...counts]
			.filter(([k]) => !k.startsWith('system/'))
			.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
			.slice(0, 3)
			.map(([k]) => k)
			.sort();
	}

	function drawTable() {
		if (!list.length) {
			replace(
				table,
				emptyState({
					icon: 'model',
					title: 'No versions yet',
					text: 'Open a run and press “Register model”.',
				}),
			);
			return;
		}
		const keys = mainMetrics();
		replace(
			table,
			panel(
				'Versions',
				list.length,
				h(
					'div.table-wrap',
					h(
						'table.table.dense.versions',
						h(
							'thead',
							h(
								'tr',
								h('th', 'Version'),
								h('th', 'Aliases'),
								h('th', 'Stage'),
								h('th', 'Run'),
								keys.map((k) => h('th.right', { title: k }, k)),
								h('th', 'Made'),
							),
						),
						h(
							'tbody',
							list.map((v) => versionRow(v, keys)),
						),
					),
				),
			),
		);
	}

	function versionRow(v, keys) {
		const run = sources.get(v.run_id);
		const isChosen = v === chosen();
		return h(
			'tr',
			{
				class: isChosen ? 'selected' : '',
				'aria-current': isChosen ? 'true' : null,
				dataset: { version: v.version },
			},
			h(
				'td.nowrap',
				h('a.strong', { href: href(['model', name], { version: v.version }) }, `v${v.version}`),
			),
			h(
				'td',
				v.aliases.map((a) => h('span.tag.alias', `@${a}`)),
			),
			h(
				'td',
				v.current_stage && v.current_stage !== 'None'
					? h('span.tag', v.current_stage)
					: h('span.faint', '–'),
			),
			h(
				'td.one-line',
				v.run_id
					? h(
							'a',
							{ href: href(['run', v.run_id]), title: v.run_id },
							run?.name ?? shortId(v.run_id),
						)
					: h('span.faint', '–'),
			),
			keys.map((k) =>
				h(
					'td.right',
					{ title: String(run?.metrics[k]?.value ?? '') },
					numberNode(run?.metrics[k]?.value),
				),
			),
			h('td.nowrap.muted', { title: formatDate(v.creation_timestamp) }, timeAgo(v.creation_timestamp)),
		);
	}

	function showVersion() {
		const v = chosen();
		detail?.abort();
		detail = childAbort(signal);
		if (v)
			versionPanel(side, under, {
				name,
				version: v,
				run: sources.get(v.run_id),
				signal: detail.signal,
				reload,
			});
		else [side, under].forEach((box) => replace(box));
	}

	load();
	poll(
		async () => {
			if (
				!model ||
				document.querySelector('dialog[open], [popover]:popover-open') ||
				main.querySelector('.editable-form')
			)
				return;
			const before = JSON.stringify([model, list]);
			await fetchAll();
			if (JSON.stringify([model, list]) !== before) {
				drawHead();
				drawTable();
				showVersion();
			}
		},
		REFRESH_MS,
		signal,
	);
	return {
		update(next) {
			params = next.params;
			if (model) {
				drawTable();
				showVersion();
			}
		},
		key(e) {
			const step = { j: 1, k: -1 }[e.key];
			const next = step && list[list.indexOf(chosen()) + step];
			if (next) go(['model', name], { version: next.version });
		},
		retry: () => {
			if (!model) load();
		},
	};
}

/** Tags as chips that can be removed, with a button to add one. */
export function tagList(tags, { set, remove, changed }) {
	const keys = Object.keys(tags).sort();
	return h(
		'div.tag-list',
		keys.map((k) =>
			h(
				'span.tag',
				{ title: `${k}: ${tags[k]}` },
				`${k}: ${tags[k]}`,
				button('', {
					icon: 'close',
					kind: 'quiet tiny',
					label: `Delete the tag ${k}`,
					onclick: async () => {
						if (await attempt(() => remove(k))) changed();
					},
				}),
			),
		),
		button(keys.length ? 'Tag' : 'Add a tag', {
			icon: 'plus',
			kind: 'quiet small',
			onclick: () =>
				formDialog({
					title: 'Add a tag',
					action: 'Add',
					fields: [
						{ name: 'key', label: 'Key', required: true },
						{ name: 'value', label: 'Value' },
					],
					submit: async ({ key, value }) => {
						await set(key, value);
						changed();
					},
				}),
		}),
	);
}
