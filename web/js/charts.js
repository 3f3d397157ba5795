// One chart of one metric for one or many runs, drawn by uPlot: bands from smallest to largest value, so that no
// spike is lost; dragging looks closer.
import { h, replace, framed } from './dom.js';
import { formatDate, formatDuration, formatNumber, fullNumber } from './format.js';
import { color, fade, theme } from './theme.js';
import { alignment, nearest, shape, smooth } from './curves.js';

const TOOLTIP_ROWS = 10;
const POINTS_SHOWN_MAX = 60; /* with more, single points are not marked */

let library = null;

/** uPlot, or null where the static host was set up without it. */
export function loadLibrary() {
	library ??= import('../vendor/uPlot.js').then(
		(module) => {
			document.head.append(
				h('link', { rel: 'stylesheet', href: new URL('../vendor/uPlot.css', import.meta.url).href }),
			);
			return module.default;
		},
		() => null,
	);
	return library;
}

const axisTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const axisDay = new Intl.DateTimeFormat('en-GB', {
	day: '2-digit',
	month: 'short',
	hour: '2-digit',
	minute: '2-digit',
});

function xText(mode, span) {
	if (mode === 'time') return (x) => (span > 86400 ? axisDay : axisTime).format(x * 1000);
	if (mode === 'relative') return (x) => shortSeconds(x, span);
	return (x) => (Math.abs(x) >= 1e4 ? shortNumber(x) : String(x));
}

function shortSeconds(s, span) {
	if (span < 2) return `${Math.round(s * 1000)} ms`;
	if (span < 300) return `${formatNumber(Math.round(s * 10) / 10)} s`;
	if (span < 3 * 3600) return `${formatNumber(Math.round(s / 6) / 10)} min`;
	return `${formatNumber(Math.round(s / 360) / 10)} h`;
}

function shortNumber(v) {
	const size = Math.abs(v);
	for (const [unit, name] of [
		[1e9, 'G'],
		[1e6, 'M'],
		[1e3, 'k'],
	])
		if (size >= unit) return `${formatNumber(Number((v / unit).toPrecision(4)))}${name}`;
	return formatNumber(Number(v.toPrecision(5)));
}

export function xLabel(mode, x) {
	if (mode === 'time') return formatDate(x * 1000);
	if (mode === 'relative') return formatDuration(x * 1000);
	return `step ${formatNumber(x)}`;
}

/** A line of one run: {run: {id, name}, color, dash, origin, curve, hidden}. settings: {x, isLog, smoothing,
 * range: [from, to] | null}. zoom([from, to] | null) is called when a person drags or double-clicks. */
export class CurveChart {
	constructor({ title, height = 190, zoom, syncKey, compact = false }) {
		this.title = title;
		this.height = height;
		this.zoom = zoom;
		this.syncKey = syncKey;
		this.compact = compact;
		this.note = h('p.chart-note', { hidden: true });
		this.tooltip = h('div.chart-tooltip', { hidden: true });
		this.canvasBox = h('div.chart-canvas', { style: { height: `${height}px` } });
		this.element = h(
			'div.chart',
			{ role: 'img', 'aria-label': title },
			this.canvasBox,
			this.note,
			this.tooltip,
		);
		this.observer = new ResizeObserver(framed(() => this.resize()));
		this.observer.observe(this.canvasBox);
		this.onTheme = () => this.plot && this.build();
		theme.addEventListener('change', this.onTheme);
	}

	destroy() {
		this.observer.disconnect();
		theme.removeEventListener('change', this.onTheme);
		this.plot?.destroy();
		this.plot = null;
	}

	async draw(lines, settings) {
		this.lines = lines;
		this.settings = settings;
		this.Plot = await loadLibrary();
		if (!this.Plot) {
			this.say('Charts need uPlot, which this host was set up without: see web/README.md.');
			return;
		}
		this.build();
	}

	say(text) {
		this.note.textContent = text;
		this.note.hidden = !text;
		this.canvasBox.hidden = Boolean(text);
	}

	setHeight(height) {
		this.height = height;
		this.canvasBox.style.setProperty('height', `${height}px`);
	}

	resize() {
		const width = this.canvasBox.clientWidth;
		if (this.plot && width > 0 && (width !== this.plot.width || this.height !== this.plot.height))
			this.plot.setSize({ width, height: this.height });
		else if (!this.plot && this.lines && this.Plot && width > 0) this.build();
	}

