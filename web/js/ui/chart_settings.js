// The settings that all charts of a view share, kept in the address: x, y scale, smoothing, visible range, names.
import { debounced, h } from '../dom.js';
import { setParams } from '../router.js';
import { button, searchBox, segmented, toggle } from './controls.js';

const MODES = [
	{ value: 'step', text: 'Step' },
	{ value: 'time', text: 'Time', title: 'Wall-clock time' },
	{ value: 'relative', text: 'Relative', title: 'Time since the first point of the run' },
];

export function readSettings(params) {
	const mode = params.get('x');
	const smoothing = Number(params.get('smooth'));
	const from = Number(params.get('from'));
	const to = Number(params.get('to'));
	return {
		x: MODES.some((m) => m.value === mode) ? mode : 'step',
		isLog: params.get('y') === 'log',
		smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
		range: params.has('from') && params.has('to') && to > from ? [from, to] : null,
		names: params.get('metric') ?? '',
		big: params.get('big') ?? '',
	};
}

export const settingsKey = (s) => JSON.stringify([s.x, s.isLog, s.smoothing, s.range]);

export function setRange(range) {
	setParams(range ? { from: String(range[0]), to: String(range[1]) } : { from: '', to: '' });
}

/** → {element, update(settings)} */
export function settingsBar(settings) {
	const mode = segmented('Horizontal axis', MODES, settings.x, (x) =>
		setParams({ x: x === 'step' ? '' : x, from: '', to: '' }),
	);
	const log = toggle('Log scale', settings.isLog, (on) => setParams({ y: on ? 'log' : '' }));
	const amount = h('output', String(settings.smoothing));
	const keep = debounced(
		(value) => setParams({ smooth: Number(value) ? value : '' }, { replace: true }),
		60,
	);
	const slider = h('input', {
		type: 'range',
		min: 0,
		max: 0.99,
		step: 0.01,
		value: settings.smoothing,
		'aria-label': 'Smoothing',
		oninput: (e) => {
			amount.textContent = e.target.value;
			keep(e.target.value);
		},
	});
	const reset = button('All', {
		icon: 'restore',
		kind: 'small',
		label: 'Show the whole range',
		hidden: !settings.range,
		onclick: () => setRange(null),
	});
	const names = debounced((text) => setParams({ metric: text }, { replace: true }), 150);
	const element = h(
		'div.chart-settings',
		{ role: 'toolbar', 'aria-label': 'Chart settings' },
		searchBox('Metric names', settings.names, names, { dataset: { shortcut: '/' } }),
		h('div.setting', h('span.setting-name', 'x'), mode.element),
		log,
		h('label.setting.smoothing', h('span.setting-name', 'Smoothing'), slider, amount),
		reset,
	);
	return {
		element,
		update(next) {
			mode.set(next.x);
			log.querySelector('input').checked = next.isLog;
			if (document.activeElement !== slider) {
				slider.value = String(next.smoothing);
				amount.textContent = String(next.smoothing);
			}
			reset.hidden = !next.range;
		},
	};
}
