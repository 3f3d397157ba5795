// Numbers, times and sizes as people read them. Pure functions, except the ticking of relative times.
import { h } from './dom.js';

/** MLflow's JSON writes NaN and infinities as strings. */
export function toNumber(value) {
	if (typeof value === 'number') return value;
	if (value === 'NaN' || value === undefined || value === null) return NaN;
	if (value === 'Infinity') return Infinity;
	if (value === '-Infinity') return -Infinity;
	return Number(value);
}

/** Six significant digits; the full value belongs in a title. */
export function formatNumber(value) {
	if (value === undefined || value === null) return '';
	if (Number.isNaN(value)) return 'NaN';
	if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '−Infinity';
	if (value === 0) return '0';
	const size = Math.abs(value);
	if (Number.isInteger(value) && size < 1e9) return String(value).replace('-', '−');
	let text;
	if (size >= 1e9 || size < 1e-4) text = trimZeros(value.toExponential(5));
	else text = trimZeros(value.toPrecision(6));
	return text.replace(/^-/, '−');
}

function trimZeros(text) {
	const [mantissa, exponent] = text.split('e');
	const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
	return exponent === undefined ? short : `${short}e${exponent.replace('+', '')}`;
}

export function fullNumber(value) {
	return value === undefined || value === null ? '' : String(value);
}

export function formatCount(n) {
	return n.toLocaleString('en-US');
}

export function plural(n, one, many = `${one}s`) {
	return `${formatCount(n)} ${n === 1 ? one : many}`;
}

export function formatBytes(n) {
	if (n === undefined || n === null) return '';
	if (n < 1000) return `${n} B`;
	const units = ['kB', 'MB', 'GB', 'TB'];
	let value = n;
	let unit = -1;
	do {
		value /= 1000;
		unit++;
	} while (value >= 999.5 && unit < units.length - 1);
	return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const pad = (n, width = 2) => String(n).padStart(width, '0');

export function formatDate(ms) {
	const d = new Date(ms);
	return (
		`${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ` +
		`${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`
	);
}

/** "UTC+2", "UTC+5:30": where this browser's clock is at that time. */
function zoneOf(ms) {
	const minutes = -new Date(ms).getTimezoneOffset();
	if (!minutes) return 'UTC';
	const [whole, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
	return `UTC${minutes < 0 ? '−' : '+'}${whole}${rest ? `:${pad(rest)}` : ''}`;
}

/** The same for those who sit elsewhere, too. */
export const formatMoment = (ms) => `${formatDate(ms)} ${zoneOf(ms)}`;

/** For <input type="datetime-local">. */
export const formatLocalInput = (ms) => (Number.isNaN(ms) ? '' : formatDate(ms).replace(' ', 'T'));

export function formatDuration(ms) {
	if (!(ms >= 0)) return '';
	if (ms < 1000) return `${Math.round(ms)} ms`;
	const s = ms / 1000;
	if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
	const minutes = Math.floor(s / 60);
	if (minutes < 60) return `${minutes} min ${pad(Math.floor(s % 60))} s`;
	const hours = Math.floor(minutes / 60);
	if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`;
	return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function relativeTime(ms, now = Date.now()) {
	const s = Math.round((now - ms) / 1000);
	if (s < -60) return formatDate(ms);
	if (s < 10) return 'just now';
	if (s < 60) return `${s} s ago`;
	if (s < 3600) return `${Math.floor(s / 60)} min ago`;
	if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
	if (s < 86400 * 30) return plural(Math.floor(s / 86400), 'day') + ' ago';
	return formatDate(ms).slice(0, 10);
}

/** A <time> that keeps itself current. */
export function timeAgo(ms) {
	if (!ms) return h('span.faint', '–');
	return h(
		'time',
		{ datetime: new Date(ms).toISOString(), title: formatMoment(ms), dataset: { ms: String(ms) } },
		relativeTime(ms),
	);
}

/** The duration of something that may still run. */
export function durationOf(start, end, running) {
	if (!start) return h('span.faint', '–');
	if (end || !running) return h('span', end ? formatDuration(end - start) : '–');
	return h('span', { dataset: { since: String(start) } }, formatDuration(Date.now() - start));
}

/* The same text again would be laid out again, and end a selection of it. */
function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

export function startTicking() {
	setInterval(() => {
		if (document.hidden) return;
		const now = Date.now();
		for (const e of document.querySelectorAll('time[data-ms]'))
			setText(e, relativeTime(Number(e.dataset.ms), now));
		for (const e of document.querySelectorAll('[data-since]'))
			setText(e, formatDuration(Math.max(0, now - Number(e.dataset.since))));
	}, 1000);
}

/** A number in a cell: short text, full value in the title. */
export function numberNode(value) {
	if (value === undefined || value === null) return h('span.faint', '–');
	const odd = !Number.isFinite(value);
	return h(
		odd ? 'span.number.not-finite' : 'span.number',
		{ title: fullNumber(value) },
		formatNumber(value),
	);
}

export function shortId(id) {
	return id.length > 10 ? id.slice(0, 8) : id;
}
