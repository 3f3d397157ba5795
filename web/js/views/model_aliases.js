// The aliases of a model: who holds them since when, and dialogs that move them without losing anybody's move.
import { h } from '../dom.js';
import { models } from '../api.js';
import { timeAgo } from '../format.js';
import { href } from '../router.js';
import { attempt, button, emptyState, inShell, trkCommand } from '../ui/controls.js';
import { confirmDialog, formDialog, menuButton } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { isProtected, keepWho, seenAliases, whoField } from './model_moves.js';
import { promoteDialog } from './model_promote.js';
import { rollbackDialog } from './model_rollback.js';
import { panel } from './run_overview.js';

export function aliasTag(ctx, alias) {
	return h(
		'span.tag.alias',
		{ title: `@${alias}${isProtected(ctx, alias) ? ' is protected: versions are promoted to it' : ''}` },
		isProtected(ctx, alias) && icon('shield', 11),
		h('span.clip', `@${alias}`),
	);
}

/** ctx: what model.js loads of a model. */
export function aliasesPanel(ctx) {
	const aliases = [...ctx.aliases].sort((a, b) => (a.alias < b.alias ? -1 : 1));
	return panel(
		'Aliases',
		aliases.length,
		aliases.length
			? h(
					'div.table-wrap.low',
					h(
						'table.table.dense.aliases.cards',
						h(
							'tbody',
							aliases.map((a) => aliasRow(ctx, a)),
						),
					),
				)
			: emptyState({
					icon: 'tag',
					title: 'No aliases',
					text: 'Programs ask for a version by its alias. “Add an alias” beside gives it one; or from a shell:',
					children: trkCommand(`models alias ${inShell(ctx.name)} champion ${ctx.list[0].version}`),
				}),
	);
}

function aliasRow(ctx, a) {
	return h(
		'tr',
		{ dataset: { alias: a.alias, revision: a.revision } },
		h('td', aliasTag(ctx, a.alias)),
		h(
			'td.nowrap',
			h('a.strong', { href: href(['model', ctx.name], { version: a.version }) }, `v${a.version}`),
		),
		h(
			'td.grow.muted',
			timeAgo(a.since_ms),
			a.actor && [' by ', a.actor],
			a.reason && h('p.note-line', { title: a.reason }, a.reason),
		),
		h(
			'td.narrow',
			menuButton(() => aliasMenu(ctx, a), { label: `Actions for @${a.alias}`, kind: 'quiet small' }),
		),
	);
}

function aliasMenu(ctx, a) {
	return [
		{ text: 'Roll back…', icon: 'restore', run: () => rollbackDialog(ctx, a.alias) },
		{
			text: 'Its history',
			icon: 'history',
			href: href(['model', ctx.name], { tab: 'history', alias: a.alias }),
		},
		!isProtected(ctx, a.alias) && {
			text: 'Remove',
			icon: 'trash',
			danger: true,
			run: () => removeAlias(ctx, a.alias),
		},
	].filter(Boolean);
}

/** Asks which alias shall name the version. Protected ones lead on to a promotion. */
export async function moveAliasDialog(ctx, version) {
	const seen = seenAliases(ctx);
	const known = new Set([...ctx.aliases.map((a) => a.alias), ...ctx.rules.protected_aliases]);
	let promotion = null;
	await formDialog({
		title: `Alias for version ${version}`,
		action: 'Set',
		fields: [
			{
				name: 'alias',
				label: 'Alias',
				required: true,
				options: [...known].sort(),
				hint: 'An alias that another version has moves here.',
			},
			{ name: 'reason', label: 'Reason', hint: 'Optional; the history keeps it.' },
			...whoField(),
		],
		submit: async ({ alias: typed, reason, who }) => {
			keepWho({ who });
			const alias = typed.replace(/^@/, '');
			if (isProtected(ctx, alias)) {
				promotion = { version, alias, reason };
				return;
			}
			await seen.orWhoWon(() =>
				models.setAlias(ctx.name, alias, version, {
					revision: seen.revision(alias),
					reason: reason || undefined,
				}),
			);
			ctx.reload();
		},
	});
	if (promotion) promoteDialog(ctx, promotion);
}

/** Takes an alias away, unless somebody moved it since it was drawn. */
export async function removeAlias(ctx, alias) {
	const revision = seenAliases(ctx).revision(alias);
	const isAgreed = await confirmDialog({
		title: `Remove @${alias}?`,
		text: `Programs that ask for ${ctx.name}@${alias} will find nothing.`,
		action: 'Remove',
	});
	if (!isAgreed) return;
	await attempt(() => models.deleteAlias(ctx.name, alias, { revision }), `@${alias} removed`);
	ctx.reload();
}
