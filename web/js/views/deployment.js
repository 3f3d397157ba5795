// One target and what ran there: #/deployment/ID
import { h, replace, setTitle } from '../dom.js';
import { formatDuration, formatMoment, timeAgo } from '../format.js';
import { follow, LATER } from '../live.js';
import { redraw } from '../redraw.js';
import { deployments } from '../registry.js';
import { go, href } from '../router.js';
import { attempt, copyButton, errorState, fact, loading, longText } from '../ui/controls.js';
import { confirmDialog, isAsking, menuButton } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { runningNode, statePill, versionLink } from './deployment_table.js';
import { panel } from './run_overview.js';

const REFRESH_MS = 5000;

export function deploymentView(main, route, signal) {
	const id = route.args[0] ?? '';
	let deployment = null;
	replace(main, h('div.page', loading()));

	async function load() {
		try {
			const [found, past] = await Promise.all([
				deployments.get(id, signal),
				deployments.history(id, signal),
			]);
			deployment = found;
			redraw(main, () => draw(past));
		} catch (e) {
			if (e.name === 'AbortError') return;
			if (!deployment || e.status === 404) replace(main, errorState(e, load));
			throw e;
		}
	}

	function draw(past) {
		const d = deployment;
		setTitle(d.target);
		replace(
			main,
			h(
				'div.page',
				h(
					'nav.crumbs',
					{ 'aria-label': 'Where you are' },
					h('a', { href: href(['deployments']) }, 'Deployments'),
					d.environment && [
						icon('right', 12),
						h('a', { href: href(['deployments'], { env: d.environment }) }, d.environment),
					],
				),
				h(
					'div.page-head',
					h('h1', d.target || d.deployment_id),
					statePill(d.state),
					h('div.spacer'),
					menuButton([{ text: 'Forget this target', icon: 'trash', danger: true, run: forget }], {
						label: 'Actions for this deployment',
					}),
				),
				h('dl.run-facts', facts(d)),
				panel('What happened here', past.length, historyTable(past)),
			),
		);
	}

	function facts(d) {
		return [
			fact(
				'Model',
				h('a', { href: href(['model', d.model], { tab: 'deployments' }) }, d.model),
				d.alias && h('span.muted', `@${d.alias}`),
			),
			fact('Runs', h('div', runningNode(d))),
			fact('Before', d.previous_version && versionLink(d.model, d.previous_version)),
			fact('Since', timeAgo(d.since_ms), h('span.faint', ` · ${formatMoment(d.since_ms)}`)),
			fact(
				'Last seen',
				timeAgo(d.last_seen_ms),
				h(
					'span.faint',
					d.heartbeat_ms ? ` · each ${formatDuration(d.heartbeat_ms)}` : ' · sends no heartbeats',
				),
			),
			fact('Reason', d.reason && longText(d.reason)),
			fact('By', d.actor),
			fact('Host', d.host),
			fact(
				'Path',
				d.path && h('code', { title: d.path }, d.path),
				d.path && copyButton(d.path, 'Copy the path'),
			),
		];
	}

	function historyTable(past) {
		return h(
			'div.table-wrap',
			h(
				'table.table.changes.cards',
				h(
					'thead',
					h(
						'tr',
						h('th', 'When'),
						h('th', 'State'),
						h('th', 'Version'),
						h('th', 'By'),
						h('th', 'Reason'),
					),
				),
				h(
					'tbody',
					past.map((p) =>
						h(
							'tr',
							h('td.nowrap.muted', timeAgo(p.time_ms), h('p.faint', formatMoment(p.time_ms))),
							h('td', statePill(p.state)),
							h('td.nowrap', versionLink(p.model, p.version)),
							h('td', p.actor || h('span.faint', '–')),
							h('td.grow', p.reason && longText(p.reason)),
						),
					),
				),
			),
		);
	}

	async function forget() {
		const d = deployment;
		const isAgreed = await confirmDialog({
			title: `Forget “${d.target}”?`,
			action: 'Forget',
			text: [
				'The record of this target and what ran there goes for good. The target itself is not touched: ' +
					'if it still reports, it appears again.',
			],
		});
		if (isAgreed && (await attempt(() => deployments.forget(id), `“${d.target}” forgotten`)))
			go(['deployments']);
	}

	load().catch(() => {});
	follow(
		{
			topics: ['deployment:*', 'model:*'],
			changed: (events) => (!concerns(events) ? null : isAsking() ? LATER : load()),
			everyMs: REFRESH_MS,
		},
		signal,
	);

	const concerns = (events) =>
		!events ||
		events.some((e) =>
			e.kind === 'deployment' ? e.data.deployment_id === id : e.data.model === deployment?.model,
		);

	return { update() {}, retry: () => load().catch(() => {}) };
}
