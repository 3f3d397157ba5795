// What can be done with the selected runs of a table: compare, export, delete, restore.
import { h, replace } from '../dom.js';
import { runs } from '../api.js';
import { cellText } from '../columns.js';
import { plural } from '../format.js';
import { saveFile, toCsv } from '../save.js';
import { attempt, button, toast } from '../ui/controls.js';
import { confirmDialog } from '../ui/dialog.js';
import { askForce, isForceable } from '../ui/removal.js';

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
	const refusals = new Map();
	const change = (id, force) =>
		runs[verb](id, force).then(
			() => done.push(id),
			(e) => {
				if (!isForceable(e)) throw e;
				refusals.set(id, e);
			},
		);
	const isDone = await attempt(() => inLanes(ids, change));
	if (isDone && refusals.size && (await askForce([...refusals.values()])))
		await attempt(() => inLanes([...refusals.keys()], (id) => change(id, true)));
	if (done.length) toast(`${plural(done.length, 'run')} ${verb === 'remove' ? 'deleted' : 'restored'}`);
	return done;
}

async function inLanes(ids, run) {
	const waiting = [...ids];
	const lane = async () => {
		while (waiting.length) await run(waiting.shift());
	};
	await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, lane));
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
