// The list of experiments: #/experiments?q=…&view=deleted&order=name
import { h, replace, setTitle, debounced } from '../dom.js';
import { experiments, quoteForLike, readRows, runs } from '../api.js';
import { formatMoment, plural, timeAgo } from '../format.js';
import { follow, LATER } from '../live.js';
import { onlyWhenNew, redraw } from '../redraw.js';
import { go, href, setParams } from '../router.js';
import {
	attempt,
	button,
	emptyState,
	errorState,
	loading,
	orderHead,
	searchBox,
	segmented,
	statusPill,
} from '../ui/controls.js';
import { confirmDialog, formDialog, isAsking, menuButton } from '../ui/dialog.js';
import { removeOrAsk } from '../ui/removal.js';
import { snippets } from './snippets.js';

const REFRESH_MS = 8000;
const LIST_GAP_MS = 2000; /* runs of all experiments come and go: no need to read them all each time */
const RECENT_RUNS = 100;
const ASKED_ALONE_MAX = 60;
const ORDERS = { name: 'name', created: 'creation_time', updated: 'last_update_time' };

export function experimentsView(main, route, signal) {
	let state = read(route);
	let list = null;
	let token = null;
	let wanted = 0; /* rows, once more than a page was asked for */
	let picked = new Set();
	const lastRuns = new Map(); /* experiment → its newest run, null if it has none */
	let generation = 0;
	const whenNew = onlyWhenNew();

	setTitle('Experiments');
	const search = debounced((text) => setParams({ q: text }, { replace: true }), 200);
	const viewChoice = segmented(
		'Which experiments',
		[
			{ value: '', text: 'Active' },
			{ value: 'deleted', text: 'Deleted' },
		],
		state.view,
		(v) => setParams({ view: v }),
	);
	const count = h('span.count-line', { role: 'status' });
	const open = button('Open together', {
		icon: 'columns',
		hidden: true,
		onclick: () => go(['runs'], { exp: [...picked].join(',') }),
	});
	const stage = h('div', loading());
	replace(
		main,
		h(
			'div.page',
			h(
				'div.page-head',
				h('h1', 'Experiments'),
				count,
				h('div.spacer'),
				searchBox('Search by name', state.q, search, { dataset: { shortcut: '/' } }),
				viewChoice.element,
				open,
				button('New experiment', { icon: 'plus', kind: 'primary', onclick: create }),
			),
			stage,
		),
	);

	function read({ params }) {
		return {
			q: params.get('q') ?? '',
			view: params.get('view') ?? '',
			order: params.get('order') ?? '-created',
		};
	}

	async function load() {
		const mine = ++generation;
		const descending = state.order.startsWith('-');
		const orderKey = ORDERS[state.order.replace(/^-/, '')] ?? 'creation_time';
		try {
			const query = {
				filter: state.q.trim() ? `name ILIKE ${quoteForLike(state.q.trim())}` : '',
				orderBy: [`${orderKey} ${descending ? 'DESC' : 'ASC'}`],
				viewType: state.view === 'deleted' ? 'DELETED_ONLY' : 'ACTIVE_ONLY',
			};
			const found = await readRows(
				(pageToken) => experiments.search({ ...query, pageToken }, signal),
				wanted,
			);
			if (mine !== generation) return;
			list = found.rows;
			token = found.token;
			draw();
			await loadLastRuns();
		} catch (e) {
			if (e.name === 'AbortError' || mine !== generation) return;
			if (!list)
				replace(
					stage,
					errorState(e, () => load()),
				);
			throw e;
		}
	}

	/* All that is shown is read again: what is on a page depends on those before it. */
	function loadMore() {
		wanted = list.length + 1;
		return load().catch(() => {});
	}

	/* One question for all rows: the newest runs, of which each experiment shows its first. */
	async function loadLastRuns() {
		if (!list.length || state.view === 'deleted') return;
		const page = await runs.search(
			{ experimentIds: list.slice(0, 1000).map((e) => e.experiment_id), maxResults: RECENT_RUNS },
			signal,
		);
		const found = new Map();
		for (const run of page.runs) {
			const known = found.get(run.experimentId) ?? { run, running: 0, isCut: Boolean(page.token) };
			found.set(run.experimentId, known);
			if (run.status === 'RUNNING') known.running++;
		}
		for (const [id, last] of found) lastRuns.set(id, last);
		draw();
		await askForOthers();
	}

	/* Experiments whose runs are all older than those are asked for theirs, once. */
	async function askForOthers() {
		const waiting = list.filter((e) => !lastRuns.has(e.experiment_id)).slice(0, ASKED_ALONE_MAX);
		const lane = async () => {
			while (waiting.length) {
				const id = waiting.shift().experiment_id;
				const { runs: newest } = await runs.search({ experimentIds: [id], maxResults: 1 }, signal);
				lastRuns.set(id, newest.length ? { run: newest[0], running: 0 } : null);
			}
		};
		if (!waiting.length) return;
		await Promise.all([lane(), lane(), lane(), lane()]);
		draw();
	}

	/* Only what changed is drawn again, so that a menu is left alone. */
	function draw() {
		const last = [...lastRuns].map(([id, x]) => [id, x?.run.id, x?.run.status, x?.running]);
		whenNew([list, token, state, [...picked], last], () => redraw(stage, drawList));
	}

	function drawList() {
		count.textContent = `${plural(list.length, 'experiment')}${token ? ' so far' : ''}`;
		open.hidden = picked.size < 2;
		if (!list.length) {
			replace(stage, nothing());
			return;
		}
		replace(
			stage,
			h(
				'div.table-wrap',
				h(
					'table.table',
					h(
						'thead',
						h(
							'tr',
							h('th.narrow', h('span.visually-hidden', 'Open together')),
							head('name', 'Name'),
							h('th', 'Last run'),
							head('updated', 'Changed', 'wide-only'),
							head('created', 'Created', 'wide-only'),
							h('th.narrow', h('span.visually-hidden', 'Actions')),
						),
					),
					h('tbody', list.map(row)),
				),
			),
			token && h('div.more', button('Load more', { onclick: loadMore })),
			list.length === 1 &&
				list[0].experiment_id === '0' &&
				![...lastRuns.values()].some(Boolean) &&
				state.view !== 'deleted' &&
				!state.q
				? firstSteps()
				: null,
		);
	}

	function head(id, text, kind = '') {
		return orderHead(id, text, {
			order: state.order,
			choose: (order) => setParams({ order }),
			isFirstDescending: id !== 'name',
			tag: `th${kind && `.${kind}`}`,
		});
	}

	function row(e) {
		const last = lastRuns.get(e.experiment_id);
		const isDeleted = e.lifecycle_stage === 'deleted';
		const note = e.tags['mlflow.note.content'];
		return h(
			'tr',
			{ dataset: { id: e.experiment_id } },
			h(
				'td.narrow',
				h('input', {
					type: 'checkbox',
					checked: picked.has(e.experiment_id),
					'aria-label': `Pick ${e.name}`,
					onchange: (x) => {
						picked[x.target.checked ? 'add' : 'delete'](e.experiment_id);
						open.hidden = picked.size < 2;
					},
				}),
			),
			h(
				'td.grow',
				h(
					'a.strong',
					{ href: href(['runs'], { exp: e.experiment_id, view: isDeleted ? 'deleted' : '' }) },
					e.name,
				),
				note && h('p.note-line', note),
				Object.entries(e.tags)
					.filter(([k]) => !k.startsWith('mlflow.'))
					.slice(0, 4)
					.map(([k, v]) => h('span.tag', { title: `${k}: ${v}` }, `${k}: ${v}`)),
			),
			h(
				'td.nowrap',
				last
					? [
							h(
								'a.quiet-link',
								{ href: href(['run', last.run.id]), title: last.run.name },
								timeAgo(last.run.start),
							),
							' ',
							last.running > 1
								? h(
										'span.pill.status-running',
										h('span.dot'),
										`${last.running}${last.isCut ? '+' : ''} running`,
									)
								: statusPill(last.run.status),
						]
					: h('span.faint', '–'),
			),
			h('td.nowrap.muted.wide-only', timeAgo(e.last_update_time)),
			h('td.nowrap.muted.wide-only', { title: formatMoment(e.creation_time) }, timeAgo(e.creation_time)),
			h(
				'td.narrow',
				menuButton(
					[
						{ text: 'Rename', icon: 'edit', run: () => rename(e), disabled: isDeleted },
						isDeleted
							? { text: 'Restore', icon: 'restore', run: () => restore(e) }
							: { text: 'Delete', icon: 'trash', danger: true, run: () => remove(e) },
					],
					{ label: `Actions for ${e.name}` },
				),
			),
		);
	}

	function nothing() {
		if (state.q)
			return emptyState({ icon: 'search', title: 'No experiment has such a name', text: state.q });
		if (state.view === 'deleted') return emptyState({ icon: 'trash', title: 'No deleted experiments' });
		return firstSteps();
	}

	function firstSteps() {
		return emptyState({
			title: 'Log the first run',
			text: 'Point a program at this server; its runs appear here while they log:',
			children: snippets('my-experiment'),
		});
	}

	function create() {
		return formDialog({
			title: 'New experiment',
			action: 'Create',
			fields: [{ name: 'name', label: 'Name', required: true }],
			submit: async ({ name }) => {
				const made = await experiments.create(name);
				go(['runs'], { exp: made.experiment_id });
			},
		});
	}

	function rename(e) {
		return formDialog({
			title: 'Rename the experiment',
			action: 'Rename',
			fields: [{ name: 'name', label: 'Name', value: e.name, required: true }],
			submit: async ({ name }) => {
				await experiments.rename(e.experiment_id, name);
				load();
			},
		});
	}

	async function remove(e) {
		if (
			await confirmDialog({
				title: `Delete “${e.name}”?`,
				text: 'The experiment and its runs move to “Deleted”, from where they can be restored.',
			})
		)
			if (
				await removeOrAsk(
					(force) => experiments.remove(e.experiment_id, force),
					`“${e.name}” deleted`,
				)
			)
				load().catch(() => {});
	}

	async function restore(e) {
		if (await attempt(() => experiments.restore(e.experiment_id), `“${e.name}” restored`))
			load().catch(() => {});
	}

	load().catch(() => {});
	follow(
		{
			topics: ['experiment:*'],
			changed: () => (isAsking() || picked.size ? LATER : load()),
			everyMs: REFRESH_MS,
			gapMs: LIST_GAP_MS,
		},
		signal,
	);
	return {
		update(next) {
			state = read(next);
			wanted = 0;
			viewChoice.set(state.view);
			picked = new Set();
			load().catch(() => {});
		},
		key: (e) => rowKeys(e, stage),
		retry: () => load().catch(() => {}),
	};
}

/** j, k and x in a plain table: moves between the links of its rows. */
export function rowKeys(e, stage) {
	const links = [...stage.querySelectorAll('tbody tr')].map((tr) => tr.querySelector('a')).filter(Boolean);
	const at = links.findIndex((a) => a.closest('tr').contains(document.activeElement));
	if (e.key === 'j' || e.key === 'k') {
		links[Math.max(0, Math.min(links.length - 1, e.key === 'j' ? at + 1 : at - 1))]?.focus();
		e.preventDefault();
	} else if (e.key === 'x' && at >= 0) {
		links[at].closest('tr').querySelector('input[type=checkbox]')?.click();
	}
}
