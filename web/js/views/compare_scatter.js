// How parameters and metrics go together: a scatter plot of two of them, parallel coordinates of many. In SVG.
import { h, replace, svg } from '../dom.js';
import { formatNumber } from '../format.js';
import { go, setParams } from '../router.js';
import { SERIES_COLORS } from '../theme.js';
import { emptyState, toggle } from '../ui/controls.js';

const W = 720;
const H = 380;
const EDGE = { left: 70, right: 20, top: 16, bottom: 40 };
const AXES_MAX = 10;
const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** A dimension: numbers on a line, or texts at even places. */
function dimension(id, runs, isLog) {
	const key = id.slice(2);
	const raw = runs.map((r) => (id[0] === 'm' ? r.metrics[key]?.value : r.params[key]));
	const numbers = raw.map((v) => (v === undefined || v === '' ? NaN : Number(v)));
	const isNumeric = raw.every(
		(v, i) => v === undefined || v === '' || v === 'None' || Number.isFinite(numbers[i]) || id[0] === 'm',
	);
	if (!isNumeric) {
		const names = [...new Set(raw.filter((v) => v !== undefined))].sort(byName);
		return {
			id,
			key,
			ticks: names.map((n, i) => ({ text: n, at: names.length > 1 ? i / (names.length - 1) : 0.5 })),
			at: (i) =>
				raw[i] === undefined
					? null
					: names.length > 1
						? names.indexOf(raw[i]) / (names.length - 1)
						: 0.5,
			text: (i) => raw[i],
		};
	}
	const scale = isLog ? Math.log10 : (v) => v;
	const usable = numbers.filter((v) => Number.isFinite(v) && (!isLog || v > 0));
	const low = usable.length ? scale(Math.min(...usable)) : 0;
	const high = usable.length ? scale(Math.max(...usable)) : 1;
	const place = (v) => (high === low ? 0.5 : (scale(v) - low) / (high - low));
	const ticks = [];
	for (let i = 0; i <= 4; i++) {
		const v = low + ((high - low) * i) / 4;
		ticks.push({
			text: formatNumber(Number((isLog ? 10 ** v : v).toPrecision(3))),
			at: high === low ? 0.5 : i / 4,
		});
	}
	return {
		id,
		key,
		ticks: high === low ? ticks.slice(0, 1) : ticks,
		at: (i) => (usable.includes(numbers[i]) ? place(numbers[i]) : null),
		text: (i) => formatNumber(numbers[i]),
	};
}

