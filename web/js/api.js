// The server's HTTP interface: MLflow's REST under /ajax-api/2.0/ and trackerd's own under /api/trackerd/v1/.
import { toNumber } from './format.js';
import { readPref, writePref } from './theme.js';

const MLFLOW = 'ajax-api/2.0/mlflow/';
const ARTIFACTS = 'ajax-api/2.0/mlflow-artifacts/artifacts/';
const OWN = 'api/trackerd/v1/';
export const RUN_IDS_MAX = 200; /* of a GET: 41 bytes each, and heads end at 16 KiB */

/** An answer that is not 2xx, or none at all (status 0). `body` is the whole answer, for those that say more. */
export class ApiError extends Error {
	constructor(status, code, message, body = {}) {
		super(message);
		this.name = 'ApiError';
		this.status = status;
		this.code = code;
		this.body = body;
	}
}

function serverFromAddress() {
	const given = new URLSearchParams(location.search).get('server');
	if (given) {
		try {
			const url = new URL(given, location.href);
			if (url.protocol === 'http:' || url.protocol === 'https:')
				return url.href.replace(/[?#].*$/, '').replace(/\/*$/, '/');
		} catch {
			/* said below, as an unreachable server */
		}
	}
	return new URL('.', document.baseURI).href;
}

export const server = serverFromAddress();

/** 'reachable' and 'unreachable' are dispatched here. */
export const connection = new EventTarget();
let reachable = true;

function setReachable(now) {
	if (now === reachable) return;
	reachable = now;
	connection.dispatchEvent(new Event(now ? 'reachable' : 'unreachable'));
}

export function queryString(query) {
	const q = new URLSearchParams();
	for (const [key, value] of Object.entries(query ?? {}))
		for (const item of Array.isArray(value) ? value : [value])
			if (item !== undefined && item !== null) q.append(key, item);
	const text = q.toString();
	return text ? `?${text}` : '';
}

/** Who uses this browser, as the history of models tells it; "" if nobody said. */
export const userName = () => readPref('user', '');

export function setUserName(name) {
	writePref('user', name.trim() || null);
}

/** What headers carry of a text: the bytes of its UTF-8. */
const headerText = (text) => String.fromCharCode(...new TextEncoder().encode(text));

/* Reading tells nothing of the person, and from another origin needs no permission beforehand. */
function whoAndWhy() {
	const who = userName();
	return { 'X-Trackerd-Cause': 'web page', ...(who && { 'X-Trackerd-User': headerText(who) }) };
}

async function send(method, path, { query, body, signal, headers } = {}) {
	let reply;
	try {
		reply = await fetch(server + path + queryString(query), {
			method,
			signal,
			headers: {
				...(body !== undefined && { 'Content-Type': 'application/json' }),
				...(method !== 'GET' && whoAndWhy()),
				...headers,
			},
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch (e) {
		if (e.name === 'AbortError') throw e;
		setReachable(false);
		throw new ApiError(0, 'UNREACHABLE', `No answer from ${server}`);
	}
	setReachable(true);
	if (reply.ok) return reply;
	let problem = {};
	try {
		problem = await reply.json();
	} catch (e) {
		if (e.name === 'AbortError') throw e; /* the view that asked is gone */
		/* not ours: a proxy's page */
	}
	throw new ApiError(
		reply.status,
		problem.error_code ?? 'HTTP_ERROR',
		problem.message ?? `The server answered ${reply.status} ${reply.statusText}`.trim(),
		problem,
	);
}

const json = async (method, path, options) => parse(await send(method, path, options));

async function parse(reply) {
	const text = await reply.text();
	try {
		return text ? JSON.parse(text) : {};
	} catch {
		throw new ApiError(reply.status, 'NOT_JSON', `${server} does not answer like a tracking server.`);
	}
}

/** trackerd's own interface: own('GET', 'deployments', {query, body, headers, signal}). */
export const own = (method, path, options) => json(method, OWN + path, options);

/** The same with the answer's ETag as `etag`: for what is sent back with If-Match. */
export async function ownWithTag(method, path, options) {
	const reply = await send(method, OWN + path, options);
	return { ...(await parse(reply)), etag: reply.headers.get('ETag') };
}

/** Server-sent events. Calls said() whenever something comes, also if it is no event. Fails as requests do; ends when the
 * server ends it. → an iterator of {id, kind, data}; data is null for an id alone. */
export async function* eventStream(query, said, signal) {
	const reply = await fetch(`${server}${OWN}events${queryString(query)}`, {
		signal,
		headers: { Accept: 'text/event-stream' },
		cache: 'no-store',
	});
	if (!reply.ok || !reply.headers.get('Content-Type')?.startsWith('text/event-stream'))
		throw new ApiError(reply.status, 'NO_STREAM', 'There is no stream of events.');
	const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '';
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		said();
		const blocks = (text + value).split('\n\n');
		text = blocks.pop();
		for (const block of blocks) yield parseEvent(block);
	}
}

function parseEvent(block) {
	const event = { id: '', kind: 'message', data: null };
	const names = { id: 'id', event: 'kind', data: 'data' };
	for (const line of block.split('\n')) {
		const match = /^(id|event|data): ?(.*)$/.exec(line);
		if (match) event[names[match[1]]] = match[2];
	}
	if (event.data) event.data = JSON.parse(event.data);
	return event;
}

/** Only if the alias still has this revision; none without one. */
export const ifRevision = (revision) =>
	revision === undefined ? undefined : { 'If-Match': `"${revision}"` };

const get = (path, query, signal) => json('GET', MLFLOW + path, { query, signal });
const post = (path, body, signal) => json('POST', MLFLOW + path, { body, signal });
const patch = (path, body) => json('PATCH', MLFLOW + path, { body });
const del = (path, body, headers) => json('DELETE', MLFLOW + path, { body, headers });

/* --- shapes: the wire's lists become what the views look things up in --- */

export const toObject = (list) => Object.fromEntries((list ?? []).map((x) => [x.key, x.value ?? '']));

export function toRun(run) {
	const info = run.info;
	const data = run.data ?? {};
	const metrics = {};
	for (const m of data.metrics ?? [])
		metrics[m.key] = { value: toNumber(m.value), step: m.step ?? 0, timestamp: m.timestamp };
	return {
		id: info.run_id,
		experimentId: info.experiment_id,
		name: info.run_name || info.run_id,
		status: info.status ?? 'RUNNING',
		start: info.start_time || 0,
		end: info.end_time || 0,
		user: info.user_id ?? '',
		isDeleted: info.lifecycle_stage === 'deleted',
		artifactUri: info.artifact_uri ?? '',
		params: toObject(data.params),
		tags: toObject(data.tags),
		metrics,
		datasets: (run.inputs?.dataset_inputs ?? []).map((d) => ({ ...d.dataset, tags: toObject(d.tags) })),
		modelInputs: (run.inputs?.model_inputs ?? []).map((m) => m.model_id),
		modelOutputs: (run.outputs?.model_outputs ?? []).map((m) => ({ id: m.model_id, step: m.step ?? 0 })),
	};
}

/** A stage worth naming; "" for none. */
export const stageOf = (stage) => (stage === 'None' ? '' : (stage ?? ''));

function toVersion(v) {
	return {
		...v,
		tags: toObject(v.tags),
		aliases: v.aliases ?? [],
		run_id: v.run_id || null,
		stage: stageOf(v.current_stage),
		created: v.creation_timestamp,
	};
}

function toModel(m) {
	return {
		...m,
		tags: toObject(m.tags),
		aliases: m.aliases ?? [],
		latest_versions: (m.latest_versions ?? []).map(toVersion),
	};
}

const LOGGED_MODEL_STATUS = {
	LOGGED_MODEL_PENDING: 'Pending',
	LOGGED_MODEL_READY: 'Ready',
	LOGGED_MODEL_UPLOAD_FAILED: 'Upload failed',
};

export function toLoggedModel({ info, data }) {
	return {
		id: info.model_id,
		experimentId: info.experiment_id,
		name: info.name || info.model_id,
		status: LOGGED_MODEL_STATUS[info.status] ?? String(info.status ?? ''),
		type: info.model_type ?? '',
		runId: info.source_run_id || null,
		artifactUri: info.artifact_uri ?? '',
		created: info.creation_timestamp_ms || 0,
		updated: info.last_updated_timestamp_ms || 0,
		tags: toObject(info.tags),
		params: toObject(data?.params),
		metrics: (data?.metrics ?? []).map((m) => ({ ...m, value: toNumber(m.value), step: m.step ?? 0 })),
	};
}

/** A string for the filter language, which has no escapes: one of both quotation marks must not be in it. */
export function quoteText(text) {
	return text.includes("'") ? `"${text}"` : `'${text}'`;
}

/** A string for the filter language, which has no escapes: quotes it cannot hold become wildcards. */
export function quoteForLike(text) {
	return `'%${text.replaceAll("'", '_')}%'`;
}

/** Pages until there are so many rows, at least one. ask(pageToken) → {rows, token}. → the same, of all of them. */
export async function readRows(ask, count) {
	const rows = [];
	let token;
	do {
		const page = await ask(token);
		rows.push(...page.rows);
		token = page.token;
	} while (token && rows.length < count);
	return { rows, token };
}

export const experiments = {
	async search({ filter, orderBy, viewType, maxResults = 500, pageToken }, signal) {
		const r = await post(
			'experiments/search',
			{
				filter: filter || undefined,
				order_by: orderBy,
				view_type: viewType,
				max_results: maxResults,
				page_token: pageToken,
			},
			signal,
		);
		return {
			rows: (r.experiments ?? []).map((e) => ({ ...e, tags: toObject(e.tags) })),
			token: r.next_page_token,
		};
	},
	get: async (id, signal) => (await get('experiments/get', { experiment_id: id }, signal)).experiment,
	create: (name) => post('experiments/create', { name }),
	rename: (id, name) => post('experiments/update', { experiment_id: id, new_name: name }),
	remove: (id, force) => post('experiments/delete', { experiment_id: id, force }),
	restore: (id) => post('experiments/restore', { experiment_id: id }),
};

export const runs = {
	async search({ experimentIds, filter, orderBy, viewType, maxResults, pageToken }, signal) {
		const r = await post(
			'runs/search',
			{
				experiment_ids: experimentIds,
				filter: filter || undefined,
				order_by: orderBy,
				run_view_type: viewType,
				max_results: maxResults,
				page_token: pageToken,
			},
			signal,
		);
		return { runs: (r.runs ?? []).map(toRun), token: r.next_page_token };
	},
	get: async (id, signal) => toRun((await get('runs/get', { run_id: id }, signal)).run),
	rename: (id, name) => post('runs/update', { run_id: id, run_name: name }),
	/** force: also if a model version needs it; else that is refused (409). */
	remove: (id, force) => post('runs/delete', { run_id: id, force }),
	restore: (id) => post('runs/restore', { run_id: id }),
	setTag: (id, key, value) => post('runs/set-tag', { run_id: id, key, value }),
	deleteTag: (id, key) => post('runs/delete-tag', { run_id: id, key }),
};

export const loggedModels = {
	async search({ experimentIds, filter, orderBy, maxResults = 50, pageToken }, signal) {
		const r = await post(
			'logged-models/search',
			{
				experiment_ids: experimentIds,
				filter: filter || undefined,
				order_by: orderBy,
				max_results: maxResults,
				page_token: pageToken,
			},
			signal,
		);
		return { rows: (r.models ?? []).map(toLoggedModel), token: r.next_page_token };
	},
	get: async (id, signal) =>
		toLoggedModel((await get(`logged-models/${encodeURIComponent(id)}`, {}, signal)).model),
	remove: (id, force) =>
		json('DELETE', `${MLFLOW}logged-models/${encodeURIComponent(id)}`, { query: { force } }),
	setTag: (id, key, value) =>
		patch(`logged-models/${encodeURIComponent(id)}/tags`, { tags: [{ key, value }] }),
	deleteTag: (id, key) => del(`logged-models/${encodeURIComponent(id)}/tags/${encodeURIComponent(key)}`),
};

const CURVE_NUMBERS = ['firsts', 'lasts', 'mins', 'maxs'];

export const metrics = {
	/** → Map of run id → Map of metric key → summary. */
	async summary(runIds, signal) {
		const out = new Map();
		for (let i = 0; i < runIds.length; i += RUN_IDS_MAX) {
			const r = await json('GET', OWN + 'metrics/summary', {
				query: { run_ids: runIds.slice(i, i + RUN_IDS_MAX) },
				signal,
			});
			for (const run of r.runs ?? []) {
				const keys = new Map();
				for (const m of run.metrics ?? [])
					keys.set(m.key, {
						...m,
						last: toNumber(m.last),
						min: toNumber(m.min),
						max: toNumber(m.max),
					});
				out.set(run.run_id, keys);
			}
		}
		return out;
	},
	async curves({ runIds, keys, buckets, x, start, end }, signal) {
		const r = await json('GET', OWN + 'metrics/curves', {
			query: { run_ids: runIds, metric_keys: keys, buckets, x, start, end },
			signal,
		});
		for (const curve of r.curves ?? [])
			for (const name of CURVE_NUMBERS) curve[name] = curve[name].map(toNumber);
		return r.curves ?? [];
	},
};

const encodePath = (path) => path.split('/').map(encodeURIComponent).join('/');

/** "mlflow-artifacts:/1/abc/artifacts" → "1/abc/artifacts"; null for stores that are not the server's. */
export function proxyPath(uri) {
	const match = /^mlflow-artifacts:\/+(.*)$/.exec(uri ?? '');
	return match ? match[1].replace(/\/+$/, '') : null;
}

export const artifacts = {
	async list(runId, path, signal) {
		const files = [];
		let token;
		do {
			const r = await get(
				'artifacts/list',
				{ run_id: runId, path: path || undefined, page_token: token },
				signal,
			);
			files.push(...(r.files ?? []));
			token = r.next_page_token;
		} while (token);
		return files;
	},
	/** Of a path below `mlflow-artifacts:/`, which need not belong to a run. */
	async listPath(path, signal) {
		const r = await json('GET', ARTIFACTS.slice(0, -1), { query: { path }, signal });
		return (r.files ?? []).map((f) => ({ ...f, path: `${path}/${f.path}` }));
	},
	fileUrl: (path) => server + ARTIFACTS + encodePath(path),
	archiveUrl: (path, format) => `${server}${OWN}archive/${encodePath(path)}?format=${format}`,
	/** The first `limit` bytes. */
	async bytes(path, limit, signal) {
		const reply = await send('GET', ARTIFACTS + encodePath(path), {
			headers: limit ? { Range: `bytes=0-${limit - 1}` } : undefined,
			signal,
		});
		return new Uint8Array(await reply.arrayBuffer());
	},
	manifest: (path, signal) => json('GET', OWN + 'manifest/' + encodePath(path), { signal }),
};

export const models = {
	async search({ filter, orderBy, maxResults = 200, pageToken }, signal) {
		const r = await get(
			'registered-models/search',
			{
				filter: filter || undefined,
				order_by: orderBy,
				max_results: maxResults,
				page_token: pageToken,
			},
			signal,
		);
		return { rows: (r.registered_models ?? []).map(toModel), token: r.next_page_token };
	},
	get: async (name, signal) =>
		toModel((await get('registered-models/get', { name }, signal)).registered_model),
	create: (name, description) => post('registered-models/create', { name, description }),
	rename: (name, newName) => post('registered-models/rename', { name, new_name: newName }),
	describe: (name, description) => patch('registered-models/update', { name, description }),
	/** force: also if it holds a protected alias; else that is refused (403). */
	remove: (name, force) => del('registered-models/delete', { name, force }),
	setTag: (name, key, value) => post('registered-models/set-tag', { name, key, value }),
	deleteTag: (name, key) => del('registered-models/delete-tag', { name, key }),
	/** revision: of the alias as it was seen, "0" if there was none; whoever comes second is told so (412). */
	setAlias: (name, alias, version, { revision, reason } = {}) =>
		json('POST', MLFLOW + 'registered-models/alias', {
			body: { name, alias, version, reason },
			headers: ifRevision(revision),
		}),
	deleteAlias: (name, alias, { revision, reason } = {}) =>
		del('registered-models/alias', { name, alias, reason }, ifRevision(revision)),
};

export const versions = {
	async search(filter, signal) {
		const found = [];
		let token;
		do {
			const r = await get(
				'model-versions/search',
				{ filter, max_results: 1000, order_by: 'version_number DESC', page_token: token },
				signal,
			);
			found.push(...(r.model_versions ?? []).map(toVersion));
			token = r.next_page_token;
		} while (token);
		return found;
	},
	get: async (name, version, signal) =>
		toVersion((await get('model-versions/get', { name, version }, signal)).model_version),
	create: async (body) => toVersion((await post('model-versions/create', body)).model_version),
	describe: (name, version, description) => patch('model-versions/update', { name, version, description }),
	setStage: (name, version, stage, archiveOthers) =>
		post('model-versions/transition-stage', {
			name,
			version,
			stage,
			archive_existing_versions: archiveOthers,
		}),
	remove: (name, version, force) => del('model-versions/delete', { name, version, force }),
	setTag: (name, version, key, value) => post('model-versions/set-tag', { name, version, key, value }),
	deleteTag: (name, version, key) => del('model-versions/delete-tag', { name, version, key }),
	downloadUri: async (name, version, signal) =>
		(await get('model-versions/get-download-uri', { name, version }, signal)).artifact_uri,
};

export const system = { info: (signal) => own('GET', 'server', { signal }) };
