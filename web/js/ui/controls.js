// Small controls that every view uses: buttons, pills, segmented choices, copying, in-place editing, notices.
import { append, h, announce } from '../dom.js';
import { server } from '../api.js';
import { icon } from './icons.js';

const LONG_TEXT = 600; /* characters of which all are shown */
const LONG_TEXT_LINES = 8;

/** A button with an icon; without text, `label` names it for screen readers and in a tooltip. */
export function button(text, { icon: name, kind = '', label, ...props } = {}) {
	const b = h('button', { type: 'button', class: `button ${kind}`, title: label, ...props });
	if (label) b.setAttribute('aria-label', label);
	if (!text) b.classList.add('icon-only');
	return append(b, name && icon(name), text && h('span', text));
}

export function linkButton(text, { icon: name, kind = '', ...props } = {}) {
	return h('a', { class: `button ${kind}`, ...props }, name && icon(name), h('span', text));
}

const STATUS = {
	RUNNING: 'Running',
	SCHEDULED: 'Scheduled',
	FINISHED: 'Finished',
	FAILED: 'Failed',
	KILLED: 'Killed',
};

/** A word with a dot; looks: a class such as status-failed. */
export function pill(text, looks = '') {
	return h('span.pill', { class: looks }, h('span.dot'), text);
}

export function statusPill(status) {
	return pill(STATUS[status] ?? String(status), `status-${String(status).toLowerCase()}`);
}

/** One of a few: [{value, text}]; change(value). */
export function segmented(label, options, value, change) {
	const buttons = options.map((o) =>
		h(
			'button',
			{
				type: 'button',
				'aria-pressed': o.value === value,
				title: o.title,
				onclick: () => {
					set(o.value);
					change(o.value);
				},
			},
			o.text,
		),
	);
	function set(v) {
		options.forEach((o, i) => buttons[i].setAttribute('aria-pressed', String(o.value === v)));
	}
	const element = h('div.segmented', { role: 'group', 'aria-label': label }, buttons);
	return { element, set };
}

export function toggle(text, checked, change, props = {}) {
	return h(
		'label.toggle',
		props,
		h('input', { type: 'checkbox', checked, onchange: (e) => change(e.target.checked) }),
		h('span.toggle-track'),
		h('span', text),
	);
}

export function searchBox(label, value, change, props = {}) {
	return h(
		'label.search-box',
		icon('search', 14),
		h('span.visually-hidden', label),
		h('input', {
			type: 'search',
			value,
			placeholder: label,
			spellcheck: 'false',
			autocomplete: 'off',
			oninput: (e) => change(e.target.value),
			...props,
		}),
	);
}

export async function copyText(text, what = 'Copied') {
	try {
		await navigator.clipboard.writeText(text);
		toast(`${what} to the clipboard`);
	} catch {
		toast('The browser does not allow copying here', { kind: 'bad' });
	}
}

export function copyButton(text, label = 'Copy') {
	return button('', { icon: 'copy', kind: 'quiet small', label, onclick: () => copyText(text) });
}

/** A passing message; action: {text, run}. */
export function toast(text, { kind = 'good', action, ms = 5000 } = {}) {
	const region = document.getElementById('toasts');
	const t = h('div.toast', { class: kind }, h('span', text));
	const close = () => t.remove();
	if (action)
		t.append(
			button(action.text, {
				kind: 'small',
				onclick: () => {
					close();
					action.run();
				},
			}),
		);
	t.append(button('', { icon: 'close', kind: 'quiet small', label: 'Dismiss', onclick: close }));
	region.append(t);
	setTimeout(close, ms);
}

/** Runs an action of the user and says what went wrong, if anything did; → whether it worked. */
export async function attempt(action, done) {
	try {
		await action();
		if (done) toast(done);
		return true;
	} catch (e) {
		if (e.name !== 'AbortError') toast(e.message, { kind: 'bad', ms: 10000 });
		return false;
	}
}

