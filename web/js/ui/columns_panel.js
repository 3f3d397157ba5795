// The dialog that chooses and orders the columns of the run table.
import { h, replace } from '../dom.js';
import { attributeColumns, column } from '../columns.js';
import { button, searchBox } from './controls.js';
import { openDialog } from './dialog.js';
import { icon } from './icons.js';

const MATCHES_MAX = 200; /* of a group: with thousands of names one searches */
const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });

function title(id) {
	const c = column(id);
	return [
		c.group && h('span.kind', c.group),
		h('span.name', c.label),
		c.suffix && h('span.vt-suffix', c.suffix),
	];
}

/** keys: {params, metrics, tags} Maps of names; change(ids) is called at once on each change. */
export function showColumnsPanel({ ids, keys, change, reset }) {
	let chosen = [...ids];
	let query = '';
	const shown = h('ol.column-list');
	const offered = h('div.column-groups');

	function update(next) {
		chosen = next;
		change(chosen);
		draw();
	}

	function move(i, step) {
		const j = i + step;
		if (j < 0 || j >= chosen.length) return;
		const next = [...chosen];
		[next[i], next[j]] = [next[j], next[i]];
		update(next);
		shown.children[j]?.querySelector(step < 0 ? '.move-up' : '.move-down')?.focus();
	}

	function drawShown() {
		replace(
			shown,
			chosen.map((id, i) => {
				const item = h(
					'li',
					{ draggable: 'true' },
					icon('drag'),
					h('span.column-name', title(id)),
					button('', {
						icon: 'up',
						kind: 'quiet small move-up',
						label: `Move ${id} up`,
						disabled: i === 0,
						onclick: () => move(i, -1),
					}),
					button('', {
						icon: 'down',
						kind: 'quiet small move-down',
						label: `Move ${id} down`,
						disabled: i === chosen.length - 1,
						onclick: () => move(i, 1),
					}),
					button('', {
						icon: 'close',
						kind: 'quiet small',
						label: `Hide ${id}`,
						onclick: () => update(chosen.filter((x) => x !== id)),
					}),
				);
				item.addEventListener('dragstart', (e) => e.dataTransfer.setData('text/plain', String(i)));
				item.addEventListener('dragover', (e) => e.preventDefault());
				item.addEventListener('drop', (e) => {
					e.preventDefault();
					const from = Number(e.dataTransfer.getData('text/plain'));
					const next = [...chosen];
					const [moved] = next.splice(from, 1);
					next.splice(i, 0, moved);
					update(next);
				});
				return item;
			}),
			chosen.length ? null : h('li.faint', 'Only the name of the run.'),
		);
	}

	function choice(id, text) {
		const on = chosen.includes(id);
		return h(
			'label.check',
			h('input', {
				type: 'checkbox',
				checked: on,
				onchange: (e) => update(e.target.checked ? [...chosen, id] : chosen.filter((x) => x !== id)),
			}),
			h('span', text),
		);
	}

	function group(name, list, entry) {
		const matches = list.filter((k) => k.toLowerCase().includes(query.toLowerCase()));
		if (!matches.length) return null;
		return h(
			'fieldset',
			h('legend', name, h('span.count', String(matches.length))),
			matches.slice(0, MATCHES_MAX).map(entry),
			matches.length > MATCHES_MAX &&
				h('p.faint', `and ${matches.length - MATCHES_MAX} more: search for them`),
		);
	}

	function drawOffered() {
		const sorted = (map) => [...map.keys()].sort(byName);
		replace(
			offered,
			group('Metrics', sorted(keys.metrics), (k) =>
				h(
					'div.metric-choice',
					h('span.column-name', k),
					choice(`m.${k}`, 'last'),
					choice(`min.${k}`, 'min'),
					choice(`max.${k}`, 'max'),
				),
			),
			group('Parameters', sorted(keys.params), (k) => choice(`p.${k}`, k)),
			group('Attributes', attributeColumns(), (id) => choice(id, column(id).label)),
			group('Tags', sorted(keys.tags), (k) => choice(`t.${k}`, k)),
		);
	}

	function draw() {
		const focused = document.activeElement?.closest?.('label, .metric-choice')?.textContent;
		drawShown();
		const top = offered.scrollTop;
		drawOffered();
		offered.scrollTop = top;
		if (focused)
			for (const label of offered.querySelectorAll('label'))
				if (label.textContent === focused)
					label.querySelector('input').focus({ preventScroll: true });
	}

	draw();
	const dialog = openDialog({
		title: 'Columns',
		kind: 'wide',
		content: h(
			'div.columns-panel',
			h(
				'section',
				h('h3', 'Offered'),
				searchBox(
					'Search names',
					'',
					(text) => {
						query = text;
						drawOffered();
					},
					{ autofocus: true },
				),
				offered,
			),
			h('section', h('h3', 'Shown, in this order'), shown),
		),
		footer: [
			button('Choose automatically', {
				onclick: () => {
					reset();
					dialog.close(null);
				},
			}),
			button('Done', { kind: 'primary', onclick: () => dialog.close(null) }),
		],
	});
	return dialog.closed;
}
