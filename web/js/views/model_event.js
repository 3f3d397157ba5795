// What an event of the registry's memory says, as a sentence.
import { h } from '../dom.js';
import { formatNumber } from '../format.js';

/* kind → which of the filter's groups */
export const GROUPS = {
	alias: 'Aliases',
	version: 'Versions',
	tag: 'Tags',
	model: 'The model',
	guard: 'Files lost or replaced',
};

export function groupOf(kind) {
	return /\.tag_/.test(kind) ? 'tag' : kind.split('.')[0];
}

const v = (version) => h('strong', version ? `v${version}` : 'nothing');
const at = (alias) => h('span.tag.alias', `@${alias}`);
const quoted = (text) => (text ? h('q', text) : h('span.faint', 'nothing'));
const whole = (state) => (state === null || typeof state !== 'object' ? { value: state } : state);
const ofWhat = (e) => (e.version ? [' of ', v(e.version)] : ' of the model');

/* kind → (event, before, after) → nodes; before and after are the states, {} where it was not there. */
const SENTENCES = {
	'alias.set': (e, a, b) =>
		a.version
			? ['moved ', at(e.alias), ' from ', v(a.version), ' to ', v(b.version)]
			: ['set ', at(e.alias), ' to ', v(b.version)],
	'alias.promoted': (e, a, b) => [
		'promoted ',
		v(b.version),
		' to ',
		at(e.alias),
		a.version && [', which was ', v(a.version)],
		e.detail?.forced && [' ', h('span.tag.forced', 'forced')],
	],
	'alias.rolled_back': (e, a, b) => [
		'rolled ',
		at(e.alias),
		' back from ',
		v(a.version),
		' to ',
		v(b.version),
	],
	'alias.deleted': (e, a) => ['removed ', at(e.alias), ' from ', v(a.version)],
	'alias.adopted': (e, a, b) => [at(e.alias), ' was at ', v(b.version), ' when the history began'],
	'version.created': (e) => ['made ', v(e.version)],
	'version.adopted': (e) => [v(e.version), ' was there when the history began'],
	'version.described': (e) => ['described ', v(e.version)],
	'version.stage_moved': (e, a, b) => ['moved ', v(e.version), ' from ', stage(a), ' to ', stage(b)],
	'version.deleted': (e) => ['deleted ', v(e.version)],
	'version.restored': (e) => ['restored ', v(e.version)],
	'model.created': () => 'made the model',
	'model.adopted': () => 'the model was there when the history began',
	'model.renamed': (e, a, b) => [
		'renamed the model from ',
		quoted(a.name),
		' to ',
		quoted(b.name ?? e.model),
	],
	'model.described': () => 'described the model',
	'model.deleted': () => 'deleted the model',
	'model.restored': () => 'restored the model',
	'model.rules_set': () => 'changed the rules',
	'guard.forced': (e) => [
		e.detail?.replaced ? 'replaced' : 'deleted',
		' by force what ',
		v(e.version),
		' needs',
	],
	'guard.replaced': (e) => ['replaced files that ', v(e.version), ' needs'],
};

const stage = (state) => h('span.tag', state.stage || 'None');

function tagSentence(e, a, b) {
	if (e.kind.endsWith('.tag_deleted')) return ['deleted the tag ', h('code', e.key), ofWhat(e)];
	return [
		'set the tag ',
		h('code', e.key),
		ofWhat(e),
		' to ',
		quoted(b.value),
		a.value !== undefined && a.value !== null && [', which was ', quoted(a.value)],
	];
}

/** Who did what, as nodes. */
export function eventSentence(e) {
	const say = groupOf(e.kind) === 'tag' ? tagSentence : (SENTENCES[e.kind] ?? (() => e.kind));
	const isAdopted = e.kind.endsWith('.adopted');
	return [
		!isAdopted && [e.actor ? h('strong', e.actor) : h('span.muted', 'Someone'), ' '],
		say(e, whole(e.before), whole(e.after)),
	];
}

/** What changed, below the sentence: a description, the rules, which files. → node or null. */
export function eventChange(e) {
	const files = groupOf(e.kind) === 'guard' && (e.detail?.replaced ?? e.detail?.deleted);
	if (files) return h('div.event-change', h('span', files));
	if (!/\.(described|rules_set)$/.test(e.kind)) return null;
	const [a, b] = [changedText(e.before), changedText(e.after)];
	return h('div.event-change', a && h('del', a), b && h('ins', b));
}

function changedText(state) {
	const { description, requirements, protected_aliases: kept, value } = whole(state);
	if (requirements || kept)
		return [...(requirements ?? []), ...(kept ?? []).map((a) => `@${a} is protected`)].join('\n');
	return description ?? (typeof value === 'string' ? value : '');
}

/** The figures of a promotion's requirements. */
export function checkList(checks) {
	return h(
		'ul.checks',
		checks.map((c) =>
			h(
				'li',
				{ class: c.ok ? 'ok' : 'not-ok' },
				h('span.check-mark', { 'aria-label': c.ok ? 'met' : 'not met' }, c.ok ? '✓' : '✗'),
				h('div', h('code', c.requirement), h('p', c.text || figures(c))),
			),
		),
	);
}

const figures = (c) => `${formatNumber(Number(c.value))}, limit ${formatNumber(Number(c.limit))}`;
