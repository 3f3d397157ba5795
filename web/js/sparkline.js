// A curve the size of a word, in SVG.
import { svg } from './dom.js';
import { shape } from './curves.js';

const WIDTH = 120;
const HEIGHT = 24;

export function sparkline(curve) {
	const points = shape(curve, 'step', 0);
	const finite = [...points.mins, ...points.maxs].filter(Number.isFinite);
	if (points.xs.length < 2 || !finite.length) return null;
	const low = finite.reduce((a, b) => Math.min(a, b));
	const high = finite.reduce((a, b) => Math.max(a, b));
	const [x0, x1] = [points.xs[0], points.xs.at(-1)];
	const X = (x) => (1.5 + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - 5)).toFixed(1);
	const Y = (y) => (HEIGHT - 3 - ((y - low) / (high - low || 1)) * (HEIGHT - 6)).toFixed(1);
	let line = '';
	let pen = 'M';
	points.lasts.forEach((v, i) => {
		if (!Number.isFinite(v)) {
			pen = 'M';
			return;
		}
		line += `${pen}${X(points.xs[i])} ${Y(v)}`;
		pen = 'L';
	});
	const there = [];
	const back = [];
	points.maxs.forEach((v, i) => {
		if (Number.isFinite(v) && Number.isFinite(points.mins[i])) {
			there.push(`${X(points.xs[i])} ${Y(v)}`);
			back.unshift(`${X(points.xs[i])} ${Y(points.mins[i])}`);
		}
	});
	const last = points.lasts.findLastIndex(Number.isFinite);
	return svg(
		'svg',
		{
			class: 'sparkline',
			viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
			width: WIDTH,
			height: HEIGHT,
			'aria-hidden': 'true',
		},
		!curve.is_exact && svg('path', { class: 'spark-band', d: `M${[...there, ...back].join('L')}Z` }),
		svg('path', { class: 'spark-line', d: line }),
		last >= 0 &&
			svg('circle', { class: 'spark-end', cx: X(points.xs[last]), cy: Y(points.lasts[last]), r: 2 }),
	);
}
