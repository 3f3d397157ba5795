// The runs of a table: loaded page after page in the background, kept current by small questions.
import { metrics, runs, RUN_IDS_MAX } from './api.js';
import { comparator, serverOrder } from './columns.js';

const FIRST_PAGE = 100; /* small, so that something stands there at once */
const PAGE = 1000;
const ROWS_MAX = 100000; /* what a tab should hold */
const TOLD_MAX = 300; /* runs that events name; more of them come faster as a whole */

/** query: {experimentIds, filter, order, viewType}. changed(what) is called when rows changed. */
export class RunSet {
	constructor(query, signal, changed) {
		this.query = query;
		this.signal = signal;
		this.changed = changed;
		this.rows = [];
		this.byId = new Map();
		this.keys = { params: new Map(), metrics: new Map(), tags: new Map() };
		this.isComplete = false;
		this.isCut = false;
		this.early = []; /* events that came while it loaded */
		this.error = null;
		this.summaryWanted = new Set();
		this.summaryAll = false;
	}

	async load() {
		let pageToken;
		this.error = null;
		const orderBy = serverOrder(this.query.order);
		const sortHere = orderBy === null;
		do {
			const page = await runs.search(
				{
					...this.query,
					orderBy: orderBy?.length ? orderBy : undefined,
					maxResults: pageToken ? PAGE : FIRST_PAGE,
					pageToken,
				},
				this.signal,
			);
			for (const run of page.runs) this.add(run);
			pageToken = page.token;
			this.isComplete = !pageToken;
			if (sortHere && this.isComplete) await this.sortHere();
			this.changed('loaded');
			if (this.rows.length >= ROWS_MAX && pageToken) {
				this.isCut = true;
				return;
			}
		} while (pageToken);
		if (this.early.length) await this.refresh(this.early.splice(0));
	}

	/* For orders that the server does not know: smallest and largest values, durations. */
	async sortHere() {
		if (this.query.order.col.needsSummary) {
			this.summaryAll = true;
			await this.fetchSummaries(this.rows.filter((r) => !r.summary).map((r) => r.id));
		}
		this.rows.sort(comparator(this.query.order));
	}

	add(run) {
		const known = this.byId.get(run.id);
		if (known) {
			Object.assign(known, run);
			this.count(known);
			return false;
		}
		this.byId.set(run.id, run);
		this.rows.push(run);
		this.count(run);
		return true;
	}

	count(run) {
		for (const group of ['params', 'metrics', 'tags'])
			for (const key of Object.keys(run[group]))
				if (!this.keys[group].has(key)) this.keys[group].set(key, true);
	}

	/** Fetches smallest and largest values for some rows, once. */
	async wantSummaries(rows) {
		const ids = rows.filter((r) => !r.summary && !this.summaryWanted.has(r.id)).map((r) => r.id);
		if (!ids.length) return;
		await this.fetchSummaries(ids);
		this.changed('summaries');
	}

	async fetchSummaries(ids) {
		for (const id of ids) this.summaryWanted.add(id);
		for (let i = 0; i < ids.length; i += RUN_IDS_MAX) {
			const part = ids.slice(i, i + RUN_IDS_MAX);
			try {
				const found = await metrics.summary(part, this.signal);
				for (const id of part) this.byId.get(id).summary = found.get(id) ?? new Map();
			} catch (e) {
				for (const id of part) this.summaryWanted.delete(id);
				throw e;
			}
		}
	}

	/** What events tell of: [{kind, data}]. Without any, what can have changed: runs that started since, and runs that were
	 * running; of runs that ended, events or isThorough tell. */
	async refresh(events, isThorough = false) {
		if (!this.isComplete) {
			this.early.push(...(events ?? []));
			return;
		}
		const ids = events && [...new Set(events.filter((e) => e.kind === 'run').map((e) => e.data.run_id))];
		if (isThorough || ids?.length > TOLD_MAX) await this.mergeAll();
		else if (ids) await this.merge(await this.searchIds(ids, true), ids);
		else
			await this.merge([
				...(await this.searchNewer()),
				...(await this.searchIds(this.running(), false)),
			]);
	}

	async mergeAll() {
		const all = await this.searchAll(this.query.filter || undefined);
		await this.merge(all, [...this.byId.keys()]);
	}

	running() {
		return this.rows.filter((r) => r.status === 'RUNNING').map((r) => r.id);
	}

	searchNewer() {
		const newest = this.rows.reduce((most, r) => Math.max(most, r.start), 0);
		return this.searchAll(this.withFilter(`attributes.start_time >= ${newest}`));
	}

	async searchIds(ids, isFiltered) {
		const found = [];
		for (let i = 0; i < ids.length; i += PAGE) {
			const list = ids
				.slice(i, i + PAGE)
				.map((id) => `'${id}'`)
				.join(', ');
			const filter = `attributes.run_id IN (${list})`;
			found.push(...(await this.searchAll(isFiltered ? this.withFilter(filter) : filter)));
		}
		return found;
	}

	withFilter(condition) {
		return this.query.filter ? `${condition} AND (${this.query.filter})` : condition;
	}

	/* asked: those that are gone from the table if they were not found. */
	async merge(found, asked = []) {
		let news = 0;
		let changes = 0;
		for (const run of found) {
			const known = this.byId.get(run.id);
			if (!known) {
				news++;
			} else if (!differs(known, run)) {
				continue;
			} else {
				run.summary = undefined;
				this.summaryWanted.delete(run.id);
			}
			changes++;
			this.add(run);
		}
		const there = new Set(found.map((r) => r.id));
		const gone = asked.filter((id) => !there.has(id) && this.byId.has(id));
		if (gone.length) this.remove(gone);
		if (!changes && !gone.length) return;
		if (this.summaryAll)
			await this.fetchSummaries(found.filter((r) => !this.byId.get(r.id).summary).map((r) => r.id));
		this.rows.sort(comparator(this.query.order));
		this.changed('refreshed', news);
	}

	async searchAll(filter) {
		const found = [];
		let pageToken;
		do {
			const page = await runs.search(
				{
					experimentIds: this.query.experimentIds,
					viewType: this.query.viewType,
					filter,
					maxResults: PAGE,
					pageToken,
				},
				this.signal,
			);
			found.push(...page.runs);
			pageToken = page.token;
		} while (pageToken && found.length < ROWS_MAX);
		return found;
	}

	remove(ids) {
		const gone = new Set(ids);
		this.rows = this.rows.filter((r) => !gone.has(r.id));
		for (const id of ids) this.byId.delete(id);
	}
}

function differs(a, b) {
	if (a.status !== b.status || a.name !== b.name || a.end !== b.end) return true;
	const keys = Object.keys(b.metrics);
	if (
		keys.length !== Object.keys(a.metrics).length ||
		Object.keys(a.params).length !== Object.keys(b.params).length ||
		Object.keys(a.tags).length !== Object.keys(b.tags).length
	)
		return true;
	return (
		keys.some((k) => {
			const x = a.metrics[k];
			const y = b.metrics[k];
			return !x || x.step !== y.step || x.timestamp !== y.timestamp || !Object.is(x.value, y.value);
		}) || Object.keys(b.tags).some((k) => a.tags[k] !== b.tags[k])
	);
}
