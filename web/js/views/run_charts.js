// The charts of one run: every metric with more than one point.
import { h, replace } from '../dom.js';
import { ChartGrid } from '../chart_grid.js';
import { CurveLoader } from '../curves.js';
import { seriesColor } from '../theme.js';
import { emptyState } from '../ui/controls.js';
import { readSettings, settingsBar } from '../ui/chart_settings.js';

/** The earliest point of a run, in ms: where relative time starts. */
export function originOf(run, summary) {
	let first = Infinity;
	for (const m of summary?.values() ?? []) first = Math.min(first, m.first_timestamp ?? Infinity);
	return Number.isFinite(first) ? first : run.start;
}

export function chartsTab(body, { run, summary, params, signal }) {
	let settings = readSettings(params);
	const bar = settingsBar(settings);
	const box = h('div');
	const grid = new ChartGrid({
		loader: new CurveLoader(signal),
		settings,
		signal,
		lines: () => [{ run, color: seriesColor(0), origin: originOf(run, summary) }],
	});
	const keys = () =>
		[...summary.values()].filter((m) => m.point_count > 1 || settings.names === m.key).map((m) => m.key);

	function draw() {
		const list = keys();
		if (list.length) {
			if (!grid.element.isConnected) replace(box, grid.element);
			grid.setKeys(list);
		} else {
			replace(
				box,
				emptyState({
					title: 'No curves',
					text: summary.size
						? 'Every metric of this run has a single value: see the overview.'
						: 'Metrics that are logged with steps are drawn here.',
				}),
			);
		}
	}

	replace(body, bar.element, box);
	draw();
	return {
		update(next) {
			settings = readSettings(next);
			bar.update(settings);
			grid.setSettings(settings);
			draw();
		},
		refresh(nextRun, nextSummary, changed) {
			run = nextRun;
			summary = nextSummary;
			draw();
			grid.reloadKeys(changed);
		},
	};
}
