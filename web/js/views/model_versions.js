// The versions of a model as a table with the chosen one beside it: now, and as they were at a moment.
import { h, replace } from '../dom.js';
import { formatMoment, numberNode, shortId, timeAgo } from '../format.js';
import { href } from '../router.js';
import { emptyState, inShell, trkCommand } from '../ui/controls.js';
import { aliasesPanel } from './model_aliases.js';
import { versionDetail } from './model_version.js';
import { panel } from './run_overview.js';

const METRICS_SHOWN = 3;

/** The version that the address names, or the newest; list: newest first. */
export const chosenVersion = (list, params) =>
	list.find((v) => v.version === params.get('version')) ?? list[0];

export function versionsTab(body, first) {
	let ctx = first;
	const table = h('div');
	const aliases = h('div');
	const side = h('div.column');
	const under = h('div.column');
	replace(body, h('div.columns.model-columns', h('div.column', table, aliases, under), side));
	let shown;
	const showDetail = versionDetail(side, under);

	function draw() {
		const chosen = chosenVersion(ctx.list, ctx.params);
		replace(
			table,
			ctx.list.length
				? versionsTable({
						...ctx,
						chosen,
						hrefOf: (v) => href(['model', ctx.name], { version: v.version }),
					})
				: emptyState({
						icon: 'model',
						title: 'No versions yet',
						text: 'Open a run and press “Register model”, or from a shell:',
						children: trkCommand(`models register RUN PATH --name ${inShell(ctx.name)}`),
					}),
		);
		replace(aliases, ctx.list.length ? aliasesPanel(ctx) : null);
		showDetail(ctx, chosen);
		if (chosen !== undefined && chosen.version !== shown) showChosen(table);
		shown = chosen?.version;
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

/** Scrolls to the chosen row within its box, not to the box within the window. */
export function showChosen(table) {
	const [box, row] = ['.tall', 'tr.selected'].map((s) => table.querySelector(s));
	const [outer, inner] = [box, row].map((e) => e.getBoundingClientRect());
	const head = table.querySelector('thead').offsetHeight;
	if (inner.top < outer.top + head || inner.bottom > outer.bottom)
		box.scrollTop += inner.top - outer.top - box.clientHeight / 2;
}

/** list: of {version, aliases, stage, run_id, created}; sources: run id → run, for names and metrics. */
export function versionsTable({ list, sources, chosen, hrefOf }) {
	const keys = mainMetrics(list, sources);
	return panel(
		'Versions',
		list.length,
		h(
			'div.table-wrap.tall',
			h(
				'table.table.dense.versions',
				h(
					'thead',
					h(
						'tr',
						h('th', 'Version'),
						h('th', 'Aliases'),
						h('th', 'Stage'),
						h('th', 'Run'),
						keys.map((k) => h('th.right', { title: k }, k)),
						h('th', 'Made'),
					),
				),
				h(
					'tbody',
					list.map((v) =>
						versionRow(v, { keys, run: sources.get(v.run_id), isChosen: v === chosen, hrefOf }),
					),
				),
			),
		),
	);
}

/* Those that most versions have. */
function mainMetrics(list, sources) {
	const counts = new Map();
	for (const v of list)
		for (const k of Object.keys(sources.get(v.run_id)?.metrics ?? {}))
			counts.set(k, (counts.get(k) ?? 0) + 1);
	return [...counts]
		.filter(([k]) => !k.startsWith('system/'))
		.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
		.slice(0, METRICS_SHOWN)
		.map(([k]) => k)
		.sort();
}

function versionRow(v, { keys, run, isChosen, hrefOf }) {
	return h(
		'tr',
		{
			class: isChosen ? 'selected' : '',
			'aria-current': isChosen ? 'true' : null,
			dataset: { version: v.version },
		},
		h('td.nowrap', h('a.strong', { href: hrefOf(v) }, `v${v.version}`)),
		h(
			'td',
			v.aliases.map((a) => h('span.tag.alias', { title: a }, `@${a}`)),
		),
		h('td', v.stage ? h('span.tag', v.stage) : h('span.faint', '–')),
		h(
			'td.one-line',
			v.run_id
				? h('a', { href: href(['run', v.run_id]), title: v.run_id }, run?.name ?? shortId(v.run_id))
				: h('span.faint', '–'),
		),
		keys.map((k) =>
			h(
				'td.right',
				{ title: String(run?.metrics[k]?.value ?? '') },
				numberNode(run?.metrics[k]?.value),
			),
		),
		h('td.nowrap.muted', { title: formatMoment(v.created) }, timeAgo(v.created)),
	);
}
