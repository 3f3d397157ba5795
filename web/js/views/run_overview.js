// The first tab of a run: metrics with sparklines, parameters, tags, notes, datasets, registered models.
import { h, replace } from '../dom.js';
import { loggedModels, quoteText, runs, versions } from '../api.js';
import { CurveLoader } from '../curves.js';
import { formatCount, formatNumber, fullNumber, numberNode, shortId } from '../format.js';
import { href } from '../router.js';
import { sparkline } from '../sparkline.js';
import { attempt, button, copyButton, editable, searchBox } from '../ui/controls.js';
import { formDialog } from '../ui/dialog.js';
import { snippets } from './snippets.js';

const SEARCH_FROM = 8; /* rows that are worth a search box */
const SPARK_BUCKETS = 60;
const ROWS_MAX = 500; /* of a panel: with thousands of names one searches */
const NOTE = 'mlflow.note.content';
const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });

export function panel(title, count, ...content) {
	return h(
		'section.panel',
		h('header', h('h2', title, count ? h('span.count', formatCount(count)) : null)),
		content,
	);
}

/** A panel with a search box over rows: rows(query) → nodes. */
function searchedPanel(title, names, draw, actions) {
	const body = h('div.panel-body');
	let query = '';
	const render = () => {
		const found = names().filter((k) => k.toLowerCase().includes(query.toLowerCase()));
		replace(
			body,
			draw(found.slice(0, ROWS_MAX)),
			found.length > ROWS_MAX &&
				h('p.faint.pad', `and ${formatCount(found.length - ROWS_MAX)} more: search for them`),
		);
	};
	const count = h('span.count');
	const box = searchBox(`Search ${title.toLowerCase()}`, '', (q) => {
		query = q;
		render();
	});
	const element = h(
		'section.panel',
		h('header', h('h2', title, count), h('div.spacer'), box, actions),
		body,
	);
	const refresh = () => {
		const n = names().length;
		count.textContent = n ? formatCount(n) : '';
		box.hidden = n < SEARCH_FROM;
		element.hidden = n === 0 && !actions;
		render();
	};
	refresh();
	return { element, refresh };
}

function runsWithDataset(run, dataset) {
	return href(['runs'], {
		exp: run.experimentId,
		filter: `datasets.name = ${quoteText(dataset.name)} AND datasets.digest = ${quoteText(dataset.digest)}`,
	});
}

/** A logged model by its id at first, by its name once it is known. */
function loggedModelItem(id, role, step, signal) {
	const link = h('a.strong', { href: href(['logged-model', id]), title: id }, shortId(id));
	const detail = h('span.muted');
	loggedModels.get(id, signal).then(
		(m) => {
			link.textContent = m.name;
			detail.textContent = [m.type, m.status].filter(Boolean).join(' · ');
		},
		(e) => {
			if (e.name !== 'AbortError') detail.textContent = e.status === 404 ? 'deleted' : e.message;
		},
	);
	return h('li', link, ' ', h('span.tag', step ? `${role} at step ${step}` : role), h('div', detail));
}

