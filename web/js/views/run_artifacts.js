// The files of a run: a tree on the left, a preview on the right. #/run/ID?tab=artifacts&path=model/README.md
import { childAbort, h, replace } from '../dom.js';
import { artifacts, proxyPath } from '../api.js';
import { formatBytes } from '../format.js';
import { setParams } from '../router.js';
import { button, emptyState, errorState, linkButton, loading } from '../ui/controls.js';
import { menuButton } from '../ui/dialog.js';
import { icon } from '../ui/icons.js';
import { showPreview } from '../preview.js';
import { registerDialog } from './register.js';

const base = (path) => path.slice(path.lastIndexOf('/') + 1);
const parent = (path) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '');

/** A browser over any tree of the server's store. list(path) → files; root: proxy path or null. */
export function artifactBrowser(body, { list, root, path, signal, choose, actions = () => [] }) {
	const open = new Set(['']);
	let known = new Map();
	const tree = h('div.tree', { role: 'tree', 'aria-label': 'Files', onkeydown: onKey });
	const view = h('div.preview');
	let current = path;
	let previewing = null;

	for (let p = parent(path); p; p = parent(p)) open.add(p);

	/* Its files as they are listed: directories first. */
	async function fetchDirectory(dir) {
		const files = await list(dir);
		return files.sort(
			(a, b) =>
				Number(b.is_dir ?? false) - Number(a.is_dir ?? false) ||
				a.path.localeCompare(b.path, 'en', { numeric: true }),
		);
	}

	/* Those that are open, from the top; one that is gone is empty. What is known stays until all of it is there. */
	async function fetchOpen() {
		const fresh = new Map();
		for (const dir of [...open].sort((a, b) => a.length - b.length)) {
			const files = await fetchDirectory(dir).catch((e) => {
				if (!dir || e.name === 'AbortError') throw e;
				return [];
			});
			fresh.set(dir, files);
		}
		for (const [dir, files] of known) if (open.has(dir) && !fresh.has(dir)) fresh.set(dir, files);
		known = fresh;
	}

	async function start() {
		replace(tree, loading());
		try {
			await fetchOpen();
		} catch (e) {
			if (e.name !== 'AbortError') replace(body, errorState(e, start));
			return;
		}
		if (!known.get('').length) {
			replace(
				body,
				emptyState({
					icon: 'folder',
					title: 'No artifacts',
					text: 'Files and directories that the run logs are listed here.',
				}),
			);
			return;
		}
		replace(body, h('div.artifact-browser', tree, view));
		draw();
		if (fileOf(current)?.is_dir) await toggle(current, true);
		show();
	}

	const fileOf = (p) => known.get(parent(p))?.find((f) => f.path === p);

	function node(file, depth) {
		const isOpen = open.has(file.path);
		const item = h(
			'button.tree-item',
			{
				type: 'button',
				role: 'treeitem',
				'aria-level': depth + 1,
				tabIndex: file.path === current ? 0 : -1,
				'aria-selected': file.path === current,
				'aria-expanded': file.is_dir ? isOpen : null,
				style: { 'padding-left': `${8 + depth * 16}px` },
				dataset: { path: file.path },
				onclick: () => {
					if (file.is_dir) toggle(file.path, file.path !== current ? true : !isOpen);
					choose(file.path);
				},
			},
			file.is_dir ? icon('right', 12) : h('span.tree-gap'),
			icon(file.is_dir ? 'folder' : 'file'),
			h('span.tree-name', base(file.path)),
			!file.is_dir && h('span.tree-size', formatBytes(file.file_size ?? 0)),
		);
		return [
			item,
			file.is_dir && isOpen ? (known.get(file.path) ?? []).map((f) => node(f, depth + 1)) : null,
		];
	}

	function draw() {
		const focused = document.activeElement?.dataset?.path;
		replace(
			tree,
			known.get('').map((f) => node(f, 0)),
		);
		if (!tree.querySelector('[tabindex="0"]') && tree.firstElementChild)
			tree.firstElementChild.tabIndex = 0;
		if (focused !== undefined)
			tree.querySelector(`[data-path="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	}

	async function toggle(dir, now) {
		if (now) {
			open.add(dir);
			if (!known.has(dir)) {
				const files = await fetchDirectory(dir).catch(() => []);
				known.set(dir, files);
			}
		} else {
			open.delete(dir);
		}
		draw();
	}

	function onKey(e) {
		const items = [...tree.querySelectorAll('.tree-item')];
		const at = items.indexOf(document.activeElement);
		const file = fileOf(document.activeElement?.dataset?.path ?? '');
		const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[e.key];
		if (step) items[Math.max(0, Math.min(items.length - 1, at + step))]?.focus();
		else if (e.key === 'ArrowRight' && file?.is_dir) toggle(file.path, true);
		else if (e.key === 'ArrowLeft' && file?.is_dir && open.has(file.path)) toggle(file.path, false);
		else if (e.key === 'ArrowLeft' && file)
			tree.querySelector(`[data-path="${CSS.escape(parent(file.path))}"]`)?.focus();
		else return;
		e.preventDefault();
		e.stopPropagation();
	}

	function show() {
		previewing?.abort();
		previewing = childAbort(signal);
		const file = current ? fileOf(current) : { path: '', is_dir: true };
		if (!file) {
			replace(view, errorState({ status: 404, message: `There is no “${current}”.` }));
			return;
		}
		const full = root === null ? null : [root, current].filter(Boolean).join('/');
		const body = h('div.preview-body');
		replace(
			view,
			h(
				'header.preview-head',
				h('h3', { title: current }, current ? base(current) : 'All artifacts'),
				!file.is_dir && h('span.faint', formatBytes(file.file_size ?? 0)),
				h('div.spacer'),
				actions(file),
				full !== null &&
					(file.is_dir
						? menuButton(
								['tar.gz', 'zip', 'tar', 'tar.zst'].map((f) => ({
									text: `as ${f}`,
									icon: 'download',
									href: artifacts.archiveUrl(full, f),
									download: `${base(full)}.${f}`,
								})),
								{
									label: 'Download the directory',
									text: 'Download',
									icon: 'download',
									kind: 'small',
								},
							)
						: linkButton('Download', {
								icon: 'download',
								kind: 'small',
								href: artifacts.fileUrl(full),
								download: base(current),
							})),
			),
			body,
		);
		if (full === null)
			replace(
				body,
				h('p.pad.faint', 'These files are in a store of their own, which this page cannot read.'),
			);
		else if (file.is_dir) showDirectory(body, full, previewing.signal);
		else showPreview(body, full, file.file_size ?? 0, previewing.signal);
	}

	async function showDirectory(box, full, s) {
		replace(box, loading());
		try {
			const m = await artifacts.manifest(full, s);
			replace(
				box,
				h(
					'dl.facts.pad',
					h('dt', 'Files'),
					h('dd', String(m.file_count ?? 0)),
					h('dt', 'Size'),
					h('dd', formatBytes(m.byte_count ?? 0)),
					h('dt', 'Digest of the tree'),
					h('dd', h('code.wrap', m.tree_sha256)),
				),
			);
		} catch (e) {
			if (e.name !== 'AbortError') replace(box, h('p.pad.faint', e.message));
		}
	}

	/* More files came: the tree as it is open, the preview as it is. */
	async function reload() {
		if (!known.get('')?.length) return start();
		await fetchOpen();
		draw();
		return null;
	}

	start();
	return {
		reload,
		select(next) {
			if (next === current) return;
			current = next;
			if (known.has('')) {
				draw();
				show();
			}
		},
	};
}

export function artifactsTab(body, { run, params, signal }) {
	const browser = artifactBrowser(body, {
		list: (path) => artifacts.list(run.id, path, signal),
		root: proxyPath(run.artifactUri),
		path: params.get('path') ?? '',
		signal,
		choose: (path) => setParams({ path }),
		actions: (file) =>
			file.path && !run.isDeleted
				? button('Register', {
						icon: 'model',
						kind: 'small',
						onclick: () => registerDialog(run, file.path),
					})
				: null,
	});
	return {
		update: (next) => browser.select(next.get('path') ?? ''),
		refresh(nextRun, nextSummary, changed, events) {
			if (!events || events.some((e) => e.data.what.includes('artifacts'))) browser.reload();
		},
	};
}
