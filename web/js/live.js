// Tells the views what changes, as it changes: one stream of server-sent events for the whole page. Where no stream
// can be had, a view is told again and again to look for itself.
import { connection, eventStream } from './api.js';
import { announceStream, mayStream, onShareChanged } from './windows.js';

const GAP_MS = 300; /* between two answers of one view to news */
const LATER_MS = 1000;
const FIRST_BYTES_MS = 5000; /* they come at once, unless something on the way holds them back */
const SILENCE_MS = 40000; /* the server says something each 15 s */
const RETRY_MS = 1000;
const STEADY_MS = 10000; /* what ends sooner did not work */
const SLOWEST_MS = 60000;
const START_MS = 400; /* that the first view waits for the stream at most */
/* One of each kind, of which nothing is told: the position then says of all kinds how far it is, for whatever view comes next. */
const KINDS = ['run:-', 'model:-', 'deployment:-'];
export const TOPICS_MAX = 100 - KINDS.length; /* the server takes no more in one stream */
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
	started() {} /* of startFollowing() */,

	/** Opens, closes or changes it, as those who follow and the tab want it. */
	sync() {
		const topics = new Set([...followers].flatMap((f) => f.topics.map(encodeTopic)));
		const wanted = [...KINDS, ...[...topics].sort()].join(',');
		if (document.hidden || topics.size > TOPICS_MAX || !mayStream()) {
			this.close();
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
		announceStream(false);
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
		const begun = Date.now();
		this.abort?.abort();
		this.abort = abort;
		announceStream(true);
		let silence = setTimeout(() => abort.abort(), FIRST_BYTES_MS);
		try {
			const said = () => {
				clearTimeout(silence);
				silence = setTimeout(() => abort.abort(), SILENCE_MS);
				if (this.isLive) return;
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
		if (abort !== this.abort) return;
		if (Date.now() - begun > STEADY_MS) this.failures = 0;
		this.again();
	},

	/* Not all pages of a server that comes back at the same moment. */
	again() {
		const pause = Math.min(RETRY_MS * 2 ** this.failures++, SLOWEST_MS);
		this.setLive(false);
		this.started();
		clearTimeout(this.timer);
		this.timer = setTimeout(() => this.open(), pause * (0.5 + Math.random() / 2));
	},

	/** At once, as when the server answers again. */
	now() {
		if (!this.abort || this.isLive) return;
		this.failures = 0;
		this.again();
	},

	tell({ id, kind, data }) {
		if (id) {
			this.lastId = id;
			this.started();
		}
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

onShareChanged(() => stream.sync());
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

/** Begins to follow. Done once it is known from where on changes are told, so that what is read from then on needs no
 * second look; or soon, where no stream can be had. */
export function startFollowing() {
	return new Promise((resolve) => {
		stream.started = resolve;
		setTimeout(resolve, START_MS);
		stream.sync();
		if (!stream.abort) resolve();
	});
}
