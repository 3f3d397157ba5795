// One run: #/run/ID?tab=overview|charts|artifacts&…
import { childAbort, h, replace, safeUrl, setTitle } from '../dom.js';
import { experiments, metrics as metricsApi, runs } from '../api.js';
import { durationOf, formatMoment, shortId, timeAgo } from '../format.js';
import { follow } from '../live.js';
import { go, href, setParams } from '../router.js';
import {
	attempt,
	button,
	copyButton,
	editable,
	errorState,
	fact,
	loading,
	statusPill,
	tabs,
} from '../ui/controls.js';
import { confirmDialog, menuButton } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { removeOrAsk } from '../ui/removal.js';
import { artifactsTab } from './run_artifacts.js';
import { chartsTab } from './run_charts.js';
import { overviewTab } from './run_overview.js';
import { registerDialog } from './register.js';

const RUNNING_MS = 2500;
const ENDED_MS = 30000; /* others may still tag, rename or delete it */
const TABS = { overview: overviewTab, charts: chartsTab, artifacts: artifactsTab };

export function runView(main, route, signal) {
	const id = route.args[0] ?? '';
	let params = route.params;
	let run = null;
	let summary = new Map();
	let tab = null;
	const head = h('div.run-head');
	const tabBar = h('div');
	const body = h('div.tab-body');
	replace(main, h('div.page', loading()));

	const tabName = () => (params.get('tab') in TABS ? params.get('tab') : 'overview');

	async function load() {
		try {
			run = await runs.get(id, signal);
			summary = await loadSummary();
		} catch (e) {
			if (e.name !== 'AbortError') replace(main, errorState(e, load));
			return;
		}
		replace(main, h('div.page', head, tabBar, body));
		setTitle(run.name);
		drawHead();
		showTab();
	}

	async function loadSummary() {
		return (await metricsApi.summary([id], signal)).get(id) ?? new Map();
	}

	/* --- live --- */
	async function refresh(events) {
		if (!run) return;
		const before = run;
		run = await runs.get(id, signal);
		const changed = Object.keys(run.metrics).filter((k) => {
			const a = before.metrics[k];
			const b = run.metrics[k];
			return !a || a.step !== b.step || a.timestamp !== b.timestamp || !Object.is(a.value, b.value);
		});
		if (changed.length) summary = await loadSummary();
		if (isHeadOther(before) && !head.querySelector('.editable-form')) drawHead();
		drawTabs();
		tab?.refresh?.(run, summary, changed, events);
	}

	const isHeadOther = (before) =>
		['status', 'name', 'start', 'end', 'isDeleted'].some((k) => run[k] !== before[k]);

	/* --- head --- */
	async function drawHead() {
		const experiment = h(
			'a',
			{ href: href(['runs'], { exp: run.experimentId }) },
			`Experiment ${run.experimentId}`,
		);
		experiments.get(run.experimentId, signal).then(
			(e) => {
				experiment.textContent = e.name;
			},
			() => {},
		);
		replace(
			head,
			h(
				'nav.crumbs',
				{ 'aria-label': 'Where you are' },
				h('a', { href: href(['experiments']) }, 'Experiments'),
				icon('right', 12),
				experiment,
			),
			h(
				'div.page-head',
				editable(run.name, {
					label: 'Rename the run',
					tag: 'h1',
					save: async (name) => {
						if (!name) throw new Error('A run needs a name');
						await runs.rename(id, name);
						run.name = name;
						setTitle(name);
					},
				}),
				statusPill(run.status),
				run.isDeleted && h('span.pill.status-killed', 'Deleted'),
				h('div.spacer'),
				button('Register model', {
					icon: 'model',
					kind: 'primary',
					disabled: run.isDeleted,
					onclick: () => registerDialog(run),
				}),
				menuButton(menuItems, { label: 'Actions for this run' }),
			),
			h('dl.run-facts', facts()),
		);
	}

	function menuItems() {
		return [
			run.isDeleted
				? { text: 'Restore', icon: 'restore', run: restore }
				: { text: 'Delete', icon: 'trash', danger: true, run: remove },
			{ text: 'Load again', icon: 'refresh', run: load },
		];
	}

	async function remove() {
		if (
			await confirmDialog({
				title: `Delete “${run.name}”?`,
				text: 'It moves to the deleted runs of its experiment, from where it can be restored.',
			})
		)
			if (await removeOrAsk((force) => runs.remove(id, force), 'Run deleted')) load();
	}

	async function restore() {
		if (await attempt(() => runs.restore(id), 'Run restored')) load();
	}

	function facts() {
		const t = run.tags;
		const repository = safeUrl(t['mlflow.source.git.repoURL'] ?? '');
		const commit = t['mlflow.source.git.commit'];
		const parent = t['mlflow.parentRunId'];
		return [
			fact(
				'Started',
				run.start && h('span', timeAgo(run.start), h('span.faint', ` · ${formatMoment(run.start)}`)),
			),
			fact('Duration', durationOf(run.start, run.end, run.status === 'RUNNING')),
			fact('User', run.user || t['mlflow.user']),
			fact(
				'Source',
				t['mlflow.source.name'] &&
					h('code', { title: t['mlflow.source.name'] }, t['mlflow.source.name']),
			),
			fact(
				'Commit',
				commit && h('code', { title: commit }, shortId(commit)),
				t['mlflow.source.git.branch'] && h('span.faint', ` on ${t['mlflow.source.git.branch']}`),
				repository &&
					h('a', { href: repository, rel: 'noreferrer noopener', target: '_blank' }, ' repository'),
			),
			fact('Parent', parent && h('a', { href: href(['run', parent]) }, shortId(parent))),
			fact('Run id', h('code', { title: id }, shortId(id)), copyButton(id, 'Copy the run id')),
		];
	}

	/* --- tabs --- */
	function drawTabs() {
		const charts = [...summary.values()].filter((m) => m.point_count > 1).length;
		replace(
			tabBar,
			tabs(
				'Parts of the run',
				[
					{ id: 'overview', text: 'Overview' },
					{ id: 'charts', text: 'Charts', count: charts || undefined },
					{ id: 'artifacts', text: 'Artifacts' },
				],
				tabName(),
				(t) => href(['run', id], { tab: t === 'overview' ? '' : t }),
			),
		);
	}

	function showTab() {
		drawTabs();
		tab?.abort.abort();
		const abort = childAbort(signal);
		replace(body);
		tab = {
			name: tabName(),
			abort,
			...TABS[tabName()](body, { run, summary, params, signal: abort.signal, reload: load }),
		};
	}

	load();
	follow(
		{
			topics: [`run:${id}`],
			changed: refresh,
			everyMs: () => (run?.status === 'RUNNING' ? RUNNING_MS : ENDED_MS),
		},
		signal,
	);
	return {
		update(next) {
			params = next.params;
			if (!run) return;
			if (tab?.name !== tabName()) showTab();
			else tab.update?.(params);
		},
		key(e) {
			const names = Object.keys(TABS);
			if (/^[1-3]$/.test(e.key)) go(['run', id], { tab: e.key === '1' ? '' : names[e.key - 1] });
			else if (e.key === 'Escape' && params.get('big')) setParams({ big: '' }, { replace: true });
		},
		retry: () => {
			if (!run) load();
		},
	};
}
