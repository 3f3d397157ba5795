// Shows the beginning of a file: pictures, tables, JSON and text as what they are, everything else as bytes.
import { h, replace } from './dom.js';
import { artifacts } from './api.js';
import { formatBytes } from './format.js';
import { copyButton, errorState, loading } from './ui/controls.js';

const TEXT_BYTES_MAX = 512 * 1024;
const IMAGE_BYTES_MAX = 16 * 1024 * 1024;
const HEX_BYTES = 1024;
const TABLE_ROWS_MAX = 500;
const TABLE_COLUMNS_MAX = 100;
const IMAGES = {
	png: 'image/png',
	jpg: 'image/jpeg',
	jpeg: 'image/jpeg',
	gif: 'image/gif',
	webp: 'image/webp',
	avif: 'image/avif',
	bmp: 'image/bmp',
	svg: 'image/svg+xml',
};

const extension = (path) => /\.([^./]+)$/.exec(path)?.[1].toLowerCase() ?? '';

/** Text if the bytes are UTF-8 without control characters, else null. A cut last character does not count. */
export function decodeText(bytes, isCut) {
	if (bytes.subarray(0, 4096).includes(0)) return null;
	for (let drop = 0; drop <= (isCut ? 3 : 0); drop++) {
		try {
			const text = new TextDecoder('utf-8', { fatal: true }).decode(
				bytes.subarray(0, bytes.length - drop),
			);
			return /[\u0001-\u0008\u000e-\u001a]/.test(text.slice(0, 4096)) ? null : text;
		} catch {
			/* perhaps the cut */
		}
	}
	return null;
}

/** RFC 4180, up to some rows. */
export function parseCsv(text, separator, rowsMax) {
	const rows = [[]];
	let field = '';
	let quoted = false;
	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (quoted) {
			if (c !== '"') field += c;
			else if (text[i + 1] === '"') field += text[++i];
			else quoted = false;
		} else if (c === '"' && field === '') {
			quoted = true;
		} else if (c === separator) {
			rows.at(-1).push(field);
			field = '';
		} else if (c === '\n') {
			rows.at(-1).push(field.replace(/\r$/, ''));
			field = '';
			if (rows.length > rowsMax) return rows;
			rows.push([]);
		} else {
			field += c;
		}
	}
	if (field !== '' || rows.at(-1).length) rows.at(-1).push(field);
	else rows.pop();
	return rows;
}

function textView(text) {
	const lines = text.split('\n');
	const numbers = lines.map((_, i) => i + 1).join('\n');
	return h(
		'div.code-view',
		h('pre.line-numbers', { 'aria-hidden': 'true' }, numbers),
		h('pre.code-text', { tabIndex: 0 }, text),
	);
}

function tableView(text, separator) {
	const rows = parseCsv(text, separator, TABLE_ROWS_MAX);
	const [head = [], ...rest] = rows;
	const cut = head.length > TABLE_COLUMNS_MAX;
	const isNumber = (v) => v !== undefined && v !== '' && !Number.isNaN(Number(v));
	const cells = (row, tag) =>
		row
			.slice(0, TABLE_COLUMNS_MAX)
			.map((v, i) => h(tag, { class: isNumber(tag === 'th' ? rest[0]?.[i] : v) ? 'right' : '' }, v));
	return [
		h(
			'div.table-wrap',
			h(
				'table.table.dense.csv',
				h('thead', h('tr', cells(head, 'th'))),
				h(
					'tbody',
					rest.slice(0, TABLE_ROWS_MAX).map((r) => h('tr', cells(r, 'td'))),
				),
			),
		),
		(rest.length > TABLE_ROWS_MAX || cut) &&
			h(
				'p.faint.pad',
				`The first ${TABLE_ROWS_MAX} rows${cut ? ` and ${TABLE_COLUMNS_MAX} columns` : ''}.`,
			),
	];
}

