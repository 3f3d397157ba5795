// What a model asks of versions before they are promoted, and which aliases move by promotion only.
import { h, replace } from '../dom.js';
import { registry } from '../registry.js';
import { attempt, button, emptyState, inShell, trkCommand } from '../ui/controls.js';
import { confirmDialog, formDialog } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { panel } from './run_overview.js';

const EXAMPLES = ['rmse_val <= champion + 0.5%', 'accuracy >= 0.9', 'size < 200M', 'digest'];

export function rulesTab(body, first) {
	let ctx = first;
	const box = h('div.columns');
	replace(body, box);

	async function change(rules, done) {
		if (await attempt(() => registry.setRules(ctx.name, rules, ctx.rules.etag), done)) ctx.reload();
	}

	function requirements() {
		const list = ctx.rules.requirements;
		return panel(
			'Requirements',
			list.length,
			list.length
				? h(
						'ul.items.rules',
						list.map((r) =>
							h(
								'li.row',
								h('code.wrap', r),
								h('div.spacer'),
								button('', {
									icon: 'trash',
									kind: 'quiet small',
									label: `Remove the requirement ${r}`,
									onclick: () => removeRequirement(r),
								}),
							),
						),
					)
				: emptyState({
						icon: 'shield',
						title: 'No requirements',
						text: 'With requirements, a version is promoted only if its metrics, size and files are what you ask. From a shell:',
						children: trkCommand(`models require ${inShell(ctx.name)} 'size < 200M' digest`),
					}),
			h(
				'div.pad',
				button('Add a requirement', { icon: 'plus', kind: 'small', onclick: addRequirement }),
			),
		);
	}

	function addRequirement() {
		return formDialog({
			title: 'Add a requirement',
			action: 'Add',
			fields: [
				{
					name: 'requirement',
					label: 'Requirement',
					required: true,
					options: EXAMPLES,
					hint: 'A metric against a figure or the present holder: rmse_val <= champion + 0.5%; or size < 200M; or digest.',
				},
			],
			submit: async ({ requirement }) => {
				await registry.setRules(
					ctx.name,
					{ requirements: [...ctx.rules.requirements, requirement] },
					ctx.rules.etag,
				);
				ctx.reload();
			},
		});
	}

	async function removeRequirement(requirement) {
		if (
			await confirmDialog({
				title: 'Remove the requirement?',
				text: h('code', requirement),
				action: 'Remove',
			})
		)
			change(
				{ requirements: ctx.rules.requirements.filter((r) => r !== requirement) },
				'Requirement removed',
			);
	}

	function protection() {
		const list = ctx.rules.protected_aliases;
		return panel(
			'Protected aliases',
			list.length,
			h(
				'div.pad',
				h(
					'div.tag-list',
					list.map((a) =>
						h(
							'span.tag.alias',
							icon('shield', 11),
							h('span.clip', { title: a }, `@${a}`),
							button('', {
								icon: 'close',
								kind: 'quiet tiny',
								label: `Unprotect ${a}`,
								onclick: () => unprotect(a),
							}),
						),
					),
					button(list.length ? 'Alias' : 'Protect an alias', {
						icon: 'plus',
						kind: 'quiet small',
						onclick: protect,
					}),
				),
				h(
					'p.faint',
					'They move only by promotion, which checks the requirements and asks for a reason.',
				),
			),
		);
	}

	function protect() {
		return formDialog({
			title: 'Protect an alias',
			action: 'Protect',
			fields: [
				{
					name: 'alias',
					label: 'Alias',
					required: true,
					options: ctx.aliases.map((a) => a.alias),
					hint: 'It need not be there yet.',
				},
			],
			submit: async ({ alias }) => {
				const all = new Set([...ctx.rules.protected_aliases, alias.replace(/^@/, '')]);
				await registry.setRules(ctx.name, { protected_aliases: [...all] }, ctx.rules.etag);
				ctx.reload();
			},
		});
	}

	async function unprotect(alias) {
		if (
			await confirmDialog({
				title: `Unprotect @${alias}?`,
				text: 'From then on anybody can move it without a check and without a reason.',
				action: 'Unprotect',
			})
		)
			change(
				{ protected_aliases: ctx.rules.protected_aliases.filter((a) => a !== alias) },
				`@${alias} is not protected any more`,
			);
	}

	const draw = () => replace(box, h('div.column', requirements()), h('div.column', protection()));
	draw();
	return {
		refresh(next) {
			ctx = next;
			draw();
		},
	};
}
