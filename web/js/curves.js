// Metric curves: fetched together for all charts that ask in the same moment, and shaped for drawing.
import { metrics } from './api.js';

const PAIRS_MAX = 400; /* (run, metric) of one request */
const ADDRESS_MAX = 9000; /* bytes of one request's query */
export const BUCKETS = 600;

/** Gathers requests of one moment that differ in the metric only. */
export class CurveLoader {
	constructor(signal) {
		this.signal = signal;
		this.waiting = new Map();
	}

	/** → Promise of Map run id → curve. range: {x: 'step'|'time', start, end}. */
	load(key, runIds, range = {}, buckets = BUCKETS) {
		const group = JSON.stringify([runIds, range, buckets]);
		let entry = this.waiting.get(group);
		if (!entry) {
			entry = { runIds, range, buckets, keys: new Map() };
			this.waiting.set(group, entry);
			setTimeout(() => {
				this.waiting.delete(group);
				this.send(entry);
			}, 12);
		}
		let request = entry.keys.get(key);
		if (!request) {
			request = {};
			request.promise = new Promise((resolve, reject) => Object.assign(request, { resolve, reject }));
			entry.keys.set(key, request);
		}
		return request.promise;
	}

	async send({ runIds, range, buckets, keys }) {
		const names = [...keys.keys()];
		while (names.length) {
			const part = [];
			let bytes = runIds.length * 41;
			while (
				names.length &&
				(!part.length || ((part.length + 1) * runIds.length <= PAIRS_MAX && bytes < ADDRESS_MAX))
			) {
				bytes += 14 + encodeURIComponent(names[0]).length;
				part.push(names.shift());
			}
			try {
				const curves = await metrics.curves({ runIds, keys: part, buckets, ...range }, this.signal);
				const found = new Map(part.map((k) => [k, new Map()]));
				for (const c of curves) found.get(c.metric_key)?.set(c.run_id, c);
				for (const k of part) keys.get(k).resolve(found.get(k));
			} catch (e) {
				for (const k of part) keys.get(k).reject(e);
			}
		}
	}
}

/** Where a bucket stands on the x axis: its first point. Times in seconds, relative ones since `origin` ms. */
export function positions(curve, mode, origin) {
	if (mode === 'time') return curve.timestamps.map((t) => t / 1000);
	if (mode === 'relative') return curve.timestamps.map((t) => (t - origin) / 1000);
	return curve.steps;
}

/** Points in the order of x, those of one x merged: {xs, lasts, mins, maxs, nans}. */
export function shape(curve, mode, origin) {
	const at = positions(curve, mode, origin);
	const order = at.map((_, i) => i);
	if (at.some((x, i) => i > 0 && x < at[i - 1])) order.sort((a, b) => at[a] - at[b] || a - b);
	const out = { xs: [], lasts: [], mins: [], maxs: [], nans: [] };
	for (const i of order) {
		const n = out.xs.length - 1;
		const lost = (curve.nan_counts?.[i] ?? 0) > 0 || !Number.isFinite(curve.lasts[i]);
		if (n >= 0 && out.xs[n] === at[i]) {
			out.lasts[n] = curve.lasts[i];
			out.mins[n] = least(out.mins[n], curve.mins[i]);
			out.maxs[n] = most(out.maxs[n], curve.maxs[i]);
			out.nans[n] ||= lost;
		} else {
			out.xs.push(at[i]);
			out.lasts.push(curve.lasts[i]);
			out.mins.push(curve.mins[i]);
			out.maxs.push(curve.maxs[i]);
			out.nans.push(lost);
		}
	}
	return out;
}

const least = (a, b) => (Number.isNaN(a) || b < a ? b : a);
const most = (a, b) => (Number.isNaN(a) || b > a ? b : a);

/** Exponential moving average without the pull of the start; gaps stay gaps. weight 0..1 */
export function smooth(values, weight) {
	let average = 0;
	let total = 0;
	return values.map((v) => {
		if (!Number.isFinite(v)) return v;
		average = average * weight + v * (1 - weight);
		total = total * weight + (1 - weight);
		return average / total;
	});
}

/** One x axis for several curves. → {xs, place(own xs, values)}: undefined where a curve has no point there
 * (the line goes on), null where its value cannot be drawn (the line breaks). */
export function alignment(lists, isLog) {
	const all = new Set();
	for (const list of lists) for (const x of list) all.add(x);
	const xs = [...all].sort((a, b) => a - b);
	const index = new Map(xs.map((x, i) => [x, i]));
	return {
		xs,
		place(own, values) {
			const out = new Array(xs.length).fill(undefined);
			own.forEach((x, i) => {
				const v = values[i];
				out[index.get(x)] = Number.isFinite(v) && (!isLog || v > 0) ? v : null;
			});
			return out;
		},
	};
}

/** The index whose x is nearest; -1 for an empty list. */
export function nearest(xs, x) {
	let low = 0;
	let high = xs.length - 1;
	if (high < 0) return -1;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (xs[mid] < x) low = mid + 1;
		else high = mid;
	}
	return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
}
