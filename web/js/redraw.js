// Draws anew what somebody is using: focus, selected text, what is unfolded and how far boxes are scrolled stay as they are.

/* What tells an element from its neighbours, also after some of them came or went. */
const KEYS = ['deployment', 'alias', 'version', 'seq', 'name', 'key', 'environment', 'chip', 'id', 'model'];

/** Calls draw(), which replaces nodes below root. */
export function redraw(root, draw) {
	const recall = [keepScrolled(root), keepUnfolded(root), keepSelected(root), keepFocus(root)];
	draw();
	for (const again of recall) again();
}

/** → a function draw(data, fn) that calls fn() only when data is not as it was the last time. */
export function onlyWhenNew() {
	let known;
	return (data, fn) => {
		const text = JSON.stringify(data);
		if (text === known) return;
		known = text;
		fn();
	};
}

function keepScrolled(root) {
	const kept = [...root.querySelectorAll('.table-wrap, .scrolls, pre')]
		.filter((e) => e.scrollTop || e.scrollLeft)
		.map((e) => [pathOf(root, e), e.scrollTop, e.scrollLeft]);
	return () => {
		for (const [path, top, left] of kept) find(root, path)?.scrollTo({ top, left, behavior: 'instant' });
	};
}

function keepUnfolded(root) {
	const paths = [...root.querySelectorAll('details[open]')].map((e) => pathOf(root, e));
	return () => {
		for (const path of paths) find(root, path)?.setAttribute('open', '');
	};
}

function keepSelected(root) {
	const s = getSelection();
	if (s.isCollapsed || !(root.contains(s.anchorNode) || root.contains(s.focusNode))) return () => {};
	const ends = [s.anchorNode, s.focusNode].map((n) => (root.contains(n) ? pathOf(root, n) : n));
	const offsets = [s.anchorOffset, s.focusOffset];
	return () => {
		const nodes = ends.map((end) => (end instanceof Node ? end : find(root, end)));
		if (nodes.some((n, i) => !n || offsets[i] > lengthOf(n))) return;
		s.setBaseAndExtent(nodes[0], offsets[0], nodes[1], offsets[1]);
	};
}

const lengthOf = (node) => (node instanceof Text ? node.length : node.childNodes.length);

/* Without it the next of its row or of what is around it gets the focus, not the beginning of the page. */
function keepFocus(root) {
	const e = document.activeElement;
	if (!e || e === root || !root.contains(e)) return () => {};
	const path = pathOf(root, e);
	return () => {
		if (e.isConnected && document.activeElement === e) return;
		const same = find(root, path);
		const next = same ?? nearest(root, path)?.querySelector('a, button, select, input');
		next?.focus({ preventScroll: true });
	};
}

/* --- where a node is: steps from root, each with a key if there is one --- */

function pathOf(root, node) {
	const path = [];
	for (let n = node; n !== root; n = n.parentNode)
		path.unshift({ name: n.nodeName, key: keyOf(n), index: [...n.parentNode.childNodes].indexOf(n) });
	return path;
}

function keyOf(node) {
	const name = KEYS.find((k) => node.dataset?.[k] !== undefined);
	return name ? `${name} ${node.dataset[name]}` : (node.ariaLabel ?? '');
}

function step(parent, { name, key, index }) {
	const isIt = (n) => n?.nodeName === name && keyOf(n) === key;
	const there = parent.childNodes[index];
	return isIt(there) ? there : key ? [...parent.childNodes].find(isIt) : undefined;
}

const find = (root, path) => path.reduce((node, s) => node && step(node, s), root);

function nearest(root, path) {
	let node = root;
	for (const s of path) {
		const next = step(node, s);
		if (!next) break;
		node = next;
	}
	return node === root ? null : node;
}
