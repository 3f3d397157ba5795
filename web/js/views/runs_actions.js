// What can be done with the selected runs of a table: compare, export, delete, restore.
import { h, replace } from '../dom.js';
import { runs } from '../api.js';
import { cellText } from '../columns.js';
import { plural } from '../format.js';
import { saveFile, toCsv } from '../save.js';
import { attempt, button } from '../ui/controls.js';
import { confirmDialog } from '../ui/dialog.js';
import { attemptRemoval, isRefusal } from '../ui/removal.js';

const COMPARE_MAX = 200;
const REQUESTS_AT_ONCE = 6; /* what browsers send to one host at a time */

export const canCompare = (ids) => ids.length >= 2 && ids.length <= COMPARE_MAX;

export function selectionBar(box, { ids, isDeleted, compare, exportCsv, change, clear }) {
	box.hidden = ids.length === 0;
	if (!ids.length) return;
	replace(
		box,
		h('strong', `${plural(ids.length, 'run')} selected`),
		button('Compare', {
			icon: 'compare',
			kind: 'primary small',
			disabled: !canCompare(ids),
			title: ids.length > COMPARE_MAX ? `At most ${COMPARE_MAX} at once` : 'Compare (c)',
			onclick: compare,
		}),
		button('Export as CSV', { icon: 'download', kind: 'small', onclick: exportCsv }),
		isDeleted
			? button('Restore', { icon: 'restore', kind: 'small', onclick: () => change('restore') })
			: button('Delete', {
					icon: 'trash',
					kind: 'small danger-quiet',
					onclick: () => change('remove'),
				}),
		h('div.spacer'),
		button('Clear', { kind: 'quiet small', onclick: clear }),
	);
}

/** Some at once, but for those in `done`, to which each is added. What the server refuses, since something needs it,
 * does not hold up the others: the first refusal is thrown in the end. */
async function forEachRun(ids, done, act) {
	const waiting = ids.filter((id) => !done.includes(id));
	let refusal = null;
	const lane = async () => {
		while (waiting.length) {
			const id = waiting.shift();
			try {
				await act(id);
				done.push(id);
			} catch (error) {
				if (!isRefusal(error)) throw error;
				refusal ??= error;
			}
		}
	};
	await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
	if (refusal) throw refusal;
}

/** verb: 'remove' or 'restore'. → the ids for which it was done. */
export async function changeRuns(verb, ids) {
	const what = plural(ids.length, 'run');
	const done = [];
	if (verb === 'remove') {
		const isAgreed = await confirmDialog({
			title: `Delete ${what}?`,
			text: 'They move to “Deleted”, from where they can be restored.',
			action: `Delete ${what}`,
		});
		if (!isAgreed) return done;
	}
	if (verb === 'remove') {
		await attemptRemoval((force) => forEachRun(ids, done, (id) => runs.remove(id, force)), `${what} deleted`);
		return done;
	}
	await attempt(() => forEachRun(ids, done, runs.restore), `${what} restored`);
	return done;
}

/** Saves the rows (all, or those of the set `only`) with the columns that are shown. */
export async function exportRuns({ set, columns, context, only }) {
	const rows = set.rows.filter((r) => !only || only.has(r.id));
	const isComplete = await attempt(async () => {
		if (columns.some((c) => c.needsSummary))
			await set.fetchSummaries(rows.filter((r) => !r.summary).map((r) => r.id));
	});
	if (!isComplete) return;
	const head = ['run_id', ...columns.map((c) => (c.kind === 'attribute' ? c.label : c.id))];
	const body = rows.map((r) => [r.id, ...columns.map((c) => cellText(c, r, context))]);
	saveFile(`runs-${set.query.experimentIds.join('-')}.csv`, toCsv([head, ...body]), 'text/csv');
}
