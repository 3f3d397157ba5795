// What runs where: #/deployments?state=stale&env=prod&q=…
import { arrange, debounced, h, replace, setTitle } from '../dom.js';
import { plural } from '../format.js';
import { follow } from '../live.js';
import { redraw } from '../redraw.js';
import { deployments } from '../registry.js';
import { href, setParams } from '../router.js';
import { emptyState, errorState, linkButton, loading, searchBox, trkCommand } from '../ui/controls.js';
import { deploymentTables, STATES } from './deployment_table.js';
import { rowKeys } from './experiments.js';

const REFRESH_MS = 5000;
const ONE_BY_ONE_MAX = 20;

export function deploymentsView(main, route, signal) {
	let state = read(route);
	let byId = null;
	setTitle('Deployments');
	const count = h('span.count-line', { role: 'status' });
	const chips = h('nav.chips', { 'aria-label': 'State' });
	const environment = h('select', {
		'aria-label': 'Environment',
		onchange: (e) => setParams({ env: e.target.value }),
	});
	const stage = h('div', loading());
	const tables = deploymentTables();
	const search = debounced((text) => setParams({ q: text }, { replace: true }), 200);
	replace(
		main,
		h(
			'div.page',
			h(
				'div.page-head',
				h('h1', 'Deployments'),
				count,
				h('div.spacer'),
				environment,
				searchBox('Model, target or host', state.q, search, { dataset: { shortcut: '/' } }),
			),
			chips,
			stage,
		),
	);

	function read({ params }) {
		return { state: params.get('state') ?? '', env: params.get('env'), q: params.get('q') ?? '' };
	}

	async function load() {
		try {
			byId = new Map((await deployments.search({}, signal)).map((d) => [d.deployment_id, d]));
			redraw(main, draw);
		} catch (e) {
			if (e.name === 'AbortError') return;
			if (!byId) replace(stage, errorState(e, load));
			throw e;
		}
	}

	/* A move of an alias changes what many differ from. */
	async function changed(events) {
		const ids = new Set((events ?? []).map((e) => e.data.deployment_id));
		if (!byId || !events || events.some((e) => e.kind !== 'deployment') || ids.size > ONE_BY_ONE_MAX)
			return load();
		await Promise.all([...ids].map(loadOne));
		redraw(main, draw);
		return null;
	}

	async function loadOne(id) {
		try {
			byId.set(id, await deployments.get(id, signal));
		} catch (e) {
			if (e.status !== 404) throw e;
			byId.delete(id);
		}
	}

	const isIn = (d, chip) => !chip || (chip === 'differs' ? d.differs : d.state === chip);

	function matches(d) {
		const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
		const text = `${d.model}@${d.alias} ${d.target} ${d.host} ${d.path}`.toLowerCase();
		return (state.env === null || d.environment === state.env) && words.every((w) => text.includes(w));
	}

	function draw() {
		const all = [...byId.values()];
		const found = all.filter(matches);
		const shown = found.filter((d) => isIn(d, state.state));
		count.textContent = plural(shown.length, 'deployment');
		drawChips(found);
		drawEnvironments(all);
		if (shown.length) arrange(stage, tables(shown));
		else
			replace(
				stage,
				all.length
					? emptyState({
							icon: 'search',
							title: 'No deployment is like that',
							children: linkButton('Show all', { href: href(['deployments']) }),
						})
					: emptyState({
							icon: 'deploy',
							title: 'Nothing is deployed yet',
							text: 'A target appears here as soon as a model is deployed to it:',
							children: trkCommand('deploy MODEL@ALIAS --to DIR --env prod --watch'),
						}),
			);
	}

	function drawChips(found) {
		const chip = (id, text) => {
			const n = found.filter((d) => isIn(d, id)).length;
			return n || id === state.state || !id
				? h(
						'a.chip',
						{
							href: href(['deployments'], { state: id, env: state.env, q: state.q }),
							'aria-current': id === state.state ? 'true' : null,
							dataset: { chip: id },
						},
						text,
						h('span.count', String(n)),
					)
				: null;
		};
		replace(
			chips,
			chip('', 'All'),
			Object.entries(STATES).map(([id, { text }]) => chip(id, text)),
			chip('differs', 'Differs from its alias'),
		);
	}

	function drawEnvironments(all) {
		const names = [
			...new Set([...all.map((d) => d.environment), ...(state.env ? [state.env] : [])]),
		].sort();
		environment.hidden = names.length < 2 && !state.env;
		replace(
			environment,
			h('option', { value: '' }, 'All environments'),
			names.filter(Boolean).map((n) => h('option', { value: n, selected: n === state.env }, n)),
		);
	}

	load().catch(() => {});
	follow({ topics: ['deployment:*', 'model:*'], changed, everyMs: REFRESH_MS }, signal);
	return {
		update(next) {
			state = read(next);
			if (byId) draw();
		},
		key: (e) => rowKeys(e, stage),
		retry: () => load().catch(() => {}),
	};
}