export function compareScatter(body, first) {
	let state = first;
	const stage = h('div');

	/* Only what varies is worth an axis. */
	function choices() {
		const of = (group, letter) =>
			[...new Set(state.runs.flatMap((r) => Object.keys(r[group])))]
				.sort(byName)
				.filter(
					(k) =>
						new Set(
							state.runs.map((r) => (group === 'metrics' ? r.metrics[k]?.value : r.params[k])),
						).size > 1,
				)
				.map((k) => `${letter}.${k}`);
		return { params: of('params', 'p'), metrics: of('metrics', 'm') };
	}

	/* Positive values over some powers of ten are only told apart on a logarithmic axis. */
	function isWide(id) {
		const values = state.runs
			.map((r) => Number(id[0] === 'm' ? r.metrics[id.slice(2)]?.value : r.params[id.slice(2)]))
			.filter(Number.isFinite);
		return (
			values.length > 1 && Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 300
		);
	}

	function picker(label, name, value, { params, metrics }) {
		const options = (list) =>
			list.map((id) => h('option', { value: id, selected: id === value }, id.slice(2)));
		return h(
			'label.setting',
			h('span.setting-name', label),
			h(
				'select',
				{ onchange: (e) => setParams({ [name]: e.target.value }, { replace: true }) },
				params.length ? h('optgroup', { label: 'Parameters' }, options(params)) : null,
				metrics.length ? h('optgroup', { label: 'Metrics' }, options(metrics)) : null,
			),
		);
	}

	function draw() {
		const all = choices();
		const ids = [...all.params, ...all.metrics];
		if (ids.length < 2) {
			replace(
				stage,
				emptyState({
					title: 'Nothing varies',
					text: 'A plot needs two parameters or metrics that differ between the runs.',
				}),
			);
			return;
		}
		const pick = (name, fallback) =>
			ids.includes(state.params.get(name)) ? state.params.get(name) : fallback;
		const x = pick('sx', all.params[0] ?? ids[0]);
		const y = pick('sy', all.metrics[0] ?? ids.find((id) => id !== x));
		const logX = state.params.get('lx') === '1';
		const logY = state.params.get('ly') === '1';
		const shown = state.runs.map((run, i) => ({ run, i })).filter(({ run }) => !state.hidden.has(run.id));
		replace(
			stage,
			h(
				'div.plots',
				h(
					'section.panel',
					h(
						'header',
						h('h2', 'One against another'),
						h('div.spacer'),
						picker('x', 'sx', x, all),
						toggle('log', logX, (on) => setParams({ lx: on ? '1' : '' }, { replace: true })),
						picker('y', 'sy', y, all),
						toggle('log', logY, (on) => setParams({ ly: on ? '1' : '' }, { replace: true })),
					),
					scatter(dimension(x, state.runs, logX), dimension(y, state.runs, logY), shown),
				),
				h(
					'section.panel',
					h(
						'header',
						h('h2', 'All together'),
						h('span.faint', 'one line a run, from parameters to metrics'),
					),
					parallel(
						[...all.params, ...all.metrics]
							.slice(0, AXES_MAX)
							.map((id) => dimension(id, state.runs, isWide(id))),
						shown,
					),
					ids.length > AXES_MAX && h('p.faint.pad', `The first ${AXES_MAX} of ${ids.length}.`),
				),
			),
		);
	}

	function scatter(dx, dy, shown) {
		const X = (t) => EDGE.left + t * (W - EDGE.left - EDGE.right);
		const Y = (t) => H - EDGE.bottom - t * (H - EDGE.top - EDGE.bottom);
		return h(
			'div.plot',
			svg(
				'svg',
				{ viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `${dy.key} against ${dx.key}` },
				dx.ticks.map((t) => [
					svg('line', { class: 'grid', x1: X(t.at), x2: X(t.at), y1: Y(0), y2: Y(1) }),
					svg(
						'text',
						{ class: 'tick', x: X(t.at), y: H - EDGE.bottom + 16, 'text-anchor': 'middle' },
						t.text,
					),
				]),
				dy.ticks.map((t) => [
					svg('line', { class: 'grid', x1: X(0), x2: X(1), y1: Y(t.at), y2: Y(t.at) }),
					svg(
						'text',
						{ class: 'tick', x: EDGE.left - 8, y: Y(t.at) + 4, 'text-anchor': 'end' },
						t.text,
					),
				]),
				svg('text', { class: 'axis-name', x: X(0.5), y: H - 6, 'text-anchor': 'middle' }, dx.key),
				svg(
					'text',
					{
						class: 'axis-name',
						x: 14,
						y: Y(0.5),
						'text-anchor': 'middle',
						transform: `rotate(-90 14 ${Y(0.5)})`,
					},
					dy.key,
				),
				shown.map(({ run, i }) => {
					const a = dx.at(i);
					const b = dy.at(i);
					return a === null || b === null
						? null
						: mark(
								'circle',
								run,
								i,
								{ cx: X(a), cy: Y(b), r: 6 },
								`${run.name}\n${dx.key}: ${dx.text(i)}\n${dy.key}: ${dy.text(i)}`,
							);
				}),
			),
		);
	}

	function mark(tag, run, i, attributes, title) {
		const element = svg(
			tag,
			{ class: `mark series-${i % SERIES_COLORS}`, ...attributes },
			svg('title', {}, title),
		);
		element.addEventListener('click', () => go(['run', run.id]));
		return element;
	}

	function parallel(dims, shown) {
		const X = (n) => 60 + (n * (W - 120)) / Math.max(1, dims.length - 1);
		const Y = (t) => H - 24 - t * (H - 64);
		const path = (i) => {
			let pen = 'M';
			return dims
				.map((d, n) => {
					const t = d.at(i);
					const part = t === null ? '' : `${pen}${X(n).toFixed(1)} ${Y(t).toFixed(1)}`;
					pen = t === null ? 'M' : 'L';
					return part;
				})
				.join('');
		};
		return h(
			'div.plot',
			svg(
				'svg',
				{ viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': 'Parallel coordinates' },
				dims.map((d, n) => [
					svg('line', { class: 'axis', x1: X(n), x2: X(n), y1: Y(0), y2: Y(1) }),
					svg(
						'text',
						{ class: 'axis-name', x: X(n), y: 20, 'text-anchor': 'middle' },
						d.key.length > 16 ? `${d.key.slice(0, 15)}…` : d.key,
						svg('title', {}, d.key),
					),
					d.ticks
						.slice(0, 12)
						.map((t) =>
							svg(
								'text',
								{ class: 'tick', x: X(n) + 5, y: Y(t.at) + 3 },
								t.text.length > 10 ? `${t.text.slice(0, 9)}…` : t.text,
							),
						),
				]),
				shown.map(({ run, i }) =>
					mark(
						'path',
						run,
						i,
						{ d: path(i) },
						[run.name, ...dims.map((d) => `${d.key}: ${d.text(i) ?? '–'}`)].join('\n'),
					),
				),
			),
		);
	}

	replace(body, stage);
	draw();
	return {
		update(next) {
			state = next;
			draw();
		},
	};
}
