// Builds DOM without markup strings: text from the server only ever becomes text nodes and attributes.

const PROPERTIES = new Set([
	'value',
	'checked',
	'disabled',
	'hidden',
	'indeterminate',
	'selected',
	'tabIndex',
	'textContent',
	'open',
	'readOnly',
	'required',
]);

function isProps(value) {
	return value !== null && typeof value === 'object' && !(value instanceof Node) && !Array.isArray(value);
}

function setProp(element, name, value) {
	if (name === 'style') for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
	else if (name === 'dataset') Object.assign(element.dataset, value);
	else if (name === 'class') element.classList.add(...value.split(' ').filter(Boolean));
	else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
	else if (PROPERTIES.has(name)) element[name] = value;
	else if (name.startsWith('aria-')) element.setAttribute(name, String(value));
	else if (typeof value === 'boolean') element.toggleAttribute(name, value);
	else element.setAttribute(name, value);
}

export function append(parent, ...children) {
	for (const child of children) {
		if (child === null || child === undefined || child === false || child === true) continue;
		if (Array.isArray(child)) append(parent, ...child);
		else parent.append(child instanceof Node ? child : String(child));
	}
	return parent;
}

/** h('a.button.primary', {href: '#/'}, 'Text', otherNode, [more]) → an element. */
export function h(tag, ...rest) {
	const [name, ...classes] = tag.split('.');
	const element = document.createElement(name || 'div');
	if (classes.length) element.className = classes.join(' ');
	if (isProps(rest[0])) {
		for (const [key, value] of Object.entries(rest.shift()))
			if (value !== undefined && value !== null) setProp(element, key, value);
	}
	return append(element, ...rest);
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same for SVG; attributes only. */
export function svg(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);
	for (const [key, value] of Object.entries(attributes))
		if (value !== undefined && value !== null) element.setAttribute(key, value);
	return append(element, ...children);
}

export function replace(parent, ...children) {
	parent.replaceChildren();
	return append(parent, ...children);
}

/** Makes these the children of parent; those that are there already and in order are not touched. */
export function arrange(parent, nodes) {
	const wanted = new Set(nodes);
	for (const child of [...parent.childNodes]) if (!wanted.has(child)) child.remove();
	let next = parent.firstChild;
	for (const node of nodes) {
		if (node === next) next = next.nextSibling;
		else parent.insertBefore(node, next);
	}
}

/** Collects calls into one per frame. */
export function framed(fn) {
	let pending = 0;
	const run = (...args) => {
		if (!pending)
			pending = requestAnimationFrame(() => {
				pending = 0;
				fn(...args);
			});
	};
	run.cancel = () => {
		cancelAnimationFrame(pending);
		pending = 0;
	};
	return run;
}

export function debounced(fn, ms) {
	let timer = 0;
	const run = (...args) => {
		clearTimeout(timer);
		timer = setTimeout(() => fn(...args), ms);
	};
	run.cancel = () => clearTimeout(timer);
	return run;
}

/** Something to abort alone that also ends with `signal`. */
export function childAbort(signal) {
	const own = new AbortController();
	return { signal: AbortSignal.any([signal, own.signal]), abort: () => own.abort() };
}

/** A link target taken from data: only http(s) may become one. */
export function safeUrl(text) {
	try {
		const url = new URL(text);
		return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
	} catch {
		return null;
	}
}

/** Says a sentence to screen readers. */
export function announce(text) {
	const region = document.getElementById('announcer');
	if (region) region.textContent = text;
}

export function setTitle(...parts) {
	document.title = [...parts.filter(Boolean), 'trackerd'].join(' · ');
}

export function isTyping(target) {
	return (
		target instanceof HTMLElement &&
		(target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
		!['checkbox', 'radio', 'range', 'button'].includes(target.type)
	);
}
