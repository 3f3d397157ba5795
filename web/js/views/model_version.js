// One version of a model: aliases, stage, where it came from, its metrics, how to get it.
import { h, replace } from '../dom.js';
import { artifacts, proxyPath, server, versions } from '../api.js';
import { formatBytes, formatDate, numberNode, plural } from '../format.js';
import { go, href } from '../router.js';
import { attempt, button, copyButton, editable } from '../ui/controls.js';
import { confirmDialog, menuButton } from '../ui/dialog.js';
import { removeOrAsk } from '../ui/removal.js';
import { aliasTag, moveAliasDialog, removeAlias } from './model_aliases.js';
import { lineagePanel } from './model_lineage.js';
import { isProtected } from './model_moves.js';
import { promoteDialog } from './model_promote.js';
import { panel } from './run_overview.js';
import { tagList } from './tag_list.js';

const STAGES = ['None', 'Staging', 'Production', 'Archived'];

/** ctx: what model.js loads of a model. */
export function versionPanel(box, under, { ctx, version: v, signal }) {
	const { name, reload } = ctx;
	const run = ctx.sources.get(v.run_id);
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
	replace(under, lineagePanel({ name, version: v, deployed: ctx.deployed, signal }), metricsPanel());
	showFiles();

	function aliases() {
		const promotable = ctx.rules.protected_aliases.filter((a) => !v.aliases.includes(a));
		return h(
			'div.tag-list',
			v.aliases.map((a) =>
				isProtected(ctx, a)
					? aliasTag(ctx, a)
					: h(
							'span.tag.alias',
							`@${a}`,
							button('', {
								icon: 'close',
								kind: 'quiet tiny',
								label: `Remove the alias ${a}`,
								onclick: () => removeAlias(ctx, a),
							}),
						),
			),
			button(v.aliases.length ? 'Alias' : 'Add an alias', {
				icon: 'plus',
				kind: 'quiet small',
				onclick: () => moveAliasDialog(ctx, v.version),
			}),
			promotable.map((alias) =>
				button(`Promote to @${alias}`, {
					icon: 'shield',
					kind: 'small',
					onclick: () => promoteDialog(ctx, { version: v.version, alias }),
				}),
			),
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
				text: 'Its number is not used again. From the history it can be restored, without its aliases; the run and its artifacts stay.',
				action: 'Delete',
			})
		)
			if (
				await removeOrAsk(
					(force) => versions.remove(name, v.version, force),
					`Version ${v.version} deleted`,
				)
			) {
				go(['model', name]);
				reload();
			}
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
								`${plural(manifest.file_count, 'file')}, ${formatBytes(manifest.byte_count)}`,
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