	/* Series in uPlot's order, with what the tooltip needs beside them. */
	assemble() {
		const { x, isLog, smoothing } = this.settings;
		const drawn = this.lines
			.filter((l) => !l.hidden && l.curve)
			.map((l) => ({ ...l, points: shape(l.curve, x, l.origin) }));
		const { xs, place } = alignment(
			drawn.map((d) => d.points.xs),
			isLog,
		);
		const data = [xs];
		const series = [{}];
		const bands = [];
		const add = (values, points, options) => {
			data.push(place(points.xs, values));
			series.push({ spanGaps: false, points: { show: false }, ...options });
			return data.length - 1;
		};
		for (const line of drawn) {
			const { points } = line;
			const isBand = !line.curve.is_exact;
			if (isBand) {
				const edge = { stroke: fade(line.color, 0.4), width: 1 };
				const high = add(points.maxs, points, edge);
				const low = add(points.mins, points, edge);
				bands.push({ series: [high, low], fill: fade(line.color, drawn.length > 4 ? 0.1 : 0.18) });
			}
			const alone = points.xs.length === 1;
			const marks = {
				show: alone || (!isBand && drawn.length <= 6 && points.xs.length <= POINTS_SHOWN_MAX),
				size: alone ? 7 : 4,
				fill: line.color,
				stroke: line.color,
			};
			const stroke = { stroke: line.color, width: 1.6, dash: line.dash, points: marks };
			if (smoothing > 0) {
				add(points.lasts, points, {
					...stroke,
					stroke: fade(line.color, 0.3),
					width: 1,
					points: { show: false },
				});
				line.smoothed = smooth(points.lasts, smoothing);
				add(line.smoothed, points, { ...stroke, points: alone ? marks : { show: false } });
			} else {
				add(points.lasts, points, stroke);
			}
		}
		this.drawn = drawn;
		return { data, series, bands };
	}

	build() {
		const width = this.canvasBox.clientWidth;
		if (!width) return;
		const { data, series, bands } = this.assemble();
		this.plot?.destroy();
		this.plot = null;
		replace(this.canvasBox);
		const finite = data.slice(1).some((values) => values.some((v) => typeof v === 'number'));
		if (!data[0].length || !finite) {
			this.say(
				!data[0].length
					? 'No points here.'
					: this.settings.isLog
						? 'No value above zero: nothing to show on a logarithmic scale.'
						: 'Only NaN or infinite values here.',
			);
			this.describe();
			return;
		}
		this.say('');
		this.plot = new this.Plot(this.options(width, series, bands, data[0]), data, this.canvasBox);
		this.describe();
	}

	options(width, series, bands, xs) {
		const { x, isLog, range } = this.settings;
		const [from, to] = range ?? padded(xs);
		const grid = { stroke: color('--grid'), width: 1 };
		const axis = {
			stroke: color('--muted'),
			grid,
			ticks: { ...grid, size: 4 },
			font: '11px system-ui, sans-serif',
			gap: 4,
		};
		return {
			width,
			height: this.height,
			series,
			bands,
			padding: [8, 12, 0, 0],
			legend: { show: false },
			cursor: {
				drag: { x: true, y: false, setScale: false },
				points: { show: false },
				y: false,
				sync: this.syncKey ? { key: this.syncKey, setSeries: false } : undefined,
				bind: {
					dblclick: () => () => {
						this.zoom?.(null);
						return null;
					},
				},
			},
			scales: {
				x: { time: false, range: [from, to] },
				y: { distr: isLog ? 3 : 1, range: isLog ? logRange : yRange },
			},
			axes: [
				{ ...axis, size: 28, space: 60, values: (u, ticks) => ticks.map(xText(x, to - from)) },
				{
					...axis,
					size: axisWidth,
					space: 30,
					splits: isLog ? logSplits : undefined,
					filter: isLog ? (u, ticks) => ticks : undefined,
					values: (u, ticks) => ticks.map((v) => (v === null ? '' : shortNumber(v))),
				},
			],
			hooks: {
				setSelect: [(u) => this.onSelect(u)],
				setCursor: [(u) => this.onCursor(u)],
				draw: [(u) => this.markLost(u)],
			},
		};
	}

	onSelect(u) {
		const { left, width } = u.select;
		u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
		if (width < 6) return;
		this.zoom?.([u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]);
	}

	/* Small marks at the foot where values were NaN or infinite. */
	markLost(u) {
		const { ctx, bbox } = u;
		ctx.save();
		ctx.fillStyle = color('--bad');
		for (const { points } of this.drawn)
			points.nans.forEach((lost, i) => {
				if (!lost) return;
				const at = u.valToPos(points.xs[i], 'x', true);
				const foot = bbox.top + bbox.height;
				ctx.beginPath();
				ctx.moveTo(at - 4 * devicePixelRatio, foot);
				ctx.lineTo(at + 4 * devicePixelRatio, foot);
				ctx.lineTo(at, foot - 6 * devicePixelRatio);
				ctx.fill();
			});
		ctx.restore();
	}

