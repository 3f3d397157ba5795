// A model as it was at a moment: versions, aliases, stages and rules of then, to be read only; and steps through time.
import { h, replace } from '../dom.js';
import { stageOf, toObject } from '../api.js';
import { formatLocalInput, formatMoment } from '../format.js';
import { redraw } from '../redraw.js';
import { registry } from '../registry.js';
import { href, setParams } from '../router.js';
import { button, emptyState, errorState, fact, linkButton, loading, longText } from '../ui/controls.js';
import { icon } from '../ui/icons.js';
import { eventSentence } from './model_event.js';
import { chosenVersion, showChosen, versionsTable } from './model_versions.js';
import { panel } from './run_overview.js';

/** The moment that the address names, for the server; null: now. Beside `seq`, `at` is when that was. */
export function momentOf(params) {
	if (params.get('seq')) return { seq: params.get('seq') };
	if (params.get('at')) return { time_ms: Date.parse(params.get('at')) };
	return null;
}

/** The moment after an event, for the address. */
export const momentParams = (e) => ({ at: new Date(e.time_ms).toISOString(), seq: e.seq });

/** sources: run id → run, which fetchSources(versions) fills. → {update(params)}. */
export function pastView(page, { name, params: first, sources, fetchSources, signal }) {
	let params = first;
	let asked = '';
	let state = null;
	let steps = {};
	const banner = h('section.past-banner', { 'aria-label': 'Time travel' });
	const body = h('div', loading());
	const moment = h('input', { type: 'datetime-local', step: 1, 'aria-label': 'Moment' });
	moment.addEventListener('change', () => {
		const at = new Date(moment.value);
		if (!Number.isNaN(at.getTime())) setParams({ at: at.toISOString(), seq: '', version: '' });
	});
	replace(page, banner, body);

	async function show() {
		const wanted = momentOf(params);
		const key = JSON.stringify(wanted);
		if (key === asked) {
			if (state) draw();
			return;
		}
		asked = key;
		try {
			const found = Number.isNaN(wanted.time_ms) ? null : await registry.at(name, wanted, signal);
			if (asked !== key) return;
			state = found && toState(found);
			if (state) await fetchSources(state.list);
			steps = state ? await neighbours(state) : {};
			if (asked === key) draw();
		} catch (e) {
			if (e.name === 'AbortError' || asked !== key) return;
			asked = '';
			state = null;
			if (e.status === 404) await drawNothing();
			else replace(body, errorState(e, show));
		}
	}

	/* Changes about a time, the nearest first. A page reaches: few share one millisecond. */
	async function around(time) {
		const [before, after] = await Promise.all([
			registry.history(name, { order: 'desc', until_ms: time }, signal),
			registry.history(name, { order: 'asc', since_ms: time }, signal),
		]);
		return { before: before.events, after: after.events };
	}

	/* The event that made it so, and those before and after it. */
	async function neighbours({ seq, time_ms }) {
		const { before, after } = await around(time_ms);
		const upTo = before.filter((e) => Number(e.seq) <= Number(seq));
		return { last: upTo[0], earlier: upTo[1], later: after.find((e) => Number(e.seq) > Number(seq)) };
	}

	/* --- drawing --- */
	function drawBanner(time, text) {
		if (document.activeElement !== moment) moment.value = formatLocalInput(time);
		replace(
			banner,
			icon('history', 20),
			h(
				'div.past-text',
				h(
					'strong',
					h('span', name),
					Number.isNaN(time) ? ' as it was' : ` as it was on ${formatMoment(time)}`,
				),
				h('p', text),
			),
			h(
				'div.past-controls',
				step('left', 'The change before', steps.earlier),
				moment,
				step('right', 'The change after', steps.later),
				linkButton('Back to now', { kind: 'primary', href: href(['model', name]) }),
			),
		);
	}

	function step(name, label, event) {
		return button('', {
			icon: name,
			label,
			disabled: !event,
			onclick: () => setParams({ ...momentParams(event), version: '' }),
		});
	}

	function draw() {
		if (!state) {
			drawBanner(NaN, 'The address does not say when.');
			replace(body, emptyState({ icon: 'history', title: 'Choose a moment' }));
			return;
		}
		const { last } = steps;
		drawBanner(state.time_ms, [
			'Nothing can be changed here. ',
			last && [
				'The last change until then, ',
				formatMoment(last.time_ms),
				': ',
				eventSentence(last),
				'.',
			],
		]);
		redraw(body, drawState);
		if (state.list.length) showChosen(body);
	}

	function drawState() {
		const { model, list } = state;
		const chosen = chosenVersion(list, params);
		replace(
			body,
			h('div.page-head', h('h1', model.name)),
			model.description && h('div.description', longText(model.description)),
			tagChips(toObject(model.tags)),
			h(
				'div.columns.model-columns',
				h(
					'div.column',
					list.length
						? versionsTable({ list, sources, chosen, hrefOf })
						: emptyState({ icon: 'model', title: 'It had no versions yet' }),
					aliasesPanel(),
				),
				h('div.column', chosen && versionPanel(chosen), rulesPanel()),
			),
		);
	}

	const hrefOf = (v) =>
		href(['model', name], { at: params.get('at'), seq: params.get('seq'), version: v.version });

	function aliasesPanel() {
		return state.aliases.length
			? panel(
					'Aliases',
					state.aliases.length,
					h(
						'div.table-wrap.low',
						h(
							'table.table.dense.aliases.cards',
							h(
								'tbody',
								state.aliases.map((a) =>
									h(
										'tr',
										{ dataset: { alias: a.alias } },
										h('td', h('span.tag.alias', { title: a.alias }, `@${a.alias}`)),
										h('td.nowrap.strong', `v${a.version}`),
										h(
											'td.grow.muted',
											`since ${formatMoment(a.since_ms)}`,
											a.actor && ` by ${a.actor}`,
											a.reason && h('p.note-line', a.reason),
										),
									),
								),
							),
						),
					),
				)
			: null;
	}

	function versionPanel(v) {
		return panel(
			`Version ${v.version}`,
			0,
			h(
				'div.pad.version-head',
				v.aliases.length
					? h(
							'div',
							v.aliases.map((a) => h('span.tag.alias', `@${a}`)),
						)
					: null,
				v.description && longText(v.description),
				tagChips(v.tags),
				h(
					'dl.past-facts',
					fact('Stage', v.stage),
					fact('Made', formatMoment(v.created)),
					fact('By', v.user_id),
					fact(
						'Run',
						v.run_id &&
							h(
								'a',
								{ href: href(['run', v.run_id]) },
								sources.get(v.run_id)?.name ?? v.run_id,
							),
					),
					fact('Source', v.source && h('code.wrap', v.source)),
				),
			),
		);
	}

	function rulesPanel() {
		const { requirements = [], protected_aliases: kept = [] } = state.rules ?? {};
		return requirements.length || kept.length
			? panel(
					'Rules',
					requirements.length,
					h(
						'ul.items',
						requirements.map((r) => h('li', h('code.wrap', r))),
					),
					kept.length
						? h(
								'p.pad.muted',
								'Protected: ',
								kept.map((a) => h('span.tag.alias', `@${a}`)),
							)
						: null,
				)
			: null;
	}

	/* Before it was made, after it was deleted, or never. */
	async function drawNothing() {
		const time = Date.parse(params.get('at'));
		const seq = Number(params.get('seq'));
		const { before, after } = Number.isNaN(time)
			? { before: [], after: [] }
			: await around(time).catch(() => ({ before: [], after: [] }));
		steps = {
			earlier: before.find((e) => !seq || Number(e.seq) < seq),
			later: after.find((e) => Number(e.seq) > seq),
		};
		if (signal.aborted) return;
		drawBanner(time, 'It was not there.');
		replace(
			body,
			emptyState({
				icon: 'history',
				title: `There was no “${name}” then`,
				text: 'Choose another moment, or step to the next change.',
			}),
		);
	}

	show();
	return {
		update(next) {
			params = next;
			show();
		},
	};
}

/* The shapes that the tables of the present take. */
function toState(found) {
	const list = found.versions
		.map((v) => ({
			...v,
			aliases: v.aliases ?? [],
			tags: toObject(v.tags),
			stage: stageOf(v.stage),
			created: v.creation_time_ms,
			run_id: v.run_id || null,
		}))
		.sort((a, b) => Number(b.version) - Number(a.version));
	return { ...found, list };
}

function tagChips(tags) {
	const keys = Object.keys(tags).sort();
	return keys.length
		? h(
				'div.tag-list',
				keys.map((k) => h('span.tag', { title: `${k}: ${tags[k]}` }, `${k}: ${tags[k]}`)),
			)
		: null;
}
