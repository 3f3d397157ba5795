// The curves of several runs laid over each other, and bars for metrics that have one value a run.
import { h, replace } from '../dom.js';
import { ChartGrid } from '../chart_grid.js';
import { CurveLoader } from '../curves.js';
import { numberNode } from '../format.js';
import { href } from '../router.js';
import { SERIES_COLORS } from '../theme.js';
import { emptyState } from '../ui/controls.js';
import { readSettings, settingsBar } from '../ui/chart_settings.js';
import { originOf } from './run_charts.js';

export function compareCharts(body, first) {
	let state = first;
	let settings = readSettings(state.params);
	const bar = settingsBar(settings);
	const box = h('div');
	const bars = h('div.chart-grid');
	const barsGroup = h('section.chart-group', h('h2', 'Single values'), bars);

	const grid = new ChartGrid({
		loader: new CurveLoader(state.signal),
		settings,
		signal: state.signal,
		lines: (key) =>
			state.runs
				.map((run, i) => ({
					run,
					color: state.color(i),
					dash: state.dash(i),
					hidden: state.hidden.has(run.id),
					origin: originOf(run, state.summaries.get(run.id)),
				}))
				.filter((l) => state.summaries.get(l.run.id)?.has(key)),
	});

	/* A metric is a curve if some run has more than one point of it. */
	function keys() {
		const points = new Map();
		for (const run of state.runs)
			for (const m of state.summaries.get(run.id)?.values() ?? [])
				points.set(m.key, Math.max(points.get(m.key) ?? 0, m.point_count));
		const isShown = (k) => k.toLowerCase().includes(settings.names.toLowerCase());
		return {
			curves: [...points].filter(([, n]) => n > 1).map(([k]) => k),
			singles: [...points]
				.filter(([k, n]) => n === 1 && isShown(k))
				.map(([k]) => k)
				.sort(),
		};
	}

	function draw() {
		const { curves, singles } = keys();
		if (!curves.length && !singles.length) {
			replace(
				box,
				emptyState({ title: 'No metrics', text: 'None of these runs has logged a metric.' }),
			);
			return;
		}
		if (!grid.element.isConnected) replace(box, grid.element, barsGroup);
		grid.element.hidden = !curves.length;
		grid.setKeys(curves);
		barsGroup.hidden = !singles.length;
		replace(bars, singles.map(barChart));
	}

	function barChart(key) {
		const rows = state.runs
			.map((run, i) => ({ run, i, value: run.metrics[key]?.value }))
			.filter((r) => r.value !== undefined && !state.hidden.has(r.run.id));
		const finite = rows.map((r) => r.value).filter(Number.isFinite);
		const low = Math.min(0, ...finite);
		const high = Math.max(0, ...finite);
		const span = high - low || 1;
		return h(
			'figure.chart-card',
			{ dataset: { metric: key } },
			h('figcaption', h('span.chart-title', { title: key }, key)),
			h(
				'div.bars',
				rows.map(({ run, i, value }) =>
					h(
						'div.bar-row',
						h('a.bar-name', { href: href(['run', run.id]), title: run.name }, run.name),
						h(
							'div.bar-track',
							Number.isFinite(value) &&
								h('div.bar', {
									class: `series-${i % SERIES_COLORS}`,
									style: {
										left: `${((Math.min(0, value) - low) / span) * 100}%`,
										width: `${Math.max(0.5, (Math.abs(value) / span) * 100)}%`,
									},
								}),
						),
						numberNode(value),
					),
				),
			),
		);
	}

	replace(body, bar.element, box);
	draw();
	return {
		update(next, isReload = false) {
			state = next;
			settings = readSettings(state.params);
			bar.update(settings);
			grid.setSettings(settings);
			draw();
			if (isReload) grid.refreshAll(true);
		},
	};
}
