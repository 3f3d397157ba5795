// Several runs beside each other: #/compare?runs=a,b,c&tab=charts|scatter&diff=1&hide=b&…
import { childAbort, h, replace, setTitle } from '../dom.js';
import { metrics as metricsApi, runs as runsApi } from '../api.js';
import { plural } from '../format.js';
import { follow, TOPICS_MAX } from '../live.js';
import { href, setParams } from '../router.js';
import { seriesColor, SERIES_COLORS } from '../theme.js';
import { button, emptyState, errorState, loading, statusPill, tabs } from '../ui/controls.js';
import { icon } from '../ui/icons.js';
import { compareCharts } from './compare_charts.js';
import { compareTable } from './compare_table.js';
import { compareScatter } from './compare_scatter.js';

const RUNNING_MS = 4000;
const ENDED_MS = 30000;
const TABS = { table: compareTable, charts: compareCharts, scatter: compareScatter };
const DASHES = [undefined, [6, 3], [2, 3], [8, 3, 2, 3]];

export function compareView(main, route, signal) {
	let params = route.params;
	let list = [];
	let summaries = new Map();
	let tab = null;
	let idsText = '';
	const legend = h('div.legend', { role: 'group', 'aria-label': 'Runs' });
	const tabBar = h('div');
	const body = h('div.tab-body');
	setTitle('Compare');

	const ids = () => [...new Set((params.get('runs') ?? '').split(',').filter(Boolean))];
	const hidden = () => new Set((params.get('hide') ?? '').split(',').filter(Boolean));
	const tabName = () => (params.get('tab') in TABS ? params.get('tab') : 'table');

	async function load() {
		idsText = ids().join();
		if (!ids().length) {
			replace(
				main,
				emptyState({
					icon: 'compare',
					title: 'No runs to compare',
					text: 'Select two or more runs in a table of runs.',
				}),
			);
			return;
		}
		replace(main, loading());
		try {
			await fetchAll();
		} catch (e) {
			if (e.name !== 'AbortError') replace(main, errorState(e, load));
			return;
		}
		followRuns();
		const experimentIds = [...new Set(list.map((r) => r.experimentId))];
		replace(
			main,
			h(
				'div.page',
				h(
					'nav.crumbs',
					{ 'aria-label': 'Where you are' },
					h('a', { href: href(['experiments']) }, 'Experiments'),
					icon('right', 12),
					h(
						'a',
						{
							href: href(['runs'], {
								exp: experimentIds.join(','),
								sel: list.map((r) => r.id).join(','),
							}),
						},
						'Runs',
					),
				),
				h('div.page-head', h('h1', `Compare ${plural(list.length, 'run')}`), h('div.spacer')),
				legend,
				tabBar,
				body,
			),
		);
		showTab();
	}

	/* Deleted runs are compared too; one that is gone is left out. */
	async function fetchRuns(wanted) {
		const found = await Promise.all(
			wanted.map((id) =>
				runsApi.get(id, signal).catch((e) => {
					if (e.status === 404 || e.status === 400) return null;
					throw e;
				}),
			),
		);
		const fresh = found.filter(Boolean);
		return {
			fresh,
			summaries: await metricsApi.summary(
				fresh.map((r) => r.id),
				signal,
			),
		};
	}

	async function fetchAll() {
		const found = await fetchRuns(ids());
		list = found.fresh;
		if (!list.length) throw Object.assign(new Error('None of these runs exists.'), { status: 404 });
		summaries = found.summaries;
	}

	async function fetchSome(wanted) {
		const found = await fetchRuns(wanted);
		const byId = new Map(found.fresh.map((r) => [r.id, r]));
		list = list.map((r) => byId.get(r.id) ?? r);
		for (const [id, summary] of found.summaries) summaries.set(id, summary);
	}

	function state() {
		const off = hidden();
		return {
			runs: list,
			summaries,
			params,
			hidden: off,
			signal: tab?.abort.signal ?? signal,
			color: (i) => seriesColor(i),
			dash: (i) => DASHES[Math.floor(i / SERIES_COLORS) % DASHES.length],
		};
	}

	function drawLegend() {
		const off = hidden();
		replace(
			legend,
			list.map((run, i) =>
				h(
					'div.legend-item',
					{ class: off.has(run.id) ? 'off' : '' },
					h(
						'button.legend-toggle',
						{
							type: 'button',
							'aria-pressed': !off.has(run.id),
							title: 'Show or hide in the charts; Alt-click shows it alone',
							onclick: (e) => {
								const next = new Set(off);
								if (e.altKey) {
									const alone =
										list.every((r) => r.id === run.id || off.has(r.id)) &&
										!off.has(run.id);
									next.clear();
									if (!alone) list.forEach((r) => r.id !== run.id && next.add(r.id));
								} else if (!next.delete(run.id)) {
									next.add(run.id);
								}
								setParams({ hide: [...next].join(',') }, { replace: true });
							},
						},
						h('i.swatch', { class: `series-${i % SERIES_COLORS}` }),
						h('span', run.name),
					),
					h(
						'a.legend-open',
						{
							href: href(['run', run.id]),
							'aria-label': `Open ${run.name}`,
							title: 'Open the run',
						},
						icon('right', 12),
					),
					run.status !== 'FINISHED' && statusPill(run.status),
					list.length > 1 &&
						button('', {
							icon: 'close',
							kind: 'quiet small',
							label: `Leave out ${run.name}`,
							onclick: () =>
								setParams({
									runs: ids()
										.filter((x) => x !== run.id)
										.join(','),
								}),
						}),
				),
			),
		);
	}

	function showTab() {
		drawLegend();
		replace(
			tabBar,
			tabs(
				'Parts of the comparison',
				[
					{ id: 'table', text: 'Table' },
					{ id: 'charts', text: 'Charts' },
					{ id: 'scatter', text: 'Parameters vs. metrics' },
				],
				tabName(),
				(t) => href(['compare'], { ...Object.fromEntries(params), tab: t === 'table' ? '' : t }),
			),
		);
		if (tab?.name === tabName() && body.hasChildNodes()) {
			tab.view.update(state());
			return;
		}
		tab?.abort.abort();
		tab = { name: tabName(), abort: childAbort(signal) };
		replace(body);
		tab.view = TABS[tab.name](body, state());
	}

	let followed = null;
	function followRuns() {
		followed?.abort();
		followed = childAbort(signal);
		const isRunning = () => list.some((r) => r.status === 'RUNNING');
		follow(
			{
				topics: topics(),
				changed: refresh,
				everyMs: () => (isRunning() ? RUNNING_MS : ENDED_MS),
			},
			followed.signal,
		);
	}

	function topics() {
		if (ids().length <= TOPICS_MAX) return ids().map((id) => `run:${id}`);
		return [...new Set(list.map((r) => `experiment:${r.experimentId}`))];
	}

	async function refresh(events) {
		if (!list.length) return;
		const told = new Set((events ?? []).map((e) => e.data.run_id));
		const ours = ids().filter((id) => told.has(id));
		if (events && !ours.length) return;
		if (events) await fetchSome(ours);
		else await fetchAll();
		drawLegend();
		tab.view.update(state(), true);
	}

	load();
	return {
		update(next) {
			params = next.params;
			if (ids().join() !== idsText) {
				tab?.abort.abort();
				tab = null;
				load();
			} else if (list.length) {
				showTab();
			}
		},
		key(e) {
			const names = Object.keys(TABS);
			if (/^[1-3]$/.test(e.key)) setParams({ tab: e.key === '1' ? '' : names[e.key - 1] });
			else if (e.key === 'Escape' && params.get('big')) setParams({ big: '' }, { replace: true });
		},
		retry: () => {
			if (!list.length) load();
		},
	};
}
