// The logged models of experiments, before any of them is registered: #/logged-models?exp=1,2&filter=…&order=-m.rmse
import { announce, childAbort, h, replace, setTitle } from '../dom.js';
import { experiments, loggedModels, readRows } from '../api.js';
import { formatMoment, numberNode, plural, shortId, timeAgo } from '../format.js';
import { follow } from '../live.js';
import { redraw } from '../redraw.js';
import { href, setParams } from '../router.js';
import { button, emptyState, errorState, loading, orderHead } from '../ui/controls.js';
import { filterBox, toFilter } from '../ui/filter_box.js';
import { icon } from '../ui/icons.js';
import { rowKeys } from './experiments.js';

const REFRESH_MS = 10000;
const METRIC_COLUMNS_MAX = 4;
const FIELDS = { name: 'name', created: 'creation_timestamp' };

function readState({ params }) {
	return {
		experimentIds: (params.get('exp') ?? '0').split(',').filter(Boolean),
		filter: params.get('filter') ?? '',
		order: params.get('order') ?? '-created',
	};
}

/** "-m.rmse" → [{field_name: 'metrics.rmse', ascending: false}] */
function toOrderBy(order) {
	const id = order.replace(/^-/, '');
	const field = id.startsWith('m.') ? `metrics.${id.slice(2)}` : (FIELDS[id] ?? FIELDS.created);
	return [{ field_name: field, ascending: !order.startsWith('-') }];
}

/** The metric that a row shows: of several datasets or runs the last one. */
export function lastMetric(model, key) {
	return model.metrics.filter((m) => m.key === key).sort((a, b) => b.timestamp - a.timestamp)[0];
}

export function loggedModelsView(main, route, signal) {
	let state = readState(route);
	let list = null;
	let token = null;
	let wanted = 0; /* rows, once more than a page was asked for */
	let generation = 0;
	const crumbs = h('nav.crumbs', { 'aria-label': 'Where you are' });
	const count = h('span.count-line', { role: 'status' });
	const stage = h('div', loading());
	const filter = filterBox({
		value: state.filter,
		title: 'Filter logged models',
		keys: knownKeys,
		apply: (text) => setParams({ filter: text }),
	});
	replace(
		main,
		h('div.page', h('div.page-head.compact', crumbs), h('div.runs-bar', filter.element, count), stage),
	);

	function knownKeys() {
		const keys = { params: new Map(), metrics: new Map(), tags: new Map() };
		for (const m of list ?? []) {
			for (const k of Object.keys(m.params)) keys.params.set(k, 1);
			for (const x of m.metrics) keys.metrics.set(x.key, 1);
		}
		return keys;
	}

	async function loadNames() {
		const found = await Promise.all(
			state.experimentIds.map((id) => experiments.get(id, signal).catch(() => null)),
		);
		if (signal.aborted) return;
		const title = found.map((e, i) => e?.name ?? `experiment ${state.experimentIds[i]}`).join(' + ');
		setTitle(`Logged models of ${title}`);
		replace(
			crumbs,
			h('a', { href: href(['experiments']) }, 'Experiments'),
			icon('right', 12),
			h('a', { href: href(['runs'], { exp: state.experimentIds.join(',') }) }, title),
			icon('right', 12),
			h('h1', 'Logged models'),
		);
	}

	async function load() {
		const mine = ++generation;
		const sent = toFilter(state.filter, 'name');
		filter.setError(null);
		try {
			const query = {
				experimentIds: state.experimentIds,
				filter: sent,
				orderBy: toOrderBy(state.order),
			};
			const found = await readRows(
				(pageToken) => loggedModels.search({ ...query, pageToken }, signal),
				wanted,
			);
			if (mine !== generation) return;
			list = found.rows;
			token = found.token;
			redraw(stage, draw);
		} catch (e) {
			if (e.name === 'AbortError' || mine !== generation) return;
			if (e.status === 400 && state.filter) {
				filter.setError(e.message, sent);
				announce(e.message);
				if (!list) replace(stage);
			} else if (!list) {
				replace(
					stage,
					errorState(e, () => load()),
				);
			}
		}
	}

	/* All that is shown is read again: what is on a page depends on those before it. */
	function loadMore() {
		wanted = list.length + 1;
		return load();
	}

	function metricKeys() {
		const counts = new Map();
		for (const m of list) for (const x of m.metrics) counts.set(x.key, (counts.get(x.key) ?? 0) + 1);
		return [...counts]
			.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
			.slice(0, METRIC_COLUMNS_MAX)
			.map(([k]) => k)
			.sort();
	}

	function head(id, text, tag) {
		return orderHead(id, text, {
			order: state.order,
			choose: (order) => setParams({ order }),
			isFirstDescending: id === 'created',
			tag,
		});
	}

	function draw() {
		count.textContent = `${plural(list.length, 'logged model')}${token ? ' so far' : ''}`;
		if (!list.length) {
			replace(
				stage,
				state.filter
					? emptyState({ icon: 'search', title: 'No logged model matches', text: state.filter })
					: emptyState({
							icon: 'model',
							title: 'No logged models yet',
							text: 'Clients of MLflow 3 log one with every log_model, for example mlflow.sklearn.log_model(…).',
						}),
			);
			return;
		}
		const keys = metricKeys();
		replace(
			stage,
			h(
				'div.table-wrap',
				h(
					'table.table',
					h(
						'thead',
						h(
							'tr',
							head('name', 'Name'),
							h('th', 'Type'),
							h('th', 'Status'),
							h('th', 'Run'),
							keys.map((k) => head(`m.${k}`, k, 'th.right')),
							head('created', 'Made'),
						),
					),
					h(
						'tbody',
						list.map((m) => row(m, keys)),
					),
				),
			),
			token && h('div.more', button('Load more', { onclick: loadMore })),
		);
	}

	function row(m, keys) {
		return h(
			'tr',
			{ dataset: { model: m.id } },
			h('td.grow', h('a.strong', { href: href(['logged-model', m.id]), title: m.id }, m.name)),
			h('td.nowrap.muted', m.type),
			h('td.nowrap', m.status),
			h(
				'td.nowrap',
				m.runId
					? h('a', { href: href(['run', m.runId]), title: m.runId }, shortId(m.runId))
					: h('span.faint', '–'),
			),
			keys.map((k) => h('td.right', numberNode(lastMetric(m, k)?.value))),
			h('td.nowrap.muted', { title: formatMoment(m.created) }, timeAgo(m.created)),
		);
	}

	loadNames();
	load();
	let followed = null;
	function followExperiments() {
		followed?.abort();
		followed = childAbort(signal);
		const topics = state.experimentIds.map((id) => `experiment:${id}`);
		follow({ topics, changed: () => load(), everyMs: REFRESH_MS }, followed.signal);
	}
	followExperiments();
	return {
		update(next) {
			const before = state.experimentIds.join();
			state = readState(next);
			wanted = 0;
			filter.setValue(state.filter);
			if (state.experimentIds.join() !== before) {
				loadNames();
				followExperiments();
			}
			load();
		},
		key: (e) => rowKeys(e, stage),
		retry: () => load(),
	};
}
