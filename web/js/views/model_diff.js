// Two versions of a model side by side: parameters, metrics, data, tags, files.
import { h, replace } from '../dom.js';
import { formatBytes, formatNumber, toNumber } from '../format.js';
import { onlyWhenNew, redraw } from '../redraw.js';
import { registry } from '../registry.js';
import { setParams } from '../router.js';
import { emptyState, errorState, inShell, loading, trkCommand } from '../ui/controls.js';
import { panel } from './run_overview.js';

export function diffTab(body, first) {
	let ctx = first;
	let shown = null;
	let asked = 0;
	const bar = h('div.row.diff-bar');
	const box = h('div.column');
	const [whenSidesAreNew, whenDiffIsNew] = [onlyWhenNew(), onlyWhenNew()];
	replace(body, bar, box);

	/* The holder of an alias against the newest version, unless the address says otherwise. */
	function sides() {
		const newest = ctx.list[0]?.version;
		const held = ctx.aliases.map((a) => a.version).find((v) => v !== newest);
		return {
			from: ctx.params.get('from') ?? held ?? ctx.list[1]?.version,
			to: ctx.params.get('to') ?? newest,
		};
	}

	function draw() {
		const { from, to } = sides();
		if (!from || !to) {
			whenSidesAreNew([], () => replace(bar));
			whenDiffIsNew([], () => replace(box, nothing(ctx.name)));
			return;
		}
		const options = [...ctx.aliases.map((a) => `@${a.alias}`).sort(), ...ctx.list.map((v) => v.version)];
		whenSidesAreNew([options, from, to], () =>
			redraw(bar, () =>
				replace(
					bar,
					h('label.setting', h('span.setting-name', 'From'), side('from', from, options)),
					h('label.setting', h('span.setting-name', 'to'), side('to', to, options)),
				),
			),
		);
		load(from, to);
	}

	function side(name, value, options) {
		return h(
			'select',
			{ 'aria-label': `Compare ${name}`, onchange: (e) => setParams({ [name]: e.target.value }) },
			[...new Set([...options, value])].map((o) =>
				h('option', { value: o, selected: o === value }, o.startsWith('@') ? o : `v${o}`),
			),
		);
	}

	async function load(from, to) {
		if (!box.hasChildNodes()) replace(box, loading());
		const mine = ++asked;
		try {
			const found = await registry.diff(ctx.name, from, to, ctx.signal);
			if (mine !== asked) return;
			shown = found;
			whenDiffIsNew(shown, () => redraw(box, drawDiff));
		} catch (e) {
			if (e.name !== 'AbortError') whenDiffIsNew(e.message, () => replace(box, errorState(e, draw)));
		}
	}

	function drawDiff() {
		const heads = [shown.from, shown.to].map((v) => `v${v.version}`);
		const parts = [
			['Metrics', shown.metrics.map((m) => metricRow(m))],
			['Parameters', shown.params.map((p) => textRow(p.key, p.from, p.to))],
			[
				'Data',
				shown.datasets.map((d) =>
					textRow(d.context ? `${d.key} (${d.context})` : d.key, d.from, d.to),
				),
			],
			['Tags', shown.tags.map((t) => textRow(t.key, t.from, t.to))],
			['Files', shown.files.map(fileRow)],
		];
		const panels = parts
			.filter(([, rows]) => rows.length)
			.map(([title, rows]) => panel(title, rows.length, diffTable(rows, heads)));
		replace(
			box,
			panels.length
				? panels
				: emptyState({ icon: 'compare', title: `${heads[0]} and ${heads[1]} do not differ` }),
		);
	}

	draw();
	return {
		update(params) {
			ctx = { ...ctx, params };
			draw();
		},
		refresh(next) {
			ctx = next;
			draw();
		},
	};
}

const nothing = (name) =>
	emptyState({
		icon: 'compare',
		title: 'There is nothing to compare with yet',
		text: 'It takes two versions: register one more from a run, or from a shell:',
		children: trkCommand(`models register RUN PATH --name ${inShell(name)}`),
	});
const absent = () => h('span.faint', '–');

function metricRow({ key, from, to }) {
	const [a, b] = [from, to].map((x) => (x === null ? null : toNumber(x)));
	const change = a !== null && b !== null ? b - a : null;
	const percent = change && a ? Math.abs((100 * change) / a) : 0;
	const share = percent
		? ` (${change > 0 ? '+' : '−'}${formatNumber(Number(percent.toPrecision(3)))} %)`
		: '';
	return {
		name: key,
		nodes: [a === null ? absent() : formatNumber(a), b === null ? absent() : formatNumber(b)],
		note: change ? `${change > 0 ? '+' : '−'}${formatNumber(Math.abs(change))}${share}` : '',
	};
}

function textRow(name, from, to) {
	const node = (x) => x ?? absent();
	return {
		name,
		nodes: [node(from), node(to)],
		note: '',
	};
}

function fileRow({ path, from, to }) {
	const node = (f) =>
		f
			? h(
					'span',
					{ title: `SHA-256 ${f.sha256}` },
					formatBytes(Number(f.size)),
					' ',
					h('code.faint', f.sha256.slice(0, 8)),
				)
			: absent();
	return {
		name: path,
		nodes: [node(from), node(to)],
		note: !from ? 'new' : !to ? 'gone' : from.sha256 !== to.sha256 ? 'changed' : '',
	};
}

function diffTable(rows, heads) {
	return h(
		'div.table-wrap',
		h(
			'table.table.dense.diff',
			h(
				'thead',
				h(
					'tr',
					h('th', ''),
					heads.map((x) => h('th', x)),
					h('th', ''),
				),
			),
			h(
				'tbody',
				rows.map((r) =>
					h(
						'tr',
						{ dataset: { key: r.name } },
						h('td.key', { title: r.name }, r.name),
						r.nodes.map((n) => h('td.wrap', n)),
						h('td.muted.nowrap', r.note),
					),
				),
			),
		),
	);
}
