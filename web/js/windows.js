// Shares the few connections that a browser gives a server (six over HTTP/1.1, for all its windows together): of the windows
// in sight, those that were looked at last have a stream.
import { server } from './api.js';

export const STREAMS_MAX = 3; /* the other half stays for requests */

const channel = new BroadcastChannel(`trackerd streams of ${server}`);
const own = { id: crypto.getRandomValues(new Uint32Array(2)).join('-'), at: Date.now(), has: false };
const others = new Map(); /* id → since when it has a stream */
let changed = () => {};

/* Of two at one moment, one is later for all who look. */
const isLater = (at, id) => at > own.at || (at === own.at && id > own.id);

function isCrowded() {
	let later = 0;
	for (const [id, at] of others) later += isLater(at, id);
	return later >= STREAMS_MAX;
}

channel.addEventListener('message', ({ data: { id, at } }) => {
	if (at) others.set(id, at);
	else others.delete(id);
	changed();
});

/** This window has a stream, or none any more. */
export function announceStream(has) {
	if (has) own.at = Date.now();
	if (has || own.has) channel.postMessage({ id: own.id, at: has ? own.at : 0 });
	own.has = has;
}

/** May this window have a stream? */
export const mayStream = () => !isCrowded();

/** Calls fn() when mayStream() may say something else. Looked at, a window is the first again. */
export function onShareChanged(fn) {
	changed = fn;
	window.addEventListener('focus', () => {
		own.at = Date.now();
		if (own.has) announceStream(true);
		changed();
	});
}
