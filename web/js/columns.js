// The columns of the run table: an id such as "m.rmse" names one in the address, here it gets its meaning.
//   status start duration user experiment source commit run   attributes
//   p.KEY parameter   t.KEY tag   m.KEY last, min.KEY, max.KEY of a metric
import { h } from './dom.js';
import { durationOf, formatDate, numberNode, shortId, timeAgo } from './format.js';
import { statusPill } from './ui/controls.js';
import { href } from './router.js';

export const NAME_COLUMN = 'name';

const ATTRIBUTES = {
	name: { label: 'Run', width: 220, order: 'attributes.run_name', value: (r) => r.name },
	status: {
		label: 'Status',
		width: 104,
		order: 'attributes.status',
		value: (r) => r.status,
		cell: (r) => statusPill(r.status),
	},
	start: {
		label: 'Started',
		width: 116,
		order: 'attributes.start_time',
		value: (r) => r.start,
		text: (r) => (r.start ? new Date(r.start).toISOString() : ''),
		cell: (r) => timeAgo(r.start),
	},
	end: {
		label: 'Ended',
		width: 116,
		order: 'attributes.end_time',
		value: (r) => r.end || undefined,
		text: (r) => (r.end ? new Date(r.end).toISOString() : ''),
		cell: (r) => timeAgo(r.end),
	},
	duration: {
		label: 'Duration',
		width: 110,
		align: 'right',
		value: (r) => (r.end && r.start ? r.end - r.start : undefined),
		cell: (r) => durationOf(r.start, r.end, r.status === 'RUNNING'),
	},
	user: {
		label: 'User',
		width: 110,
		order: 'attributes.user_id',
		value: (r) => r.user || r.tags['mlflow.user'],
	},
	experiment: {
		label: 'Experiment',
		width: 150,
		value: (r) => r.experimentId,
		text: (r, context) => context.experimentName(r.experimentId),
	},
	source: {
		label: 'Source',
		width: 160,
		order: 'tags.`mlflow.source.name`',
		value: (r) => r.tags['mlflow.source.name'],
	},
	commit: {
		label: 'Commit',
		width: 92,
		order: 'tags.`mlflow.source.git.commit`',
		isCode: true,
		value: (r) => r.tags['mlflow.source.git.commit'],
		cell: (r) => shortId(r.tags['mlflow.source.git.commit'] ?? ''),
	},
	run: {
		label: 'Run id',
		width: 92,
		order: 'attributes.run_id',
		isCode: true,
		value: (r) => r.id,
		cell: (r) => shortId(r.id),
	},
};

const GROUPS = { p: 'params', t: 'tags', m: 'metrics', min: 'metrics', max: 'metrics' };

/** A key in the filter language; it has no escapes, so a key with ` is quoted with ". */
export function quoteKey(key) {
	return key.includes('`') ? `"${key}"` : `\`${key}\``;
}

const measure = (text, least, most) => Math.max(least, Math.min(most, 46 + text.length * 7.4));

/** The column of an id, or null if the id means nothing. */
export function column(id) {
	const attribute = ATTRIBUTES[id];
	if (attribute) return { id, kind: 'attribute', key: id, align: 'left', ...attribute };
	const at = id.indexOf('.');
	const kind = id.slice(0, at);
	const key = id.slice(at + 1);
	if (!GROUPS[kind] || !key) return null;
	const base = { id, kind, key, label: key };
	if (kind === 'p')
		return {
			...base,
			group: 'Parameter',
			align: 'right',
			width: measure(key, 90, 240),
			order: `params.${quoteKey(key)}`,
			value: (r) => r.params[key],
		};
	if (kind === 't')
		return {
			...base,
			group: 'Tag',
			align: 'left',
			width: measure(key, 110, 240),
			order: `tags.${quoteKey(key)}`,
			value: (r) => r.tags[key],
		};
	const last = { ...base, group: 'Metric', align: 'right', width: measure(key, 98, 240), isNumber: true };
	if (kind === 'm')
		return { ...last, order: `metrics.${quoteKey(key)}`, value: (r) => r.metrics[key]?.value };
	return {
		...last,
		suffix: kind,
		needsSummary: true,
		width: measure(`${key} min`, 98, 250),
		value: (r) => r.summary?.get(key)?.[kind],
	};
}

