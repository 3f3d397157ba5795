// One logged model: #/logged-model/ID?tab=overview|artifacts&path=…
import { childAbort, h, replace, setTitle } from '../dom.js';
import { artifacts, experiments, loggedModels, proxyPath, runs } from '../api.js';
import { formatMoment, formatNumber, numberNode, shortId, timeAgo } from '../format.js';
import { go, href, setParams } from '../router.js';
import { attempt, copyButton, errorState, fact, loading, tabs } from '../ui/controls.js';
import { confirmDialog, menuButton } from '../ui/dialog.js';
import { removeOrAsk } from '../ui/removal.js';
import { icon } from '../ui/icons.js';
import { tagList } from './tag_list.js';
import { artifactBrowser } from './run_artifacts.js';
import { panel } from './run_overview.js';

const VERSIONS_TAG = 'mlflow.modelVersions';

/** [{name, version}] of the tag in which both the server and MLflow's clients note registrations. */
function registrations(model) {
	let list;
	try {
		list = JSON.parse(model.tags[VERSIONS_TAG] ?? '[]');
	} catch {
		return [];
	}
	const named = Array.isArray(list) ? list.filter((v) => v?.name && v?.version) : [];
	return [...new Map(named.map((v) => [`${v.name}/${v.version}`, v])).values()];
}

