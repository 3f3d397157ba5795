// Hands the person a file made in the page.
import { h } from './dom.js';

export function saveFile(name, text, type) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	const a = h('a', { href: url, download: name });
	document.body.append(a);
	a.click();
	a.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** RFC 4180; a leading = + - @ that is not a number is defused, spreadsheets would run it. */
export function csvField(value) {
	let text = value === undefined || value === null ? '' : String(value);
	if (/^[=+\-@\t\r]/.test(text) && !/^[-+]?[\d.]/.test(text) && !/^-?Infinity$/.test(text))
		text = `'${text}`;
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(rows) {
	return rows.map((row) => row.map(csvField).join(',')).join('\r\n') + '\r\n';
}