export function attributeColumns() {
	return Object.keys(ATTRIBUTES).filter((id) => id !== NAME_COLUMN);
}

/** What stands in a cell as text: for CSV and comparisons. */
export function cellText(col, run, context) {
	const value = col.text ? col.text(run, context) : col.value(run);
	return value === undefined || value === null ? '' : String(value);
}

export function cellNode(col, run, context) {
	if (col.id === NAME_COLUMN)
		return h(
			'a',
			{ href: href(['run', run.id]), tabIndex: -1, title: `${run.name}\n${run.id}` },
			run.name,
		);
	if (col.cell) return col.cell(run, context);
	if (col.isNumber) {
		if (col.needsSummary && !run.summary) return h('span.faint', '…');
		return numberNode(col.value(run));
	}
	const text = cellText(col, run, context);
	return text === '' ? h('span.faint', '–') : h('span', { title: text }, text);
}

export const encodeColumns = (ids) => ids.map((id) => id.replace(/[%,]/g, encodeURIComponent)).join(',');

export function decodeColumns(text) {
	return text
		.split(',')
		.filter(Boolean)
		.map((id) => {
			try {
				return decodeURIComponent(id);
			} catch {
				return id;
			}
		})
		.filter((id) => id !== NAME_COLUMN && column(id));
}

/* --- order: "-m.rmse" in the address is descending --- */

export function parseOrder(text) {
	const isDescending = text.startsWith('-');
	const id = isDescending ? text.slice(1) : text;
	const col = column(id);
	return col ? { id, isDescending, col } : null;
}

export const formatOrder = (id, isDescending) => (isDescending ? '-' : '') + id;

/** For the server; null where it cannot order by this column and the page must. */
export function serverOrder(order) {
	if (!order) return [];
	return order.col.order ? [`${order.col.order} ${order.isDescending ? 'DESC' : 'ASC'}`] : null;
}

const byCodePoint = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The server's order, for rows that arrive later: missing last, NaN before them, newest first on ties. */
export function comparator(order) {
	const tie = (a, b) => b.start - a.start || byCodePoint(a.id, b.id);
	if (!order) return tie;
	const sign = order.isDescending ? -1 : 1;
	const rank = (v) => (v === undefined || v === null ? 2 : Number.isNaN(v) ? 1 : 0);
	return (a, b) => {
		const x = order.col.value(a);
		const y = order.col.value(b);
		return rank(x) - rank(y) || (rank(x) === 0 ? sign * byCodePoint(x, y) : 0) || tie(a, b);
	};
}

/** The columns shown before anyone chooses: what differs between the runs first, metrics before parameters. */
export function automaticColumns(rows, severalExperiments) {
	const pick = (group, most) => {
		const seen = new Map();
		for (const run of rows)
			for (const key of Object.keys(run[group])) {
				const value = group === 'metrics' ? run.metrics[key].value : run[group][key];
				const known = seen.get(key);
				if (!known) seen.set(key, { count: 1, first: value, varies: false });
				else {
					known.count++;
					known.varies ||= known.first !== value;
				}
			}
		const isOwn = ([key]) => !key.startsWith('system/');
		return [...seen]
			.filter(isOwn)
			.sort(
				(a, b) =>
					Number(b[1].varies) - Number(a[1].varies) ||
					b[1].count - a[1].count ||
					byCodePoint(a[0], b[0]),
			)
			.slice(0, most)
			.map(([key]) => key)
			.sort(byCodePoint);
	};
	return [
		'status',
		'start',
		'duration',
		...(severalExperiments ? ['experiment'] : []),
		...pick('metrics', 6).map((k) => `m.${k}`),
		...pick('params', 5).map((k) => `p.${k}`),
	];
}
