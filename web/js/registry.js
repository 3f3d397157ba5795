// What the registry remembers and what runs where: history, moments, rules, promotion, deployments.
import { ifRevision, own, ownWithTag } from './api.js';

const PAGE = 100; /* events of one question */
const PAGE_MAX = 1000;
const VERIFY_AT_ONCE = 10000;
const DEPLOYMENTS_PAGE = 200;
const of = (name, what) => `models/${encodeURIComponent(name)}/${what}`;

export const registry = {
	/** One page of what happened to a model. → {events, token}. query: since_ms, until_ms, order, all … */
	async history(name, { pageToken, maxResults = PAGE, ...query } = {}, signal) {
		const r = await own('GET', of(name, 'history'), {
			query: { ...query, max_results: maxResults, page_token: pageToken },
			signal,
		});
		return { events: r.events ?? [], token: r.next_page_token || null };
	},

	/** The latest `max` events and maybe some more, the newest first. */
	async latest(name, max, signal) {
		const events = [];
		let pageToken;
		do {
			const page = await registry.history(
				name,
				{ order: 'desc', maxResults: PAGE_MAX, pageToken },
				signal,
			);
			events.push(...page.events);
			pageToken = page.token;
		} while (pageToken && events.length < max);
		return events;
	},

	/** Checks the chain of all models' events from its beginning; tells how far it is. → {checked, problems}. */
	async verify(progress, signal) {
		const all = { checked: 0, problems: [] };
		let query = { max_results: VERIFY_AT_ONCE };
		for (;;) {
			const part = await own('GET', 'registry/verify', { query, signal });
			all.checked += part.checked;
			all.problems.push(...part.problems);
			progress(all.checked, part.head_seq);
			if (!part.checked || part.last_seq === part.head_seq) return all;
			query = { ...query, after_seq: part.last_seq, after_sha256: part.last_sha256 };
		}
	},

	/** The model, its versions and aliases at a moment: {time_ms} or {seq}. */
	at: (name, moment, signal) => own('GET', of(name, 'at'), { query: moment, signal }),

	/** Its aliases as they are now: [{alias, version, revision, since_ms, actor, reason}]. */
	aliases: async (name, signal) =>
		(await registry.at(name, { time_ms: Number.MAX_SAFE_INTEGER }, signal)).aliases,

	/** → {requirements, protected_aliases, etag}. */
	rules: (name, signal) => ownWithTag('GET', of(name, 'rules'), { signal }),
	/** Replaces what is given, unless somebody changed the rules since they had this etag. */
	setRules: (name, rules, etag) =>
		own('PUT', of(name, 'rules'), { body: rules, headers: { 'If-Match': etag } }),

	/** Would the version be let to the alias? → {ok, holder, checks}. */
	check: (name, version, alias, signal) =>
		own('GET', of(name, 'check'), { query: { version, alias }, signal }),
	promote: (name, { revision, ...body }) =>
		own('POST', of(name, 'promote'), { body, headers: ifRevision(revision) }),
	rollback: (name, { revision, ...body }) =>
		own('POST', of(name, 'rollback'), { body, headers: ifRevision(revision) }),
	restore: (name, version) => own('POST', of(name, 'restore'), { body: version ? { version } : {} }),

	/** from, to: versions or @aliases. */
	diff: (name, from, to, signal) => own('GET', of(name, 'diff'), { query: { from, to }, signal }),
	lineage: (name, version, signal) => own('GET', of(name, 'lineage'), { query: { version }, signal }),
};

export const deployments = {
	/** All that match: {model, environment, target, state}. */
	async search(query, signal) {
		const found = [];
		let pageToken;
		do {
			const r = await own('GET', 'deployments', {
				query: { ...query, max_results: DEPLOYMENTS_PAGE, page_token: pageToken },
				signal,
			});
			found.push(...(r.deployments ?? []));
			pageToken = r.next_page_token;
		} while (pageToken);
		return found;
	},
	get: (id, signal) => own('GET', `deployments/${encodeURIComponent(id)}`, { signal }),
	/** What happened there, the newest first. */
	history: async (id, signal) => {
		const query = { max_results: DEPLOYMENTS_PAGE };
		return (
			(await own('GET', `deployments/${encodeURIComponent(id)}/history`, { query, signal })).changes ??
			[]
		);
	},
	forget: (id) => own('DELETE', `deployments/${encodeURIComponent(id)}`),
};
