// The address is the state: #/view/argument?key=value. A view reads it on start and on each change of it.

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

export function parse(hash = location.hash) {
	const text = hash.replace(/^#\/?/, '');
	const at = text.indexOf('?');
	const path = at < 0 ? text : text.slice(0, at);
	const params = new URLSearchParams(at < 0 ? '' : text.slice(at + 1));
	const [view = '', ...args] = path.split('/').filter(Boolean).map(decode);
	return { view, args, params };
}

/** href(['run', id], {tab: 'charts'}); empty and missing values are left out. */
export function href(path, params = {}) {
	const q = new URLSearchParams();
	for (const [key, value] of Object.entries(params))
		if (value !== undefined && value !== null && value !== '' && value !== false) q.set(key, value);
	const query = q.toString().replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/');
	return `#/${path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

export function go(path, params) {
	location.hash = href(path, params);
}

/** Changes some parameters of the present address. replace: without an entry in the history. */
export function setParams(changes, { replace = false } = {}) {
	const { view, args, params } = parse();
	const next = Object.fromEntries(params);
	for (const [key, value] of Object.entries(changes)) next[key] = value;
	const target = href(view ? [view, ...args] : [], next);
	if (target === (location.hash || '#/')) return;
	if (replace) {
		history.replaceState(history.state, '', target);
		listener?.();
	} else {
		location.hash = target;
	}
}

let listener = null;

export function onRoute(fn) {
	listener = fn;
	window.addEventListener('hashchange', fn);
	fn();
}
