// A table of any length: only the rows and columns in sight are in the document.
// One element holds the focus; the active row is announced through aria-activedescendant.
import { append, framed, h, replace } from './dom.js';
import { dragWidth, makeMovable } from './table_gestures.js';
import { icon } from './ui/icons.js';

const ROW_HEIGHT = 32;
const SPARE_ROWS = 6;
const CHECK_WIDTH = 34;

/** options: label, rowId(row), cell(column, row), open(row), sort(id), select(ids), move(id, beforeId),
 * resize(id, width), needRows(rows). Columns: {id, label, group, suffix, width, align, sortable}; the first
 * one is frozen. */
export class VirtualTable {
	constructor(options) {
		this.options = options;
		this.columns = [];
		this.rows = [];
		this.selected = new Set();
		this.active = -1;
		this.anchor = -1;
		this.live = new Map();
		this.head = h('div.vt-head', { role: 'row', 'aria-rowindex': 1 });
		this.body = h('div.vt-body', { role: 'rowgroup' });
		this.element = h(
			'div.vt',
			{
				role: 'grid',
				tabIndex: 0,
				'aria-label': options.label,
				'aria-multiselectable': true,
				onkeydown: (e) => this.onKey(e),
				onclick: (e) => this.onClick(e),
				ondblclick: (e) => this.onDoubleClick(e),
			},
			this.head,
			this.body,
		);
		this.draw = framed(() => this.render());
		this.element.addEventListener('scroll', this.draw, { passive: true });
		this.observer = new ResizeObserver(this.draw);
		this.observer.observe(this.element);
	}

	destroy() {
		this.observer.disconnect();
		this.draw.cancel();
	}

	setColumns(columns, order) {
		this.columns = columns;
		this.order = order;
		this.measure();
		this.renderHead();
		this.redraw();
	}

	measure() {
		let left = CHECK_WIDTH + (this.columns[0]?.width ?? 0);
		this.frozenWidth = left;
		this.offsets = this.columns.map((c, i) => {
			if (i === 0) return CHECK_WIDTH;
			const at = left;
			left += c.width;
			return at;
		});
		this.width = left;
		this.body.style.setProperty('width', `${left}px`);
		this.head.style.setProperty('width', `${left}px`);
	}

	/** Same rows, other order or content: scroll and selection stay, the active row follows its run. */
	setRows(rows) {
		const activeId = this.rows[this.active] && this.options.rowId(this.rows[this.active]);
		this.rows = rows;
		this.element.setAttribute('aria-rowcount', String(rows.length + 1));
		this.body.style.setProperty('height', `${rows.length * ROW_HEIGHT}px`);
		if (activeId) this.active = rows.findIndex((r) => this.options.rowId(r) === activeId);
		this.redraw();
	}

	redraw() {
		this.stale = true;
		this.draw();
	}

	setSelected(ids) {
		this.selected = new Set(ids);
		this.renderHead();
		this.redraw();
	}

	/* --- drawing --- */

	visibleColumns() {
		const from = this.element.scrollLeft + this.frozenWidth - 200;
		const to = this.element.scrollLeft + this.element.clientWidth + 200;
		let first = 1;
		while (first < this.columns.length && this.offsets[first] + this.columns[first].width < from) first++;
		let end = first;
		while (end < this.columns.length && this.offsets[end] < to) end++;
		return [first, end];
	}