	onCursor(u) {
		const { left, top } = u.cursor;
		if (left === undefined || left < 0 || !this.drawn.length) {
			this.tooltip.hidden = true;
			return;
		}
		const at = u.posToVal(left, 'x');
		const rows = [];
		let x = null;
		for (const line of this.drawn) {
			const i = nearest(line.points.xs, at);
			if (i < 0) continue;
			const own = line.points.xs[i];
			if (x === null || Math.abs(own - at) < Math.abs(x - at)) x = own;
			rows.push({ line, i, value: line.points.lasts[i], own });
		}
		/* Lines that have ended long before the cursor say nothing about it. */
		const near = rows.filter((r) => Math.abs(u.valToPos(r.own, 'x') - left) < 24);
		this.showTooltip(u, near.length ? near : [], x, left, top);
	}

	showTooltip(u, rows, x, left, top) {
		this.tooltip.hidden = rows.length === 0;
		if (!rows.length) return;
		rows.sort((a, b) => b.value - a.value);
		const many = this.lines.length > 1;
		replace(
			this.tooltip,
			h('div.tooltip-x', xLabel(this.settings.x, x)),
			rows
				.slice(0, TOOLTIP_ROWS)
				.map(({ line, i, value }) =>
					h(
						'div.tooltip-row',
						many && h('i', { style: { background: line.color } }),
						many && h('span.tooltip-name', line.run.name),
						h('b', { title: fullNumber(value) }, formatNumber(value)),
						line.smoothed && h('span.faint', `~ ${formatNumber(line.smoothed[i])}`),
						!line.curve.is_exact &&
							h(
								'span.faint',
								`${formatNumber(line.points.mins[i])} … ${formatNumber(line.points.maxs[i])}`,
							),
					),
				),
			rows.length > TOOLTIP_ROWS && h('div.faint', `and ${rows.length - TOOLTIP_ROWS} more`),
		);
		const box = this.tooltip.getBoundingClientRect();
		const plotLeft = u.over.offsetLeft + left;
		const onLeft = plotLeft + box.width + 18 > this.element.clientWidth;
		this.tooltip.style.setProperty(
			'left',
			`${Math.max(0, onLeft ? plotLeft - box.width - 12 : plotLeft + 12)}px`,
		);
		this.tooltip.style.setProperty(
			'top',
			`${Math.max(0, Math.min(top ?? 0, this.height - box.height))}px`,
		);
	}

	/* What a screen reader says of the picture, and what tests read. */
	describe() {
		const parts = this.drawn.slice(0, 8).map(({ run, curve, points }) => {
			const mins = points.mins.filter(Number.isFinite);
			const maxs = points.maxs.filter(Number.isFinite);
			const low = mins.length ? formatNumber(mins.reduce((a, b) => Math.min(a, b))) : 'none';
			const high = maxs.length ? formatNumber(maxs.reduce((a, b) => Math.max(a, b))) : 'none';
			return `${run.name}: ${curve.point_count} points, last ${formatNumber(points.lasts.at(-1))}, from ${low} to ${high}`;
		});
		this.element.setAttribute('aria-label', `${this.title}. ${parts.join('; ')}`);
		this.element.dataset.points = String(this.drawn.reduce((n, d) => n + d.points.xs.length, 0));
		this.element.dataset.exact = String(this.drawn.every((d) => d.curve.is_exact));
	}
}

function padded(xs) {
	const from = xs[0];
	const to = xs[xs.length - 1];
	const room = from === to ? Math.max(1, Math.abs(from) * 0.1) : 0;
	return [from - room, to + room];
}

function yRange(u, low, high) {
	if (low === null || high === null) return [0, 1];
	const room = high === low ? Math.max(Math.abs(high) * 0.1, 1e-9) : (high - low) * 0.06;
	return [low - room, high + room];
}

function logRange(u, low, high) {
	if (low === null || high === null || low <= 0) return [0.1, 10];
	const room = (high / low) ** 0.06;
	return low === high ? [low / 2, high * 2] : [low / Math.max(room, 1.01), high * Math.max(room, 1.01)];
}

/* Powers of ten, few enough to read; within two of them also 2 and 5, within one all steps of the first digit. */
function logSplits(u, axis, low, high) {
	const decades = Math.log10(high / low);
	const every = Math.max(1, Math.ceil(decades / 5));
	const digits = decades > 2 ? [1] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9];
	const out = [];
	for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
		for (const digit of digits) {
			const v = Number(`${digit}e${e}`);
			if (v >= low && v <= high && (digits.length > 1 || e % every === 0)) out.push(v);
		}
	return out.length > 1 ? out : [low, high];
}

function axisWidth(u, values) {
	const longest = (values ?? []).reduce((n, v) => Math.max(n, v.length), 0);
	return Math.max(36, 14 + longest * 6.6);
}
