// The run table of one or several experiments: #/runs?exp=1,2&filter=…&order=-m.rmse&cols=…&view=…&sel=…
import { announce, childAbort, h, replace, setTitle } from '../dom.js';
import { experiments } from '../api.js';
import {
	automaticColumns,
	cellNode,
	column,
	decodeColumns,
	encodeColumns,
	formatOrder,
	NAME_COLUMN,
	parseOrder,
} from '../columns.js';
import { plural } from '../format.js';
import { follow } from '../live.js';
import { go, href, setParams } from '../router.js';
import { RunSet } from '../runset.js';
import { VirtualTable } from '../table.js';
import { readPref, writePref } from '../theme.js';
import { button, emptyState, errorState, linkButton, loading, segmented } from '../ui/controls.js';
import { showColumnsPanel } from '../ui/columns_panel.js';
import { menuButton } from '../ui/dialog.js';
import { filterBox, toFilter } from '../ui/filter_box.js';
import { icon } from '../ui/icons.js';
import { canCompare, changeRuns, exportRuns, selectionBar } from './runs_actions.js';
import { snippets } from './snippets.js';

const REFRESH_MS = 4000;
const SELECTION_IN_ADDRESS_MAX = 200;

function readState(params) {
	const experimentIds = (params.get('exp') ?? '0').split(',').filter(Boolean);
	return {
		experimentIds,
		filter: params.get('filter') ?? '',
		order: params.get('order') ?? '',
		cols: params.get('cols'),
		view: params.get('view') === 'deleted' ? 'deleted' : 'active',
		selected: (params.get('sel') ?? '').split(',').filter(Boolean),
	};
}

const queryKey = (s) => JSON.stringify([s.experimentIds, s.filter, s.order, s.view]);
const columnsPref = (s) => `columns.${s.experimentIds.join(',')}`;

