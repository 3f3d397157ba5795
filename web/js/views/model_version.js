// One version of a model: aliases, stage, where it came from, its metrics, how to get it.
import { h, replace } from '../dom.js';
import { artifacts, experiments, models, proxyPath, server, versions } from '../api.js';
import { formatBytes, formatDate, numberNode, shortId, timeAgo } from '../format.js';
import { go, href } from '../router.js';
import { attempt, button, copyButton, editable } from '../ui/controls.js';
import { confirmDialog, formDialog, menuButton } from '../ui/dialog.js';
import { panel } from './run_overview.js';
import { tagList } from './model.js';

const STAGES = ['None', 'Staging', 'Production', 'Archived'];

export function versionPanel(box, under, { name, version: v, run, signal, reload }) {
	const files = h('div.pad', h('span.faint', '…'));
	replace(
		box,
		panel(
			`Version ${v.version}`,
			0,
			h(
				'div.pad.version-head',
				aliases(),
				stageChoice(),
				h(
					'div.description',
					editable(v.description ?? '', {
						label: 'Edit the description of the version',
						multiline: true,
						tag: 'p',
						empty: 'No description.',
						save: async (text) => {
							await versions.describe(name, v.version, text);
							v.description = text;
						},
					}),
				),
				tagList(v.tags, {
					set: (k, x) => versions.setTag(name, v.version, k, x),
					remove: (k) => versions.deleteTag(name, v.version, k),
					changed: reload,
				}),
				h(
					'p.faint',
					`Made ${formatDate(v.creation_timestamp)}`,
					v.status && v.status !== 'READY' && ` · ${v.status} ${v.status_message ?? ''}`,
				),
				button('Delete this version', { icon: 'trash', kind: 'small danger-quiet', onclick: remove }),
			),
		),
		panel('Get it', 0, files),
	);
	replace(under, panel('Lineage', 0, lineage()), metricsPanel());
	showFiles();

	function aliases() {
		return h(
			'div.tag-list',
			v.aliases.map((a) =>
				h(
					'span.tag.alias',
					`@${a}`,
					button('', {
						icon: 'close',
						kind: 'quiet tiny',
						label: `Remove the alias ${a}`,
						onclick: async () => {
							if (
								await confirmDialog({
									title: `Remove @${a}?`,
									text: `Programs that ask for ${name}@${a} will find nothing.`,
									action: 'Remove',
								})
							)
								if (await attempt(() => models.deleteAlias(name, a), `@${a} removed`))
									reload();
						},
					}),
				),
			),
			button(v.aliases.length ? 'Alias' : 'Add an alias', {
				icon: 'plus',
				kind: 'quiet small',
				onclick: () =>
					formDialog({
						title: `Alias for version ${v.version}`,
						action: 'Set',
						fields: [
							{
								name: 'alias',
								label: 'Alias',
								required: true,
								hint: 'An alias that another version has moves here.',
							},
						],
						submit: async ({ alias }) => {
							await models.setAlias(name, alias.replace(/^@/, ''), v.version);
							reload();
						},
					}),
			}),
		);
	}

	function stageChoice() {
		return h(
			'label.setting',
			h('span.setting-name', 'Stage'),
			h(
				'select',
				{
					onchange: async (e) => {
						const stage = e.target.value;
						const isActive = stage === 'Production' || stage === 'Staging';
						const archive =
							isActive &&
							(await confirmDialog({
								title: `${stage}: version ${v.version}`,
								action: 'Archive the others',
								danger: false,
								text: `Move other versions in ${stage} to Archived? Cancel leaves them where they are.`,
							}));
						if (archive === null) {
							e.target.value = v.current_stage;
							return;
						}
						await attempt(
							() => versions.setStage(name, v.version, stage, archive),
							`Version ${v.version}: ${stage}`,
						);
						reload();
					},
				},
				STAGES.map((s) => h('option', { value: s, selected: s === (v.current_stage || 'None') }, s)),
			),
		);
	}

	async function remove() {
		if (
			await confirmDialog({
				title: `Delete version ${v.version}?`,
				text: 'Its number is not used again. The run and its artifacts stay.',
				action: 'Delete for good',
			})
		)
			if (await attempt(() => versions.remove(name, v.version), `Version ${v.version} deleted`)) {
				go(['model', name]);
				reload();
			}
	}

	function lineage() {
		const experiment = h('span.faint', '…');
		const steps = [];
		if (run) {
			experiments.get(run.experimentId, signal).then(
				(e) =>
					replace(experiment, h('a', { href: href(['runs'], { exp: e.experiment_id }) }, e.name)),
				() => {},
			);
			const commit = run.tags['mlflow.source.git.commit'];
			steps.push(
				step('Experiment', experiment),
				step(
					'Run',
					h('a', { href: href(['run', run.id]) }, run.name),
					h('span.faint', ' ', timeAgo(run.start), run.isDeleted && ' · deleted'),
				),
				commit && step('Commit', h('code', { title: commit }, shortId(commit))),
				run.datasets.length
					? step(
							'Data',
							run.datasets.map((d) => h('div', d.name, ' ', h('code.faint', d.digest))),
						)
					: null,
			);
		} else if (v.run_id) {
			steps.push(step('Run', h('span.faint', `${shortId(v.run_id)} is gone`)));
		}
		const path =
			run && proxyPath(v.source)?.startsWith(`${proxyPath(run.artifactUri)}/`)
				? proxyPath(v.source).slice(proxyPath(run.artifactUri).length + 1)
				: null;
		steps.push(
			step(
				'Artifact',
				path
					? h('a', { href: href(['run', run.id], { tab: 'artifacts', path }) }, path)
					: h('code.wrap', v.source),
			),
			step('Version', h('strong', `${name} v${v.version}`)),
		);
		return h('ol.lineage', steps);
	}

	function step(title, ...content) {
		return h('li', h('span.lineage-name', title), h('div', content));
	}

	function metricsPanel() {
		const keys = Object.keys(run?.metrics ?? {}).sort();
		return keys.length
			? panel(
					'Metrics of the run',
					keys.length,
					h(
						'div.table-wrap.low',
						h(
							'table.table.dense',
							h(
								'tbody',
								keys.map((k) =>
									h(
										'tr',
										h(
											'td.key',
											{ title: k },
											h(
												'a',
												{ href: href(['run', run.id], { tab: 'charts', metric: k }) },
												k,
											),
										),
										h('td.right.strong', numberNode(run.metrics[k].value)),
									),
								),
							),
						),
					),
				)
			: null;
	}

	async function showFiles() {
		const ref = v.aliases.length ? `${name}@${v.aliases[0]}` : `${name}/${v.version}`;
		const safe = /^[\w.@/-]+$/.test(ref) ? ref : `'${ref.replaceAll("'", "'\\''")}'`;
		const command = `trk --url ${server.replace(/\/$/, '')} models get ${safe} --to DIR`;
		const shell = h('div.snippet', h('pre', h('code', command)), copyButton(command, 'Copy the command'));
		let uri;
		let manifest = null;
		try {
			uri = await versions.downloadUri(name, v.version, signal);
			const path = proxyPath(uri);
			manifest = path === null ? null : await artifacts.manifest(path, signal);
		} catch (e) {
			if (e.name === 'AbortError') return;
		}
		const path = proxyPath(uri);
		replace(
			files,
			manifest
				? [
						h(
							'div.row',
							menuButton(
								['tar.gz', 'zip', 'tar'].map((f) => ({
									text: `as ${f}`,
									icon: 'download',
									href: artifacts.archiveUrl(path, f),
									download: `${name}-v${v.version}.${f}`,
								})),
								{
									label: 'Download the model',
									text: 'Download',
									icon: 'download',
									kind: 'small',
								},
							),
							h(
								'span.muted',
								`${manifest.file_count} files, ${formatBytes(manifest.byte_count)}`,
							),
						),
						h('p.muted', 'Digest of the tree ', h('code.wrap', manifest.tree_sha256)),
					]
				: h(
						'p.muted',
						path
							? 'There are no files at the source of this version.'
							: 'The files are in a store of their own: ',
						!path && h('code.wrap', uri ?? v.source),
					),
			h('p.muted', 'Verified, into a directory:'),
			shell,
		);
	}
}
