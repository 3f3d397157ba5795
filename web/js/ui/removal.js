// Removing what something else may need: asked, refused with who needs it, and then by force if it must be.
import { h } from '../dom.js';
import { plural } from '../format.js';
import { attempt, toast } from './controls.js';
import { confirmDialog } from './dialog.js';

/** Does the refusal say that force would do it? */
export const isForceable = (e) => (e.status === 409 || e.status === 403) && e.message.includes('force=true');

/** What the refusals say, without how to force it elsewhere. */
const sentence = (e) => e.message.replace(/[;.] force=true .*$/, '.');

/** Asks whether to go on by force. errors: the refusals. */
export function askForce(errors) {
	return confirmDialog({
		title: errors.length === 1 ? 'It is needed' : `${plural(errors.length, 'thing')} are needed`,
		text: [
			...errors.map(sentence),
			h('span.muted', 'By force it goes all the same, and the history of the model says so.'),
		],
		action: 'Delete by force',
	});
}

/** remove(force) → promise. Says `done` when it worked. → whether it is gone. */
export async function removeOrAsk(remove, done) {
	let refusal = null;
	const isGone = await attempt(() =>
		remove().catch((e) => {
			if (!isForceable(e)) throw e;
			refusal = e;
		}),
	);
	if (refusal) return (await askForce([refusal])) === true && attempt(() => remove(true), done);
	if (isGone) toast(done);
	return isGone;
}