/** Text with a pencil; save(text) → Promise. Enter keeps, Escape drops. */
export function editable(value, { label, save, multiline = false, empty = '–', tag = 'span' }) {
	const box = h('div.editable');
	function show() {
		box.replaceChildren(
			value
				? h('div.editable-text', multiline ? longText(value) : h(tag, value))
				: h('span.editable-text.faint', empty),
			button('', { icon: 'edit', kind: 'quiet small', label, onclick: edit }),
		);
	}
	function edit() {
		const input = multiline
			? h('textarea', {
					value,
					rows: Math.min(12, Math.max(4, value.split('\n').length + 1)),
					'aria-label': label,
				})
			: h('input', { type: 'text', value, 'aria-label': label });
		const keep = async () => {
			const text = multiline ? input.value : input.value.trim();
			if (text !== value) {
				input.disabled = true;
				if (!(await attempt(() => save(text)))) {
					input.disabled = false;
					input.focus();
					return;
				}
				value = text;
			}
			show();
			box.querySelector('button')?.focus();
		};
		input.addEventListener('keydown', (e) => {
			if (e.key === 'Escape') {
				e.stopPropagation();
				show();
				box.querySelector('button')?.focus();
			} else if (e.key === 'Enter' && (!multiline || e.ctrlKey || e.metaKey)) {
				e.preventDefault();
				keep();
			}
		});
		box.replaceChildren(
			h(
				'div.editable-form',
				{ class: multiline ? 'tall' : '' },
				input,
				button('Save', { kind: 'small primary', onclick: keep }),
				button('Cancel', { kind: 'small', onclick: show }),
			),
		);
		input.focus();
		input.select?.();
	}
	show();
	return box;
}

/** Text of many lines: of a long one the beginning, until somebody asks for all. */
export function longText(text) {
	const isLong = text.length > LONG_TEXT || text.split('\n').length > LONG_TEXT_LINES;
	return h(
		'div.long-text',
		h('p', text),
		isLong && h('details', h('summary', h('span', 'Show all'), h('span', 'Show less'))),
	);
}

/** A command to copy. name: what it does, for the button. */
export function command(text, name = 'Copy the command') {
	return h('div.snippet', h('pre', h('code', text)), copyButton(text, name));
}

/** A command of trk, for this server. */
export const trkCommand = (text) => command(`trk --url ${server.replace(/\/$/, '')} ${text}`);

/** A word of a command. */
export const inShell = (text) => (/^[\w.@/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** What a view shows while it has nothing to show. */
export function emptyState({ icon: name = 'chart', title, text, children = [] }) {
	return h('section.empty', icon(name, 28), h('h2', title), text && h('p', text), children);
}

export function errorState(error, retry) {
	announce(error.message);
	return h(
		'section.empty.error-state',
		{ role: 'alert' },
		icon('warning', 28),
		h('h2', error.status === 404 ? 'Not found' : 'This did not load'),
		h('p', error.message),
		retry && button('Try again', { icon: 'refresh', onclick: retry }),
	);
}

export function loading(text = 'Loading…') {
	return h('div.loading', { role: 'status' }, h('span.spinner'), text);
}

/** A line of a list of facts; none when there is no value. */
export function fact(name, ...value) {
	return value.every((v) => v === null || v === undefined || v === '' || v === false)
		? null
		: h('div', h('dt', name), h('dd', value));
}

/** tabs: [{id, text, count, warning}]; warning: what is wrong with some of them; href(id) → address. */
export function tabs(label, list, current, hrefOf) {
	return h(
		'nav.tabs',
		{ 'aria-label': label },
		list.map((t) =>
			h(
				'a',
				{ href: hrefOf(t.id), 'aria-current': t.id === current ? 'page' : null },
				t.text,
				t.count !== undefined &&
					h('span.count', { class: t.warning ? 'warning' : '', title: t.warning }, String(t.count)),
			),
		),
	);
}

/** The head of a column that orders a list by `id`. order: "name", or "-name" for descending; isFirstDescending: how
 * the first click orders; choose(next order). */
export function orderHead(id, text, { order, choose, isFirstDescending = false, tag = 'th' }) {
	const isThis = order.replace(/^-/, '') === id;
	const isDescending = order.startsWith('-');
	const next = (isThis ? !isDescending : isFirstDescending) ? `-${id}` : id;
	return h(
		tag,
		{ 'aria-sort': isThis ? (isDescending ? 'descending' : 'ascending') : null },
		h(
			'button.th-sort',
			{ type: 'button', title: text, onclick: () => choose(next) },
			text,
			isThis && icon(isDescending ? 'down' : 'up', 12),
		),
	);
}
