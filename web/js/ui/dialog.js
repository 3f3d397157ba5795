// Modal dialogs on the platform's <dialog>, and menus on its popovers.
import { h } from '../dom.js';
import { button } from './controls.js';
import { icon } from './icons.js';

/** Is somebody deciding something in a dialog or a menu? */
export const isAsking = () => document.querySelector('dialog[open], [popover]:popover-open') !== null;

/** Shows content in a modal; close(result) settles the promise, Escape gives null. */
export function openDialog({ title, content, kind = '', footer = [] }) {
	let close;
	const closed = new Promise((resolve) => {
		const heading = h('h2', { id: `dialog-${Date.now()}` }, title);
		const dialog = h(
			'dialog',
			{ class: `dialog ${kind}`, 'aria-labelledby': heading.id },
			h(
				'header',
				heading,
				button('', { icon: 'close', kind: 'quiet', label: 'Close', onclick: () => close(null) }),
			),
			h('div.dialog-body', content),
			footer.length ? h('footer', footer) : null,
		);
		close = (result) => {
			dialog.close();
			dialog.remove();
			resolve(result);
		};
		dialog.addEventListener('cancel', (e) => {
			e.preventDefault();
			close(null);
		});
		dialog.addEventListener('click', (e) => {
			if (e.target === dialog) close(null);
		});
		document.body.append(dialog);
		dialog.showModal();
		(dialog.querySelector('[autofocus]') ?? dialog.querySelector('.primary, .danger'))?.focus();
	});
	return { closed, close: (result) => close(result) };
}

/** → true if the person agreed. */
export function confirmDialog({ title, text, action = 'Delete', danger = true }) {
	const dialog = openDialog({
		title,
		content: [].concat(text).map((t) => (t instanceof Node ? t : h('p', t))),
		kind: 'narrow',
		footer: [
			button('Cancel', { onclick: () => dialog.close(false) }),
			button(action, { kind: danger ? 'danger' : 'primary', onclick: () => dialog.close(true) }),
		],
	});
	return dialog.closed;
}

/** fields: [{name, label, value, hint, required, multiline, options, type}]; submit(values) may throw, its
 * message is shown in the dialog. → the values, or null. */
export function formDialog({ title, fields, action = 'Save', submit, intro }) {
	const problem = h('p.field-error', { role: 'alert', hidden: true });
	const inputs = {};
	const form = h(
		'form.form',
		{ onsubmit: keep },
		intro && h('p', intro),
		fields.map((f, i) => {
			const id = `field-${f.name}`;
			const common = { id, name: f.name, required: Boolean(f.required), autofocus: i === 0 };
			const listId = f.options && f.type !== 'select' ? `${id}-list` : undefined;
			const input = f.multiline
				? h('textarea', { ...common, rows: 5, value: f.value ?? '' })
				: f.type === 'select'
					? h(
							'select',
							common,
							f.options.map((o) => h('option', { value: o, selected: o === f.value }, o)),
						)
					: f.type === 'checkbox'
						? h('input', {
								...common,
								type: 'checkbox',
								checked: Boolean(f.value),
								required: false,
							})
						: h('input', {
								...common,
								type: 'text',
								value: f.value ?? '',
								list: listId,
								autocomplete: 'off',
								spellcheck: 'false',
							});
			inputs[f.name] = input;
			return h(
				'div.field',
				{ class: f.type === 'checkbox' ? 'inline' : '' },
				h('label', { for: id }, f.label),
				input,
				listId &&
					h(
						'datalist',
						{ id: listId },
						f.options.map((o) => h('option', { value: o })),
					),
				f.hint && h('small', f.hint),
			);
		}),
		problem,
		h('button', { type: 'submit', hidden: true }),
	);
	const ok = button(action, { kind: 'primary', onclick: () => form.requestSubmit() });
	const dialog = openDialog({
		title,
		content: form,
		kind: 'narrow',
		footer: [button('Cancel', { onclick: () => dialog.close(null) }), ok],
	});
	async function keep(e) {
		e.preventDefault();
		const values = {};
		for (const [name, input] of Object.entries(inputs))
			values[name] = input.type === 'checkbox' ? input.checked : input.value.trim();
		ok.disabled = true;
		problem.hidden = true;
		try {
			await submit(values);
			dialog.close(values);
		} catch (error) {
			problem.textContent = error.message;
			problem.hidden = false;
			ok.disabled = false;
		}
	}
	return dialog.closed;
}

function place(popover, anchor) {
	const a = anchor.getBoundingClientRect();
	const p = popover.getBoundingClientRect();
	const left = Math.max(8, Math.min(a.right - p.width, innerWidth - p.width - 8));
	const below = a.bottom + 4;
	const top = below + p.height > innerHeight - 8 ? Math.max(8, a.top - p.height - 4) : below;
	popover.style.setProperty('left', `${left}px`);
	popover.style.setProperty('top', `${top}px`);
}

/** Shows content under an anchor until a click outside or Escape. → close function. */
export function openPopover(anchor, content, { kind = '', label } = {}) {
	const p = h(
		'div',
		{ popover: 'auto', class: `popover ${kind}`, role: 'dialog', 'aria-label': label },
		content,
	);
	document.body.append(p);
	p.addEventListener('toggle', (e) => {
		if (e.newState === 'closed') {
			p.remove();
			anchor.setAttribute('aria-expanded', 'false');
		}
	});
	p.showPopover();
	place(p, anchor);
	anchor.setAttribute('aria-expanded', 'true');
	p.querySelector('[autofocus]')?.focus();
	return () => {
		if (p.isConnected) p.hidePopover();
	};
}

/** items: [{text, icon, run, href, danger, download} | null for a line]. */
export function openMenu(anchor, items) {
	const entries = items.map((item) => {
		if (!item) return h('hr');
		const inner = [item.icon && icon(item.icon), h('span', item.text)];
		return item.href
			? h(
					'a',
					{ role: 'menuitem', href: item.href, download: item.download, onclick: () => close() },
					inner,
				)
			: h(
					'button',
					{
						type: 'button',
						role: 'menuitem',
						class: item.danger ? 'danger-text' : '',
						disabled: item.disabled,
						onclick: () => {
							close();
							item.run();
						},
					},
					inner,
				);
	});
	const menu = h('div.menu', { role: 'menu' }, entries);
	const close = openPopover(anchor, menu, { kind: 'menu-popover' });
	const focusable = () => [...menu.querySelectorAll('[role=menuitem]:not(:disabled)')];
	focusable()[0]?.focus();
	menu.addEventListener('keydown', (e) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
		if (!step) return;
		e.preventDefault();
		const list = focusable();
		list[(list.indexOf(document.activeElement) + step + list.length) % list.length]?.focus();
	});
}

export function menuButton(
	items,
	{ label = 'More actions', icon: name = 'more', text = '', kind = 'quiet' } = {},
) {
	const b = button(text, {
		icon: name,
		kind,
		label,
		'aria-haspopup': 'menu',
		'aria-expanded': false,
		onclick: () => openMenu(b, typeof items === 'function' ? items() : items),
	});
	return b;
}
