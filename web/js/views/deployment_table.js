// Deployments as rows: what runs at a target, and what its alias says.
import { arrange, h } from '../dom.js';
import { timeAgo } from '../format.js';
import { href } from '../router.js';
import { pill } from '../ui/controls.js';
import { icon } from '../ui/icons.js';

/* state on the wire → what is read, and the looks of the pill */
export const STATES = {
	deploying: { text: 'Deploying', looks: 'status-running' },
	active: { text: 'Active', looks: 'status-finished' },
	rolled_back: { text: 'Rolled back', looks: 'status-killed' },
	failed: { text: 'Failed', looks: 'status-failed' },
	stale: { text: 'Stale', looks: 'status-stale' },
	forgotten: { text: 'Forgotten', looks: 'status-stale' } /* in a history only */,
};

export const statePill = (state) => pill(STATES[state]?.text ?? state, STATES[state]?.looks);

export function versionLink(model, version) {
	return version
		? h('a', { href: href(['model', model], { version }) }, `v${version}`)
		: h('span.faint', 'nothing');
}

/** What runs there; and what the alias says, where that is something else. */
export function runningNode(d) {
	return [
		d.in_registry || !d.version
			? versionLink(d.model, d.version)
			: h('span', `v${d.version}`, h('span.faint', ', deleted')),
		d.differs &&
			h(
				'div.differs-note',
				icon('warning', 12),
				h(
					'span',
					h('span', `@${d.alias}`),
					' ',
					d.alias_version ? ['says ', versionLink(d.model, d.alias_version)] : 'is gone',
				),
			),
	];
}

function row(d, { withModel }) {
	return h(
		'tr',
		{ class: d.differs ? 'differs-row' : '', dataset: { deployment: d.deployment_id, state: d.state } },
		h(
			'td.target',
			h(
				'a.strong.two-lines',
				{ href: href(['deployment', d.deployment_id]), title: d.target },
				d.target || d.deployment_id,
			),
			h(
				'p.note-line',
				{ title: `${d.host} ${d.path}` },
				h('span', d.host),
				d.host && d.path && ' · ',
				h('span', d.path),
			),
		),
		withModel &&
			h(
				'td',
				h(
					'span.two-lines',
					{ title: `${d.model}@${d.alias}` },
					h('a', { href: href(['model', d.model], { tab: 'deployments' }) }, d.model),
					d.alias && h('span.muted', `@${d.alias}`),
				),
			),
		h('td', runningNode(d)),
		h('td', statePill(d.state), d.reason && h('p.note-line', { title: d.reason }, d.reason)),
		h('td.since.nowrap.muted', timeAgo(d.since_ms)),
		h('td.seen.nowrap.muted', timeAgo(d.last_seen_ms)),
	);
}

/** One table for each environment. withModel: with the model's column. → a function of the deployments that gives the
 * tables; what did not change since its last call is the same element. */
export function deploymentTables({ withModel = true } = {}) {
	let rows = new Map(); /* id → {text, node} */
	let tables = new Map(); /* environment → {node, count, body} */

	function rowOf(d) {
		const text = JSON.stringify(d);
		const known = rows.get(d.deployment_id);
		return known?.text === text ? known : { text, node: row(d, { withModel }) };
	}

	return (list) => {
		const [sorted, known] = [[...list].sort(byPlace), tables];
		rows = new Map(sorted.map((d) => [d.deployment_id, rowOf(d)]));
		tables = new Map();
		for (const [environment, members] of Map.groupBy(sorted, (d) => d.environment)) {
			const table = known.get(environment) ?? emptyTable(environment, withModel);
			tables.set(environment, table);
			table.count.textContent = String(members.length);
			arrange(
				table.body,
				members.map((d) => rows.get(d.deployment_id).node),
			);
		}
		return [...tables.values()].map((t) => t.node);
	};
}

function emptyTable(environment, withModel) {
	const [count, body] = [h('span.count'), h('tbody')];
	const node = h(
		'section.environment',
		{ dataset: { environment } },
		h('h2', environment || 'No environment', count),
		h(
			'div.table-wrap',
			h(
				'table.table.deployments.cards',
				h(
					'thead',
					h(
						'tr',
						h('th', 'Target'),
						withModel && h('th', 'Model'),
						h('th', 'Runs'),
						h('th.state', 'State'),
						h('th.time', 'Since'),
						h('th.time', 'Last seen'),
					),
				),
				body,
			),
		),
	);
	return { node, count, body };
}

/* Those without an environment last. */
function byPlace(a, b) {
	if (!a.environment !== !b.environment) return a.environment ? -1 : 1;
	for (const key of ['environment', 'model', 'target', 'deployment_id'])
		if (a[key] !== b[key]) return a[key] < b[key] ? -1 : 1;
	return 0;
}
