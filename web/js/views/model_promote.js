// The dialog that promotes a version to an alias: its requirements with their figures, a reason, force if it must be.
import { h, replace } from '../dom.js';
import { timeAgo } from '../format.js';
import { registry } from '../registry.js';
import { button, errorState, loading, toast } from '../ui/controls.js';
import { openDialog } from '../ui/dialog.js';
import { checkList } from './model_event.js';
import { seenAliases, whoInput } from './model_moves.js';

/** reason: what stands there at first. */
export function promoteDialog(ctx, { version, alias, reason = '' }) {
	const seen = seenAliases(ctx);
	const who = whoInput();
	const checks = h('div.check-box', loading('Checking…'));
	const holder = h('p.muted');
	const problem = h('p.field-error', { role: 'alert', hidden: true });
	const why = h('textarea', {
		id: 'field-reason',
		rows: 3,
		value: reason,
		required: true,
		autofocus: true,
	});
	const force = h('input', { id: 'field-force', type: 'checkbox', onchange: allow });
	const forceLine = h(
		'div.field.inline.force-line',
		{ hidden: true },
		h('label', { for: 'field-force' }, 'Promote it although a requirement is not met'),
		force,
	);
	const ok = button('Promote', { kind: 'primary', disabled: true, onclick: promote });
	why.addEventListener('input', allow);
	let isMet = null;

	const dialog = openDialog({
		title: `Promote v${version} to @${alias}`,
		content: [
			holder,
			checks,
			h(
				'div.form',
				h(
					'div.field',
					h('label', { for: 'field-reason' }, 'Reason'),
					why,
					h('small', 'The history keeps it.'),
				),
				who.element,
				forceLine,
				problem,
			),
		],
		footer: [button('Cancel', { onclick: () => dialog.close(null) }), ok],
	});

	function drawHolder() {
		const held = seen.get(alias);
		replace(
			holder,
			held
				? [
						`@${alias} is v${held.version} now. It moved there `,
						timeAgo(held.since_ms),
						held.actor && ` by ${held.actor}`,
						'.',
					]
				: `No version has @${alias} yet.`,
		);
	}

	function drawChecks(found) {
		isMet = found.every((c) => c.ok);
		replace(checks, found.length ? checkList(found) : h('p.muted', 'This model has no requirements.'));
		forceLine.hidden = isMet;
		allow();
	}

	function allow() {
		const isForced = isMet === false && force.checked;
		ok.disabled = isMet === null || !(isMet || isForced) || !why.value.trim();
		ok.classList.toggle('danger', isForced);
		ok.querySelector('span').textContent = isForced ? 'Promote by force' : 'Promote';
	}

	async function check() {
		drawHolder();
		try {
			drawChecks((await registry.check(ctx.name, version, alias, ctx.signal)).checks);
		} catch (e) {
			if (e.name !== 'AbortError') replace(checks, errorState(e, check));
		}
	}

	async function promote() {
		ok.disabled = true;
		problem.hidden = true;
		who.keep();
		try {
			await seen.orWhoWon(() =>
				registry.promote(ctx.name, {
					version,
					alias,
					reason: why.value.trim(),
					force: isMet === false && force.checked,
					revision: seen.revision(alias),
				}),
			);
			dialog.close(true);
			toast(`@${alias} is v${version}`);
			ctx.reload();
		} catch (e) {
			problem.textContent = e.message;
			problem.hidden = false;
			if (e.body?.checks) drawChecks(e.body.checks);
			else if (e.status === 412) await check();
			else allow();
		}
	}

	check();
	return dialog.closed;
}
