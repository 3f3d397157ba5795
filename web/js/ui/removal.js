// Deleting what model versions may need: the server refuses, and the person may insist.
import { attempt, toast } from './controls.js';
import { confirmDialog } from './dialog.js';

export const isRefusal = (error) => error.code === 'RESOURCE_CONFLICT';

/** remove(force) deletes; a refusal is shown, with a way to delete anyway. done: what to say then. → true if deleted. */
export async function attemptRemoval(remove, done) {
	let refusal = null;
	const isDone = await attempt(async () => {
		try {
			await remove(false);
		} catch (error) {
			if (!isRefusal(error)) throw error;
			refusal = error;
		}
	});
	if (!isDone) return false;
	if (!refusal) {
		toast(done);
		return true;
	}
	const isAgreed = await confirmDialog({
		title: 'A model version needs it',
		text: refusal.message,
		action: 'Delete anyway',
	});
	return isAgreed && attempt(() => remove(true), done);
}
