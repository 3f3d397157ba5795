// One version of a model: aliases, stage, where it came from, its metrics, how to get it.
import { childAbort, h, replace } from '../dom.js';
import { artifacts, proxyPath, versions } from '../api.js';
import { formatBytes, formatMoment, numberNode, plural, timeAgo } from '../format.js';
import { onlyWhenNew } from '../redraw.js';
import { go, href } from '../router.js';
import { attempt, button, editable, inShell, trkCommand } from '../ui/controls.js';
import { confirmDialog, menuButton } from '../ui/dialog.js';
import { removeOrAsk } from '../ui/removal.js';
import { aliasTag, moveAliasDialog, removeAlias } from './model_aliases.js';
import { lineagePanel } from './model_lineage.js';
import { isProtected } from './model_moves.js';
import { promoteDialog } from './model_promote.js';
import { panel } from './run_overview.js';
import { tagList } from './tag_list.js';

const STAGES = ['None', 'Staging', 'Production', 'Archived'];

const runOf = (ctx, v) => ctx.sources.get(v.run_id);
const deployedOf = (ctx, v) => ctx.deployed.filter((d) => d.version === v.version);

/* data: what a part shows; it is drawn again when that changes */
const PARTS = [
	{ isBeside: true, data: (ctx, v) => [v, ctx.rules, ctx.aliases], draw: headPanel },
	{ isBeside: true, data: (ctx, v) => [v.version, v.source, v.aliases], draw: filesPanel },
	{ data: (ctx, v) => [v.version, v.source, v.run_id, deployedOf(ctx, v)], draw: lineageOf },
	{ data: (ctx, v) => [v.run_id, runOf(ctx, v)?.metrics], draw: metricsPanel },
];

/** Shows one version beside and below a list of them. → show(ctx, version or undefined); ctx: what model.js loads. */
export function versionDetail(beside, under) {
	const parts = PARTS.map((p) => ({ ...p, box: h('div'), whenNew: onlyWhenNew(), abort: null }));
	for (const p of parts) (p.isBeside ? beside : under).append(p.box);
	return (ctx, v) => {
		for (const p of parts)
			p.whenNew(v ? p.data(ctx, v) : null, () => {
				p.abort?.abort();
				p.abort = childAbort(ctx.signal);
				const node = v && p.draw({ ctx, version: v, signal: p.abort.signal });
				replace(p.box, node);
				p.box.hidden = !node;
			});
	};
}

function headPanel({ ctx, version: v }) {
	const { name, reload } = ctx;
	return panel(
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
				'Made ',
				timeAgo(v.creation_timestamp),
				` · ${formatMoment(v.creation_timestamp)}`,
				v.status && v.status !== 'READY' && ` · ${v.status} ${v.status_message ?? ''}`,
			),
			button('Delete this version', { icon: 'trash', kind: 'small danger-quiet', onclick: remove }),
		),
	);

	function aliases() {
		const promotable = ctx.rules.protected_aliases.filter((a) => !v.aliases.includes(a));
		return h(
			'div.tag-list',
			v.aliases.map((a) =>
				isProtected(ctx, a)
					? aliasTag(ctx, a)
					: h(
							'span.tag.alias',
							h('span.clip', { title: a }, `@${a}`),
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
}

function lineageOf({ ctx, version, signal }) {
	return lineagePanel({ name: ctx.name, version, deployed: deployedOf(ctx, version), signal });
}

function metricsPanel({ ctx, version: v }) {
	const run = runOf(ctx, v);
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

/* How to get the files, and what they are. */
function filesPanel({ ctx: { name }, version: v, signal }) {
	const files = h('div.pad', h('span.faint', '…'));
	showFiles();
	return panel('Get it', 0, files);

	async function showFiles() {
		const ref = v.aliases.length ? `${name}@${v.aliases[0]}` : `${name}/${v.version}`;
		const shell = trkCommand(`models get ${inShell(ref)} --to DIR`);
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
