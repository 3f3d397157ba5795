// The dialog that rolls an alias back: to which version, when that one had it, and why.
import { h, replace } from '../dom.js';
import { formatMoment } from '../format.js';
import { registry } from '../registry.js';
import { button, emptyState, errorState, loading, toast } from '../ui/controls.js';
import { openDialog } from '../ui/dialog.js';
import { isProtected, seenAliases, whoInput } from './model_moves.js';

const EVENTS_MAX = 5000; /* how far back one looks */
const CHOICES_MAX = 20; /* of earlier versions that are offered */

/** Who had the alias when, the latest first: [{version, from, to, actor, reason}]. events: of the alias, oldest first. */
export function holdings(events) {
	const held = [];
	for (const e of events) {
		const open = held.at(-1);
		if (open && open.to === null) open.to = e.time_ms;
		if (e.after)
			held.push({
				version: e.after.version,
				from: e.time_ms,
				to: null,
				actor: e.actor,
				reason: e.reason,
			});
	}
	return held.reverse();
}

/** The versions that rolling back again and again leads through, the nearest first. events: oldest first. */
export function wayBack(events) {
	const way = [];
	for (const e of events) {
		const version = e.after?.version;
		if (!version) continue;
		const at = e.kind === 'alias.rolled_back' ? way.lastIndexOf(version) : -1;
		if (at >= 0) way.length = at + 1;
		else way.push(version);
	}
	return way.slice(0, -1).reverse();
}

export function rollbackDialog(ctx, alias) {
	const seen = seenAliases(ctx);
	const who = whoInput();
	const choices = h('div', loading());
	const isReasonNeeded = isProtected(ctx, alias);
	const problem = h('p.field-error', { role: 'alert', hidden: true });
	const why = h('textarea', { id: 'field-reason', rows: 3, required: isReasonNeeded, oninput: allow });
	const ok = button('Roll back', { kind: 'danger', disabled: true, onclick: rollBack });
	let chosen = null;

	const dialog = openDialog({
		title: `Roll @${alias} back`,
		content: [
			h('p', `@${alias} is v${seen.get(alias).version} now. Back to`),
			choices,
			h(
				'div.form',
				h(
					'div.field',
					h('label', { for: 'field-reason' }, 'Reason'),
					why,
					!isReasonNeeded && h('small', 'Optional; the history keeps it.'),
				),
				who.element,
				problem,
			),
		],
		footer: [button('Cancel', { onclick: () => dialog.close(null) }), ok],
	});

	function allow() {
		ok.disabled = chosen === null || (isReasonNeeded && !why.value.trim());
		if (chosen !== null) ok.querySelector('span').textContent = `Roll back to v${chosen}`;
	}

	async function load() {
		try {
			const events = await registry.latest(ctx.name, EVENTS_MAX, ctx.signal);
			const ofAlias = events.filter((e) => e.alias === alias).reverse();
			drawChoices(holdings(ofAlias), wayBack(ofAlias));
		} catch (e) {
			if (e.name !== 'AbortError') replace(choices, errorState(e, load));
		}
	}

	/* The nearest first, then all others that had it; those that are gone cannot be chosen. */
	function drawChoices(held, way) {
		const isThere = (version) => ctx.list.some((v) => v.version === version);
		const now = seen.get(alias).version;
		const versions = [...new Set([...way, ...held.map((x) => x.version)])]
			.filter((version) => version !== now)
			.slice(0, CHOICES_MAX);
		chosen = versions.find(isThere) ?? null;
		replace(
			choices,
			versions.length
				? versions.map((version) =>
						choice(
							version,
							held.find((x) => x.version === version),
							isThere(version),
						),
					)
				: emptyState({ icon: 'history', title: 'No other version had it before' }),
		);
		allow();
	}

	function choice(version, when, isThere) {
		return h(
			'label.choice',
			h('input', {
				type: 'radio',
				name: 'version',
				value: version,
				checked: version === chosen,
				disabled: !isThere,
				onchange: () => {
					chosen = version;
					allow();
				},
			}),
			h(
				'span',
				h('strong', `v${version}`),
				isThere ? '' : h('span.faint', ' was deleted'),
				h(
					'span.muted',
					` had it from ${formatMoment(when.from)} to ${formatMoment(when.to)}`,
					when.actor && `, by ${when.actor}`,
				),
				when.reason && h('span.note-line', when.reason),
			),
		);
	}

	async function rollBack() {
		ok.disabled = true;
		problem.hidden = true;
		who.keep();
		try {
			await seen.orWhoWon(() =>
				registry.rollback(ctx.name, {
					alias,
					version: chosen,
					reason: why.value.trim(),
					revision: seen.revision(alias),
				}),
			);
			dialog.close(true);
			toast(`@${alias} is v${chosen} again`);
			ctx.reload();
		} catch (e) {
			problem.textContent = e.message;
			problem.hidden = false;
			if (e.status === 412) load();
			else allow();
		}
	}

	load();
	return dialog.closed;
}
