// The timeline of a model: who changed what, when and why; each entry leads to the model as it was then.
import { h, replace } from '../dom.js';
import { formatCount, formatDate, formatMoment, plural } from '../format.js';
import { redraw } from '../redraw.js';
import { registry } from '../registry.js';
import { href, setParams } from '../router.js';
import { attempt, button, emptyState, errorState, linkButton, loading, toast } from '../ui/controls.js';
import { confirmDialog, openDialog } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { momentParams } from './model_past.js';
import { checkList, eventChange, eventSentence, groupOf, GROUPS } from './model_event.js';

const SHOWN_AT_ONCE = 50;

/** ctx: {name, params, signal, reload}; the model itself may be gone. */
export function historyTab(body, ctx) {
	let params = ctx.params;
	let events = null;
	let token = null;
	const filters = h('div.history-filters');
	const list = h('div', loading());
	const more = h('div.more');
	replace(body, filters, list, more);

	const isShown = (e) =>
		(!params.get('kind') || groupOf(e.kind) === params.get('kind')) &&
		(!params.get('alias') || e.alias === params.get('alias'));
	const shown = () => (events ?? []).filter(isShown);

	/* Pages until there is something to show for the filter. */
	async function load(isMore) {
		try {
			let found = isMore ? events : [];
			const enough = found.filter(isShown).length + SHOWN_AT_ONCE;
			let pageToken = isMore ? token : undefined;
			do {
				const page = await registry.history(ctx.name, { order: 'desc', pageToken }, ctx.signal);
				found = [...found, ...page.events];
				pageToken = page.token;
			} while (pageToken && found.filter(isShown).length < enough);
			events = found;
			token = pageToken;
			draw();
		} catch (e) {
			if (e.name !== 'AbortError' && !events)
				replace(
					list,
					errorState(e, () => load(false)),
				);
		}
	}

	/* What came since; all anew if that is more than a page. */
	async function loadNews() {
		if (!events?.length) return load(false);
		const page = await registry.history(ctx.name, { order: 'desc' }, ctx.signal);
		const isNew = (e) => Number(e.seq) > Number(events[0].seq);
		if (page.token && page.events.every(isNew)) return load(false);
		const news = page.events.filter(isNew);
		if (!news.length) return null;
		events = [...news, ...events];
		redraw(body, draw);
		return null;
	}

	function draw() {
		drawFilters();
		const found = shown();
		replace(
			list,
			found.length
				? days(found)
				: emptyState({
						icon: 'history',
						title: events.length ? 'Nothing of that kind happened' : 'Nothing happened yet',
						children:
							events.length > 0 &&
							linkButton('All changes', {
								href: href(['model', ctx.name], { tab: 'history' }),
							}),
					}),
		);
		replace(more, token && button('Older', { icon: 'down', onclick: () => load(true) }));
	}

	function drawFilters() {
		const aliases = [...new Set(events.map((e) => e.alias).filter(Boolean))].sort();
		const select = (name, label, options) =>
			h(
				'select',
				{ 'aria-label': label, onchange: (e) => setParams({ [name]: e.target.value }) },
				h('option', { value: '' }, label),
				options.map(([value, text]) =>
					h('option', { value, selected: params.get(name) === value }, text),
				),
			);
		replace(
			filters,
			select('kind', 'All changes', Object.entries(GROUPS)),
			select(
				'alias',
				'All aliases',
				[...new Set([...aliases, params.get('alias')])].filter(Boolean).map((a) => [a, `@${a}`]),
			),
			h('span.count-line', plural(shown().length, 'change'), token && ' so far'),
			h('div.spacer'),
			button('Verify', {
				icon: 'shield',
				kind: 'small',
				title: 'Checks that no change of any model was altered or taken out since',
				onclick: verify,
			}),
		);
	}

	/* Each event has a digest over the one before it. */
	async function verify(e) {
		const b = e.currentTarget;
		const label = b.querySelector('span');
		b.disabled = true;
		await attempt(async () => {
			const found = await registry.verify((checked, head) => {
				label.textContent = `${formatCount(checked)} of ${formatCount(Number(head))}`;
			}, ctx.signal);
			if (found.problems.length) showProblems(found.problems);
			else toast(`${plural(found.checked, 'change')} of all models: none was altered, none is missing`);
		});
		label.textContent = 'Verify';
		b.disabled = false;
	}

	function showProblems(problems) {
		openDialog({
			title: 'The history was altered',
			content: h(
				'ul.items',
				problems.map((p) => h('li', h('strong', `no. ${p.seq}`), ` ${p.problem}`)),
			),
		});
	}

	function days(found) {
		const groups = [];
		for (const e of found) {
			const day = formatDate(e.time_ms).slice(0, 10);
			const zone = formatMoment(e.time_ms).slice(19);
			if (groups.at(-1)?.day !== day) groups.push({ day, zone, events: [] });
			groups.at(-1).events.push(e);
		}
		return groups.map((g) =>
			h(
				'section.history-day',
				h('h3', g.day, h('span.faint', g.zone)),
				h('ol.timeline', g.events.map(entry)),
			),
		);
	}

	function entry(e) {
		const isGone = /^(version|model)\.deleted$/.test(e.kind);
		return h(
			'li',
			{ class: `event-${groupOf(e.kind)}`, dataset: { seq: e.seq, kind: e.kind } },
			h(
				'div.event-line',
				h('span.event-text', eventSentence(e)),
				h(
					'time.event-time',
					{ datetime: new Date(e.time_ms).toISOString(), title: formatMoment(e.time_ms) },
					formatDate(e.time_ms).slice(11),
				),
			),
			e.reason && h('p.event-reason', e.reason),
			eventChange(e),
			e.detail?.checks?.length
				? h('details', h('summary', 'Requirements'), checkList(e.detail.checks))
				: null,
			h(
				'p.event-more',
				h('span', { title: `SHA-256 ${e.sha256}` }, `no. ${e.seq}`),
				e.cause && h('span', e.cause),
				e.client && h('span.event-client', { title: e.client }, e.client),
				h(
					'a',
					{ href: href(['model', ctx.name], { ...momentParams(e), version: e.version }) },
					icon('history', 12),
					' as it was then',
				),
				isGone &&
					button('Restore', { icon: 'restore', kind: 'small quiet', onclick: () => restore(e) }),
			),
		);
	}

	async function restore(e) {
		const isVersion = e.kind === 'version.deleted';
		const what = isVersion ? `version ${e.version}` : `“${e.model}”`;
		const isAgreed = await confirmDialog({
			title: `Restore ${what}?`,
			action: 'Restore',
			danger: false,
			text: isVersion
				? 'It comes back with its tags and its stage, without aliases.'
				: 'It comes back with its versions and their tags, without aliases.',
		});
		if (!isAgreed) return;
		const isDone = await attempt(
			() => registry.restore(ctx.name, isVersion ? e.version : undefined),
			isVersion ? `Version ${e.version} is back` : `${what} is back`,
		);
		if (isDone) ctx.reload();
	}

	load(false);
	return {
		update(next) {
			params = next;
			if (!events) return;
			draw();
			if (token && shown().length < SHOWN_AT_ONCE) load(true);
		},
		refresh: () => loadNews().catch(() => {}) /* asked again on the next change */,
	};
}