export function overviewTab(body, { run, summary, signal }) {
	const loader = new CurveLoader(signal);
	const sparks = new Map();
	const left = h('div.column');
	const right = h('div.column.side');
	replace(body, h('div.columns', left, right));

	/* --- metrics --- */
	async function loadSparks(keys) {
		const wanted = keys.filter((k) => (summary.get(k)?.point_count ?? 0) > 1).slice(0, ROWS_MAX);
		await Promise.all(
			wanted.map(async (k) => {
				const found = await loader.load(k, [run.id], { x: 'step' }, SPARK_BUCKETS).catch(() => null);
				const curve = found?.get(run.id);
				if (curve) sparks.set(k, curve);
			}),
		);
		if (!signal.aborted) metrics.refresh();
	}

	function metricRow(k) {
		const s = summary.get(k);
		const curve = sparks.get(k);
		return h(
			'tr',
			{ dataset: { metric: k } },
			h('td.key', h('a', { href: href(['run', run.id], { tab: 'charts', metric: k }), title: k }, k)),
			h('td.spark', curve ? sparkline(curve) : null),
			h('td.right.strong', numberNode(run.metrics[k].value)),
			h(
				'td.right.muted',
				{ title: s && `at step ${fullNumber(s.min_step)}` },
				s && s.point_count > 1 ? numberNode(s.min) : '',
			),
			h(
				'td.right.muted',
				{ title: s && `at step ${fullNumber(s.max_step)}` },
				s && s.point_count > 1 ? numberNode(s.max) : '',
			),
			h('td.right.muted.wide-only', formatNumber(run.metrics[k].step)),
		);
	}

	const metrics = searchedPanel(
		'Metrics',
		() => Object.keys(run.metrics).sort(byName),
		(keys) =>
			h(
				'div.table-wrap',
				h(
					'table.table.dense',
					h(
						'thead',
						h(
							'tr',
							h('th', 'Name'),
							h('th', ''),
							h('th.right', 'Last'),
							h('th.right', 'Min'),
							h('th.right', 'Max'),
							h('th.right.wide-only', 'Step'),
						),
					),
					h('tbody', keys.map(metricRow)),
				),
			),
	);

	/* --- parameters --- */
	const params = searchedPanel(
		'Parameters',
		() => Object.keys(run.params).sort(byName),
		(keys) =>
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
									h('span.clip', { title: run.params[k] }, run.params[k]),
									run.params[k].length > 60 && copyButton(run.params[k], `Copy ${k}`),
								),
							),
						),
					),
				),
			),
	);

	if (!Object.keys(run.metrics).length && !Object.keys(run.params).length)
		left.append(
			panel(
				'Nothing logged yet',
				0,
				h(
					'div.pad',
					h('p.faint', 'Parameters and metrics appear here while the program logs them.'),
					snippets('my-experiment'),
				),
			),
		);
	left.append(metrics.element, params.element);

	/* --- tags and notes --- */
	const userTags = () =>
		Object.keys(run.tags)
			.filter((k) => k !== NOTE && k !== 'mlflow.runName')
			.sort(
				(a, b) => Number(a.startsWith('mlflow.')) - Number(b.startsWith('mlflow.')) || byName(a, b),
			);
	const tags = searchedPanel(
		'Tags',
		userTags,
		(keys) => h('table.table.dense', h('tbody', keys.map(tagRow))),
		button('Add', { icon: 'plus', kind: 'small', onclick: addTag }),
	);

	function tagRow(k) {
		const isSystem = k.startsWith('mlflow.');
		return h(
			'tr',
			h('td.key', { class: isSystem ? 'muted' : '', title: k }, k),
			h(
				'td.value',
				isSystem
					? h('span.clip', { title: run.tags[k] }, run.tags[k])
					: editable(run.tags[k], {
							label: `Edit ${k}`,
							save: async (v) => {
								await runs.setTag(run.id, k, v);
								run.tags[k] = v;
							},
						}),
			),
			h(
				'td.narrow',
				!isSystem &&
					button('', {
						icon: 'trash',
						kind: 'quiet small',
						label: `Delete the tag ${k}`,
						onclick: async () => {
							if (await attempt(() => runs.deleteTag(run.id, k), `Tag ${k} deleted`)) {
								delete run.tags[k];
								tags.refresh();
							}
						},
					}),
			),
		);
	}

	function addTag() {
		return formDialog({
			title: 'Add a tag',
			action: 'Add',
			fields: [
				{ name: 'key', label: 'Key', required: true },
				{ name: 'value', label: 'Value' },
			],
			submit: async ({ key, value }) => {
				await runs.setTag(run.id, key, value);
				run.tags[key] = value;
				tags.refresh();
			},
		});
	}

	const note = panel(
		'Notes',
		0,
		h(
			'div.pad.note',
			editable(run.tags[NOTE] ?? '', {
				label: 'Edit the notes',
				multiline: true,
				empty: 'No notes.',
				save: (text) => runs.setTag(run.id, NOTE, text),
			}),
		),
	);

	/* --- datasets --- */
	const datasets = run.datasets.length
		? panel(
				'Datasets',
				run.datasets.length,
				h(
					'ul.items',
					run.datasets.map((d) =>
						h(
							'li',
							h(
								'a.strong',
								{ href: runsWithDataset(run, d), title: 'Runs with this dataset' },
								d.name,
							),
							' ',
							d.tags['mlflow.data.context'] && h('span.tag', d.tags['mlflow.data.context']),
							h('div.muted', h('code', { title: 'digest' }, d.digest), ` · ${d.source_type}`),
							h('div.muted.clip', { title: d.source }, d.source),
						),
					),
				),
			)
		: null;

	/* --- models --- */
	const loggedBox = h('div');
	if (run.modelInputs.length || run.modelOutputs.length)
		replace(
			loggedBox,
			panel(
				'Logged models',
				run.modelInputs.length + run.modelOutputs.length,
				h(
					'ul.items',
					run.modelOutputs.map((m) => loggedModelItem(m.id, 'logged', m.step, signal)),
					run.modelInputs.map((id) => loggedModelItem(id, 'used', null, signal)),
				),
			),
		);
	const modelsBox = h('div');
	versions.search(`run_id = '${run.id}'`, signal).then(
		(found) => {
			if (found.length)
				replace(
					modelsBox,
					panel(
						'Registered models',
						found.length,
						h(
							'ul.items',
							found.map((v) =>
								h(
									'li',
									h(
										'a.strong',
										{ href: href(['model', v.name], { version: v.version }) },
										`${v.name} v${v.version}`,
									),
									' ',
									v.aliases.map((a) => h('span.tag.alias', `@${a}`)),
									v.stage && h('span.tag', v.stage),
								),
							),
						),
					),
				);
		},
		() => {
			/* the panel stays away */
		},
	);

	right.append(note, loggedBox, modelsBox, tags.element);
	if (datasets) right.append(datasets);

	loadSparks(Object.keys(run.metrics));
	return {
		refresh(nextRun, nextSummary, changed) {
			const before = run;
			run = nextRun;
			summary = nextSummary;
			if (changed.length) {
				metrics.refresh();
				loadSparks(changed);
			}
			/* What did not change keeps its focus, its selection and what is being typed. */
			if (Object.keys(before.params).length !== Object.keys(run.params).length) params.refresh();
			if (
				JSON.stringify(before.tags) !== JSON.stringify(run.tags) &&
				!right.querySelector('.editable-form')
			)
				tags.refresh();
		},
	};
}