export function loggedModelView(main, route, signal) {
	const id = route.args[0] ?? '';
	let params = route.params;
	let model = null;
	let tab = null;
	const head = h('div.run-head');
	const tabBar = h('div');
	const body = h('div.tab-body');
	const isFiles = () => params.get('tab') === 'artifacts';
	setTitle(id);
	replace(main, h('div.page', loading()));

	async function load() {
		try {
			model = await loggedModels.get(id, signal);
		} catch (e) {
			if (e.name !== 'AbortError') replace(main, errorState(e, load));
			return;
		}
		setTitle(model.name);
		replace(main, h('div.page', head, tabBar, body));
		drawHead();
		showTab();
	}

	function drawHead() {
		const experiment = h(
			'a',
			{ href: href(['logged-models'], { exp: model.experimentId }) },
			`Experiment ${model.experimentId}`,
		);
		const run = model.runId && h('a', { href: href(['run', model.runId]) }, shortId(model.runId));
		experiments.get(model.experimentId, signal).then(
			(e) => {
				experiment.textContent = e.name;
			},
			() => {},
		);
		if (run)
			runs.get(model.runId, signal).then(
				(r) => {
					run.textContent = r.name;
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
				icon('right', 12),
				'Logged models',
			),
			h(
				'div.page-head',
				h('h1', model.name),
				h('span.tag', model.status),
				h('div.spacer'),
				menuButton([{ text: 'Delete', icon: 'trash', danger: true, run: remove }], {
					label: 'Actions for this logged model',
				}),
			),
			h('dl.run-facts', [
				fact(
					'Made',
					h('span', timeAgo(model.created), h('span.faint', ` · ${formatMoment(model.created)}`)),
				),
				fact('Type', model.type),
				fact('Run', run),
				fact('Model id', h('code', { title: id }, shortId(id)), copyButton(id, 'Copy the model id')),
				fact('Load it', h('code', `models:/${id}`), copyButton(`models:/${id}`, 'Copy the address')),
			]),
		);
	}

	async function remove() {
		if (
			await confirmDialog({
				title: `Delete “${model.name}”?`,
				text: 'It is no longer listed. The run that logged it stays.',
			})
		)
			if (await removeOrAsk((force) => loggedModels.remove(id, force), 'Logged model deleted'))
				go(['logged-models'], { exp: model.experimentId });
	}

	function showTab() {
		replace(
			tabBar,
			tabs(
				'Parts of the logged model',
				[
					{ id: 'overview', text: 'Overview' },
					{ id: 'artifacts', text: 'Artifacts' },
				],
				isFiles() ? 'artifacts' : 'overview',
				(t) => href(['logged-model', id], { tab: t === 'overview' ? '' : t }),
			),
		);
		tab?.abort.abort();
		tab = { isFiles: isFiles(), abort: childAbort(signal), browser: null };
		replace(body);
		if (isFiles()) showFiles();
		else showOverview();
	}

	function showFiles() {
		const root = proxyPath(model.artifactUri);
		const below = (f) => ({ ...f, path: f.path.slice(root.length + 1) });
		tab.browser = artifactBrowser(body, {
			list: async (path) =>
				root === null
					? []
					: (
							await artifacts.listPath([root, path].filter(Boolean).join('/'), tab.abort.signal)
						).map(below),
			root,
			path: params.get('path') ?? '',
			signal: tab.abort.signal,
			choose: (path) => setParams({ path }),
		});
	}

	function showOverview() {
		const { [VERSIONS_TAG]: ignored, ...tags } = model.tags;
		const versions = registrations(model);
		replace(
			body,
			h(
				'div.columns',
				h('div.column', metricsPanel(), paramsPanel()),
				h(
					'div.column.side',
					versions.length
						? panel(
								'Registered as',
								versions.length,
								h(
									'ul.items',
									versions.map((v) =>
										h(
											'li',
											h(
												'a.strong',
												{
													href: href(['model', v.name], {
														version: String(v.version),
													}),
												},
												`${v.name} v${v.version}`,
											),
										),
									),
								),
							)
						: null,
					panel(
						'Tags',
						0,
						h(
							'div.pad',
							tagList(tags, {
								set: (k, v) => loggedModels.setTag(id, k, v),
								remove: (k) => loggedModels.deleteTag(id, k),
								changed: load,
							}),
						),
					),
				),
			),
		);
	}

	function metricsPanel() {
		const list = [...model.metrics].sort((a, b) => a.key.localeCompare(b.key, 'en', { numeric: true }));
		if (!list.length)
			return panel(
				'Metrics',
				0,
				h('p.pad.faint', 'None yet. log_metric(…, model_id=…) and evaluations add them.'),
			);
		return panel(
			'Metrics',
			list.length,
			h(
				'div.table-wrap',
				h(
					'table.table.dense',
					h(
						'thead',
						h(
							'tr',
							h('th', 'Name'),
							h('th.right', 'Value'),
							h('th.right', 'Step'),
							h('th', 'Dataset'),
							h('th', 'Run'),
						),
					),
					h('tbody', list.map(metricRow)),
				),
			),
		);
	}

	function metricRow(m) {
		return h(
			'tr',
			{ dataset: { metric: m.key } },
			h('td.key', { title: m.key }, m.key),
			h('td.right.strong', numberNode(m.value)),
			h('td.right.muted', formatNumber(m.step)),
			h('td', m.dataset_name ?? '', m.dataset_digest && h('code.faint', ` ${m.dataset_digest}`)),
			h(
				'td',
				m.run_id && h('a', { href: href(['run', m.run_id]), title: m.run_id }, shortId(m.run_id)),
			),
		);
	}

	function paramsPanel() {
		const keys = Object.keys(model.params).sort();
		return keys.length
			? panel(
					'Parameters',
					keys.length,
					h(
						'div.table-wrap',
						h(
							'table.table.dense',
							h(
								'tbody',
								keys.map((k) =>
									h(
										'tr',
										h('td.key', { title: k }, k),
										h(
											'td.value',
											h('span.clip', { title: model.params[k] }, model.params[k]),
										),
									),
								),
							),
						),
					),
				)
			: null;
	}

	load();
	return {
		update(next) {
			params = next.params;
			if (!model) return;
			if (tab.isFiles !== isFiles()) showTab();
			else tab.browser?.select(params.get('path') ?? '');
		},
		retry: () => {
			if (!model) load();
		},
	};
}