export function runsView(main, route, signal) {
	let state = readState(route.params);
	let set = null;
	let query = null;
	let loaded = null;
	let names = new Map();
	let columnsKey = null;
	const widths = JSON.parse(readPref('widths', '{}'));
	const context = { experimentName: (id) => names.get(id) ?? id };

	/* --- the parts --- */
	const crumbs = h('nav.crumbs', { 'aria-label': 'Where you are' });
	const count = h('span.count-line', { role: 'status' });
	const filter = filterBox({
		value: state.filter,
		keys: () => set?.keys ?? { params: new Map(), metrics: new Map(), tags: new Map() },
		apply: (text) => setParams({ filter: text }),
	});
	const viewChoice = segmented(
		'Which runs',
		[
			{ value: 'active', text: 'Active' },
			{ value: 'deleted', text: 'Deleted' },
		],
		state.view,
		(v) => setParams({ view: v === 'deleted' ? v : '', sel: '' }),
	);
	const actions = h('div.selection-bar', { role: 'toolbar', 'aria-label': 'Selected runs', hidden: true });
	const stage = h('div.table-stage');
	const modelsLink = h('span');
	const table = new VirtualTable({
		label: 'Runs',
		rowId: (r) => r.id,
		cell: (c, run) => cellNode(c, run, context),
		open: (run) => go(['run', run.id]),
		sort: (id) => {
			const now = parseOrder(state.order);
			const first = id === 'start' || id === 'end'; /* newest first, everything else smallest first */
			const next =
				now?.id !== id
					? formatOrder(id, first)
					: now.isDescending === first
						? formatOrder(id, !first)
						: '';
			setParams({ order: next });
		},
		select: (ids) => {
			state.selected = ids;
			drawSelection();
			setParams(
				{ sel: ids.length <= SELECTION_IN_ADDRESS_MAX ? ids.join(',') : '' },
				{ replace: true },
			);
		},
		move: (id, before) => {
			const ids = columnIds().filter((x) => x !== id);
			ids.splice(ids.indexOf(before), 0, id);
			chooseColumns(ids);
		},
		resize: (id, width) => {
			widths[id] = width;
			writePref('widths', JSON.stringify(widths));
		},
		needRows: (rows) => {
			if (table.columns.some((c) => c.needsSummary))
				set?.wantSummaries(rows).catch(() => {
					/* asked again on the next drawing */
				});
		},
	});
	signal.addEventListener('abort', () => table.destroy());

	replace(
		main,
		h(
			'div.runs-layout',
			h(
				'div.page-head.compact',
				crumbs,
				h('div.spacer'),
				viewChoice.element,
				modelsLink,
				button('Columns', { icon: 'columns', onclick: openColumns }),
				menuButton(
					() => [
						{ text: 'Export as CSV', icon: 'download', run: () => exportCsv() },
						{ text: 'Load again', icon: 'refresh', run: () => start() },
					],
					{ label: 'More for this table' },
				),
			),
			h('div.runs-bar', filter.element, count),
			actions,
			stage,
		),
	);

	/* --- columns --- */
	function columnIds() {
		if (state.cols !== null) return decodeColumns(state.cols);
		return automaticColumns(set?.rows.slice(0, 200) ?? [], state.experimentIds.length > 1);
	}

	function chooseColumns(ids) {
		const text = encodeColumns(ids);
		writePref(columnsPref(state), text);
		setParams({ cols: text || 'status' }, { replace: true });
	}

	function applyColumns() {
		const narrow = matchMedia('(max-width: 640px)').matches;
		const columns = [NAME_COLUMN, ...columnIds()].map((id) => {
			const c = column(id);
			c.width = widths[id] ?? (id === NAME_COLUMN && narrow ? 148 : c.width);
			return c;
		});
		const order = parseOrder(state.order) ?? { id: 'start', isDescending: true };
		table.setColumns(columns, order);
	}

	function openColumns() {
		showColumnsPanel({
			ids: columnIds(),
			keys: set?.keys ?? { params: new Map(), metrics: new Map(), tags: new Map() },
			change: chooseColumns,
			reset: () => {
				writePref(columnsPref(state), null);
				setParams({ cols: '' }, { replace: true });
			},
		});
	}

	/* --- loading --- */
	async function loadNames() {
		try {
			const found = await Promise.all(state.experimentIds.map((id) => experiments.get(id, signal)));
			names = new Map(found.map((e) => [e.experiment_id, e.name]));
		} catch (e) {
			if (e.name === 'AbortError') return;
			names = new Map();
		}
		const title = state.experimentIds.map((id) => names.get(id) ?? `experiment ${id}`).join(' + ');
		setTitle(title);
		replace(
			crumbs,
			h('a', { href: href(['experiments']) }, 'Experiments'),
			icon('right', 12),
			h('h1', title),
		);
		replace(
			modelsLink,
			linkButton('Logged models', {
				icon: 'model',
				href: href(['logged-models'], { exp: state.experimentIds.join(',') }),
			}),
		);
		table.redraw();
		if (set && !set.rows.length) replace(stage, nothing());
	}

	async function start() {
		loaded?.abort();
		loaded = childAbort(signal);
		const mine = loaded.signal;
		const sent = toFilter(state.filter);
		query = queryKey(state);
		const next = new RunSet(
			{
				experimentIds: state.experimentIds,
				filter: sent,
				order: parseOrder(state.order),
				viewType: state.view === 'deleted' ? 'DELETED_ONLY' : 'ACTIVE_ONLY',
			},
			mine,
			(what, news) => onRows(next, what, news),
		);
		filter.setError(null);
		filter.setBusy(true);
		if (!set) replace(stage, loading('Loading runs…'));
		try {
			const topics = state.experimentIds.map((id) => `experiment:${id}`);
			follow(
				{ topics, changed: (events, isLost) => next.refresh(events, isLost), everyMs: REFRESH_MS },
				mine,
			);
			await next.load();
		} catch (e) {
			if (e.name !== 'AbortError') failed(e, sent, next);
		} finally {
			if (!mine.aborted) filter.setBusy(false);
		}
	}

	function failed(e, sent, next) {
		if (e.status === 400 && state.filter) {
			filter.setError(e.message, sent);
			announce(e.message);
			if (!set) replace(stage);
			return;
		}
		if (!next.rows.length) replace(stage, errorState(e, start));
		else count.textContent = `${plural(next.rows.length, 'run')}, then: ${e.message}`;
	}

	function onRows(next, what, news) {
		if (set !== next) table.element.scrollTop = 0;
		set = next;
		drawCount();
		if (what === 'summaries') {
			table.redraw();
			return;
		}
		if (!next.rows.length) {
			replace(stage, nothing());
			return;
		}
		if (table.element.parentNode !== stage) replace(stage, table.element);
		if (what === 'loaded' || news || !table.columns.length) applyColumnsIfChanged();
		table.setRows(next.rows);
		drawSelection();
		if (what === 'refreshed' && news) announce(`${plural(news, 'new run')}`);
	}

	function applyColumnsIfChanged() {
		const key = [NAME_COLUMN, ...columnIds()].join('\n') + state.order;
		if (key !== columnsKey) {
			columnsKey = key;
			applyColumns();
		}
	}

	function drawCount() {
		const n = set.rows.length;
		count.textContent = set.isComplete
			? plural(n, 'run')
			: set.isCut
				? `first ${plural(n, 'run')}; filter to see others`
				: `${plural(n, 'run')}, loading more…`;
	}

	function nothing() {
		if (state.filter)
			return emptyState({
				icon: 'search',
				title: 'No run matches',
				text: state.filter,
				children: button('Clear the filter', { onclick: () => setParams({ filter: '' }) }),
			});
		if (state.view === 'deleted') return emptyState({ icon: 'trash', title: 'No deleted runs' });
		return emptyState({
			title: 'No runs yet',
			text: 'Runs appear here by themselves as soon as a program logs one:',
			children: snippets(names.get(state.experimentIds[0]) ?? 'my-experiment'),
		});
	}

	/* --- selection --- */
	function drawSelection() {
		selectionBar(actions, {
			ids: state.selected,
			isDeleted: state.view === 'deleted',
			compare,
			exportCsv: () => exportCsv(new Set(state.selected)),
			change,
			clear: () => table.select([]),
		});
	}

	function compare() {
		if (canCompare(state.selected)) go(['compare'], { runs: state.selected.join(',') });
	}

	async function change(verb) {
		const ids = [...state.selected];
		const done = await changeRuns(verb, ids);
		set.remove(done);
		table.select(ids.filter((id) => !done.includes(id)));
		onRows(set, 'loaded');
	}

	const exportCsv = (only) => exportRuns({ set, columns: table.columns, context, only });

	/* --- the address --- */
	function update(next) {
		const old = state;
		state = readState(next.params);
		filter.setValue(state.filter);
		viewChoice.set(state.view);
		if (state.cols === null && old.experimentIds.join() !== state.experimentIds.join()) restoreColumns();
		if (old.experimentIds.join() !== state.experimentIds.join()) loadNames();
		if (queryKey(state) !== query) start();
		if (set && (old.cols !== state.cols || old.order !== state.order)) applyColumnsIfChanged();
		if (state.selected.length || old.selected.length <= SELECTION_IN_ADDRESS_MAX)
			table.setSelected(state.selected);
		else state.selected = old.selected;
		drawSelection();
	}

	function restoreColumns() {
		const stored = readPref(columnsPref(state));
		if (stored) setParams({ cols: stored }, { replace: true });
	}

	loadNames();
	start();
	table.setSelected(state.selected);
	if (state.cols === null) queueMicrotask(restoreColumns);
	return {
		update,
		key(e) {
			if (e.key === 'c') compare();
			else if (table.rows.length && isNowhere(document.activeElement) && table.press(e))
				e.preventDefault();
		},
		retry: () => {
			if (!set?.isComplete) start();
		},
	};

	function isNowhere(focused) {
		return !focused || focused === document.body || focused === main;
	}
}
