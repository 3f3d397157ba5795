// Tells the views what changes, as it changes: one stream of server-sent events for the whole page. Where no stream
// can be had, a view is told again and again to look for itself.
import { connection, eventStream } from './api.js';

const GAP_MS = 300; /* between two answers of one view to news */
const LATER_MS = 1000;
const FIRST_BYTES_MS = 5000; /* they come at once, unless something on the way holds them back */
const SILENCE_MS = 40000; /* the server says something each 15 s */
const RETRY_MS = 1000;
const SLOWEST_MS = 60000;
export const TOPICS_MAX = 100; /* the server takes no more in one stream */
const EVENTS_MAX = 500; /* that a view gets one by one; beyond, reading all again is less work */

/** What a view gives back to be told again a little later: while a dialog is open, say. */
export const LATER = Symbol('later');

/* --- what one view follows --- */

class Follower {
	constructor({ topics, changed, everyMs, gapMs = GAP_MS }, signal) {
		Object.assign(this, { topics, changed, gapMs, signal });
		this.everyMs = typeof everyMs === 'function' ? everyMs : () => everyMs;
		this.events = [];
		this.isAll = false;
		this.isLost = false;
		this.isBusy = false;
		this.isPutOff = false;
		this.failures = 0;
		this.doneAt = 0;
		this.timer = 0;
	}

	hear(event) {
		this.events.push(event);
		if (this.events.length > EVENTS_MAX) this.hearAll(true);
		else this.plan();
	}

	/** Anything may have changed; isLost: and events told of it that will not come again. */
	hearAll(isLost) {
		this.again(isLost);
		this.events = [];
		this.plan();
	}

	plan() {
		clearTimeout(this.timer);
		if (this.isBusy || this.signal.aborted || document.hidden) return;
		const since = Date.now() - this.doneAt;
		if (this.isAll || this.events.length)
			this.timer = setTimeout(() => this.answer(), this.pause() - since);
		else if (!stream.isLive) this.timer = setTimeout(() => this.hearAll(false), this.everyMs() - since);
	}

	pause() {
		if (this.isPutOff) return LATER_MS;
		return this.failures ? Math.min(this.everyMs() * 2 ** this.failures, SLOWEST_MS) : this.gapMs;
	}

	again(isLost) {
		this.isAll = true;
		this.isLost ||= isLost;
	}

	async answer() {
		const events = this.isAll ? null : this.events;
		const { isLost } = this;
		this.isAll = false;
		this.isLost = false;
		this.events = [];
		this.isBusy = true;
		try {
			this.isPutOff = (await this.changed(events, isLost)) === LATER;
			if (this.isPutOff) this.again(isLost);
			this.failures = 0;
		} catch (e) {
			if (e.name !== 'AbortError' && e.name !== 'ApiError') console.error(e);
			this.failures++;
			this.again(isLost || events !== null);
		}
		this.doneAt = Date.now();
		this.isBusy = false;
		this.plan();
	}
}

/* --- the one stream --- */

const followers = new Set();

const stream = {
	isLive: false,
	topics: '',
	lastId: '',
	abort: null,
	timer: 0,
	failures: 0,

	/** Opens, closes or changes it, as those who follow and the tab want it. */
	sync() {
		const topics = new Set([...followers].flatMap((f) => f.topics.map(encodeTopic)));
		const wanted = [...topics].sort().join(',');
		if (document.hidden || !wanted || topics.size > TOPICS_MAX) {
			this.close();
			if (!wanted) this.lastId = '';
		} else if (wanted !== this.topics || !this.abort) {
			this.close();
			this.topics = wanted;
			this.open();
		}
	},

	close() {
		clearTimeout(this.timer);
		this.abort?.abort();
		this.abort = null;
		this.topics = '';
		this.setLive(false);
	},

	setLive(isLive) {
		this.isLive = isLive;
		document.documentElement.dataset.live = isLive ? 'stream' : 'asking';
		for (const f of followers) f.plan();
	},

	async open() {
		const abort = new AbortController();
		const knewWhere = this.lastId !== '';
		this.abort?.abort();
		this.abort = abort;
		let silence = setTimeout(() => abort.abort(), FIRST_BYTES_MS);
		try {
			const said = () => {
				clearTimeout(silence);
				silence = setTimeout(() => abort.abort(), SILENCE_MS);
				if (this.isLive) return;
				this.failures = 0;
				/* What changed before the first stream stood, nobody told. */
				if (!knewWhere) for (const f of followers) f.hearAll(false);
				this.setLive(true);
			};
			const query = { topics: this.topics, last_event_id: this.lastId || undefined };
			for await (const event of eventStream(query, said, abort.signal)) {
				if (abort !== this.abort) return;
				this.tell(event);
			}
		} catch (e) {
			if (e.name !== 'AbortError' && e.name !== 'ApiError' && e.name !== 'TypeError') console.error(e);
		} finally {
			clearTimeout(silence);
		}
		if (abort === this.abort) this.again();
	},

	again() {
		this.setLive(false);
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.open(), Math.min(RETRY_MS * 2 ** this.failures++, SLOWEST_MS));
	},

	/** At once, as when the server answers again. */
	now() {
		if (!this.abort || this.isLive) return;
		this.failures = 0;
		this.again();
	},

	tell({ id, kind, data }) {
		if (id) this.lastId = id;
		if (!data) return;
		for (const f of followers)
			if (kind === 'reset') {
				if (data.topics.some((t) => f.topics.includes(t))) f.hearAll(true);
			} else if (f.topics.some((t) => isAbout(t, kind, data))) {
				f.hear({ kind, data });
			}
	},
};

/* "model:a,b" → ["model", "a,b"] */
const parts = (topic) => [topic.slice(0, topic.indexOf(':')), topic.slice(topic.indexOf(':') + 1)];
const encodeTopic = (topic) => parts(topic).map(encodeURIComponent).join(':');

function isAbout(topic, kind, data) {
	const [subject, id] = parts(topic);
	switch (kind) {
		case 'run':
			return subject === 'run'
				? id === data.run_id
				: isOf(subject, id, 'experiment', data.experiment_id);
		case 'experiment':
			return isOf(subject, id, 'experiment', data.experiment_id);
		case 'model':
			return isOf(subject, id, 'model', data.model);
		default:
			return subject === kind;
	}
}

const isOf = (subject, id, kind, value) => subject === kind && (id === '*' || id === value);

document.addEventListener('visibilitychange', () => {
	stream.sync();
	for (const f of followers) f.plan();
});
connection.addEventListener('reachable', () => {
	stream.now();
	for (const f of followers) {
		f.failures = 0;
		f.plan();
	}
});

/** topics: 'run:ID', 'experiment:3', 'model:NAME', 'deployment:*' …; more than TOPICS_MAX are looked at now and then.
 * Calls changed(events, isLost) after something happened to the topics, one call at a time. events: [{kind, data}], or
 * null when anything may have changed; isLost: more than an occasional look would find. If changed() fails or gives LATER, it is called again with null. Not while the tab is
 * hidden.
 * everyMs: how often to look without a stream, or a function of that. gapMs: least time between two calls. */
export function follow(options, signal) {
	const follower = new Follower(options, signal);
	followers.add(follower);
	follower.doneAt = Date.now(); /* the view loads by itself */
	const later = () => queueMicrotask(() => stream.sync());
	signal.addEventListener('abort', () => {
		clearTimeout(follower.timer);
		followers.delete(follower);
		later();
	});
	follower.plan();
	later();
}