	render() {
		const { scrollTop, clientHeight } = this.element;
		const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - SPARE_ROWS);
		const end = Math.min(
			this.rows.length,
			Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + SPARE_ROWS,
		);
		const [c0, c1] = this.visibleColumns();
		const columnsMoved = this.c0 !== c0 || this.c1 !== c1;
		if (columnsMoved) {
			this.c0 = c0;
			this.c1 = c1;
			this.renderHead();
		}
		if (this.stale || columnsMoved) {
			this.body.replaceChildren();
			this.live.clear();
			this.stale = false;
		}
		for (const [i, element] of this.live)
			if (i < first || i >= end) {
				element.remove();
				this.live.delete(i);
			}
		const fresh = [];
		for (let i = first; i < end; i++)
			if (!this.live.has(i)) {
				const element = this.row(i);
				this.live.set(i, element);
				fresh.push(element);
			}
		append(this.body, fresh);
		this.element.classList.toggle('scrolled-x', this.element.scrollLeft > 0);
		const a = this.live.get(this.active);
		if (a) this.element.setAttribute('aria-activedescendant', a.id);
		else this.element.removeAttribute('aria-activedescendant');
		this.options.needRows?.(this.rows.slice(first, end));
	}

	row(i) {
		const run = this.rows[i];
		const id = this.options.rowId(run);
		const selected = this.selected.has(id);
		const frozen = h(
			'div.vt-frozen',
			h(
				'div.vt-cell.vt-check',
				{ role: 'gridcell', 'aria-colindex': 1, style: { width: `${CHECK_WIDTH}px` } },
				h('input', { type: 'checkbox', checked: selected, tabIndex: -1, 'aria-label': 'Select' }),
			),
			this.cell(0, run),
		);
		const space = h('div.vt-space', {
			style: { width: `${(this.offsets[this.c0] ?? this.frozenWidth) - this.frozenWidth}px` },
		});
		const cells = [];
		for (let c = this.c0; c < this.c1; c++) cells.push(this.cell(c, run));
		return h(
			'div.vt-row',
			{
				role: 'row',
				id: `row-${i}`,
				'aria-rowindex': i + 2,
				'aria-selected': selected,
				class: `${i === this.active ? 'active' : ''} ${selected ? 'selected' : ''}`,
				dataset: { index: String(i) },
				style: { transform: `translateY(${i * ROW_HEIGHT}px)` },
			},
			frozen,
			space,
			cells,
		);
	}

	cell(c, run) {
		const column = this.columns[c];
		return h(
			'div.vt-cell',
			{
				role: 'gridcell',
				'aria-colindex': c + 2,
				class: `${column.align ?? ''} ${column.isCode ? 'code' : ''}`,
				style: { width: `${column.width}px` },
			},
			this.options.cell(column, run),
		);
	}

	renderHead() {
		if (!this.columns.length) return;
		const all = this.rows.length > 0 && this.rows.every((r) => this.selected.has(this.options.rowId(r)));
		const box = h('input', {
			type: 'checkbox',
			checked: all,
			indeterminate: !all && this.selected.size > 0,
			'aria-label': 'Select all rows',
			onchange: (e) => this.select(e.target.checked ? this.rows.map(this.options.rowId) : []),
		});
		const cells = [];
		for (let c = this.c0 ?? 1; c < (this.c1 ?? this.columns.length); c++) cells.push(this.headCell(c));
		const focused = document.activeElement?.closest?.('.vt-head [data-column]')?.dataset.column;
		replace(
			this.head,
			h(
				'div.vt-frozen',
				h(
					'div.vt-cell.vt-check',
					{ role: 'columnheader', style: { width: `${CHECK_WIDTH}px` } },
					box,
				),
				this.headCell(0),
			),
			h('div.vt-space', {
				style: { width: `${(this.offsets[this.c0 ?? 1] ?? this.frozenWidth) - this.frozenWidth}px` },
			}),
			cells,
		);
		if (focused !== undefined)
			for (const e of this.head.querySelectorAll('[data-column]'))
				if (e.dataset.column === focused) e.querySelector('button')?.focus({ preventScroll: true });
	}

	headCell(c) {
		const column = this.columns[c];
		const sorted =
			this.order?.id === column.id ? (this.order.isDescending ? 'descending' : 'ascending') : null;
		const title = `${column.group ? `${column.group}: ` : ''}${column.label}${column.suffix ? ` (${column.suffix})` : ''}`;
		const sort = h(
			'button.vt-sort',
			{
				type: 'button',
				title: `${title}\nClick to order`,
				onclick: () => this.options.sort(column.id),
			},
			h('span.vt-label', column.label),
			column.suffix && h('span.vt-suffix', column.suffix),
			sorted && icon(sorted === 'ascending' ? 'up' : 'down', 12),
		);
		const cell = h(
			'div.vt-cell',
			{
				role: 'columnheader',
				'aria-colindex': c + 2,
				'aria-sort': sorted,
				class: column.align ?? '',
				dataset: { column: column.id, kind: column.kind ?? '' },
				style: { width: `${column.width}px` },
			},
			sort,
			h('span.vt-grip', { onpointerdown: (e) => this.startResize(e, column, cell) }),
		);
		if (c > 0) makeMovable(cell, sort, column.id, this.options.move);
		return cell;
	}

	startResize(e, column, cell) {
		dragWidth(e, column.width, {
			move: (width) => {
				column.width = width;
				cell.style.setProperty('width', `${width}px`);
				this.measure();
				this.redraw();
			},
			end: () => {
				this.renderHead();
				this.options.resize(column.id, column.width);
			},
		});
	}

	/* --- moving and selecting --- */

	onClick(e) {
		const row = e.target.closest('.vt-row');
		if (!row || e.target.closest('a, button')) return;
		const i = Number(row.dataset.index);
		if (e.target.closest('.vt-check') || e.shiftKey || e.ctrlKey || e.metaKey) {
			if (e.shiftKey && this.anchor >= 0) this.selectRange(this.anchor, i);
			else this.toggle(i);
		}
		this.activate(i, false);
		if (!e.shiftKey) this.anchor = i;
	}

	onDoubleClick(e) {
		const row = e.target.closest('.vt-row');
		if (row && !e.target.closest('a, .vt-check')) this.options.open(this.rows[Number(row.dataset.index)]);
	}

	onKey(e) {
		if (e.target !== this.element || e.altKey) return;
		if ((e.ctrlKey || e.metaKey) && e.key === 'a') {
			e.preventDefault();
			this.select(this.rows.map(this.options.rowId));
			return;
		}
		if (!e.ctrlKey && !e.metaKey && this.press(e)) e.preventDefault();
	}

	/** Also for keys that were pressed while nothing had the focus. → whether it was one of ours. */
	press(e) {
		const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
		const steps = {
			j: 1,
			J: 1,
			ArrowDown: 1,
			k: -1,
			K: -1,
			ArrowUp: -1,
			PageDown: page,
			PageUp: -page,
			Home: -this.rows.length,
			End: this.rows.length,
		};
		if (e.key in steps) {
			const from = this.active;
			const to = Math.max(
				0,
				Math.min(this.rows.length - 1, Math.max(from, e.key === 'End' ? 0 : -1) + steps[e.key]),
			);
			if (e.shiftKey && from >= 0) this.selectRange(this.anchor >= 0 ? this.anchor : from, to);
			this.activate(to, true);
			if (!e.shiftKey) this.anchor = to;
			return true;
		}
		if ((e.key === 'x' || e.key === ' ') && this.active >= 0) {
			this.toggle(this.active);
			this.anchor = this.active;
			return true;
		}
		if (e.key === 'Enter' && this.active >= 0) {
			this.options.open(this.rows[this.active]);
			return true;
		}
		if (e.key === 'Escape' && this.selected.size) {
			this.select([]);
			return true;
		}
		return false;
	}

	activate(i, scroll) {
		if (i < 0 || i >= this.rows.length) return;
		this.live.get(this.active)?.classList.remove('active');
		this.active = i;
		this.live.get(i)?.classList.add('active');
		if (scroll) {
			const top = i * ROW_HEIGHT;
			const room = this.element.clientHeight - this.head.offsetHeight;
			if (top < this.element.scrollTop) this.element.scrollTop = top;
			else if (top + ROW_HEIGHT > this.element.scrollTop + room)
				this.element.scrollTop = top + ROW_HEIGHT - room;
			this.element.focus({ preventScroll: true });
		}
		this.draw();
	}

	toggle(i) {
		const id = this.options.rowId(this.rows[i]);
		const next = new Set(this.selected);
		if (!next.delete(id)) next.add(id);
		this.select([...next]);
	}

	selectRange(a, b) {
		const next = new Set(this.selected);
		for (let i = Math.min(a, b); i <= Math.max(a, b); i++) next.add(this.options.rowId(this.rows[i]));
		this.select([...next]);
	}

	select(ids) {
		this.setSelected(ids);
		this.options.select(ids);
	}
}