function hexView(bytes) {
	const lines = [];
	for (let i = 0; i < Math.min(bytes.length, HEX_BYTES); i += 16) {
		const part = [...bytes.subarray(i, Math.min(i + 16, HEX_BYTES))];
		const hex = part
			.map((b) => b.toString(16).padStart(2, '0'))
			.join(' ')
			.padEnd(47);
		const text = part.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '·')).join('');
		lines.push(`${i.toString(16).padStart(8, '0')}  ${hex}  ${text}`);
	}
	return h('div.code-view', h('pre.code-text', { tabIndex: 0 }, lines.join('\n')));
}

function prettyJson(text) {
	try {
		return JSON.stringify(JSON.parse(text), null, 2);
	} catch {
		return null;
	}
}

function textKinds(path, text, isCut) {
	const kind = extension(path);
	if (kind === 'csv' || kind === 'tsv')
		return [
			['Table', () => tableView(text, kind === 'csv' ? ',' : '\t')],
			['Text', () => textView(text)],
		];
	const json = !isCut && (kind === 'json' || kind === 'ipynb') ? prettyJson(text) : null;
	if (json)
		return [
			['Formatted', () => textView(json)],
			['As stored', () => textView(text)],
		];
	return [['Text', () => textView(text)]];
}

async function showImage(box, path, type, signal) {
	const bytes = await artifacts.bytes(path, 0, signal);
	const url = URL.createObjectURL(new Blob([bytes], { type }));
	signal.addEventListener('abort', () => URL.revokeObjectURL(url));
	const size = h('p.faint.pad');
	const image = h('img.preview-image', {
		src: url,
		alt: path.slice(path.lastIndexOf('/') + 1),
		onload: () => {
			size.textContent = `${image.naturalWidth} × ${image.naturalHeight}`;
		},
		onerror: () => replace(box, h('p.pad.faint', 'This is not a picture that the browser can show.')),
	});
	replace(box, h('div.image-box', image), size);
}

/** path: below `mlflow-artifacts:/`. */
export async function showPreview(box, path, size, signal) {
	const type = IMAGES[extension(path)];
	if (type && size > IMAGE_BYTES_MAX) {
		replace(box, h('p.pad.faint', `A picture of ${formatBytes(size)}: too large to show, download it.`));
		return;
	}
	replace(box, loading());
	try {
		if (type) {
			await showImage(box, path, type, signal);
			return;
		}
		const isCut = size > TEXT_BYTES_MAX;
		const bytes = size ? await artifacts.bytes(path, TEXT_BYTES_MAX, signal) : new Uint8Array();
		const text = decodeText(bytes, isCut);
		if (text === null) {
			replace(
				box,
				h('p.faint.pad', `Not text; the first ${formatBytes(Math.min(size, HEX_BYTES))}:`),
				hexView(bytes),
			);
			return;
		}
		if (!text) {
			replace(box, h('p.pad.faint', 'The file is empty.'));
			return;
		}
		showText(box, path, text, isCut);
	} catch (e) {
		if (e.name !== 'AbortError')
			replace(
				box,
				errorState(e, () => showPreview(box, path, size, signal)),
			);
	}
}

function showText(box, path, text, isCut) {
	const kinds = textKinds(path, text, isCut);
	const view = h('div.preview-content');
	const buttons = kinds.map(([name], i) => h('button', { type: 'button', onclick: () => choose(i) }, name));
	function choose(i) {
		buttons.forEach((b, n) => b.setAttribute('aria-pressed', String(n === i)));
		replace(view, kinds[i][1]());
	}
	replace(
		box,
		h(
			'div.preview-bar',
			kinds.length > 1 && h('div.segmented', { role: 'group', 'aria-label': 'Show as' }, buttons),
			isCut && h('span.faint', `The first ${formatBytes(TEXT_BYTES_MAX)}`),
			h('div.spacer'),
			copyButton(text, 'Copy the text'),
		),
		view,
	);
	choose(0);
}
