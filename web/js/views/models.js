// The registry's list: #/models?q=…
import { debounced, h, replace, setTitle } from '../dom.js';
import { models, quoteForLike, readRows } from '../api.js';
import { plural, timeAgo } from '../format.js';
import { follow, LATER } from '../live.js';
import { redraw } from '../redraw.js';
import { go, href, setParams } from '../router.js';
import { button, emptyState, errorState, loading, orderHead, searchBox, trkCommand } from '../ui/controls.js';
import { formDialog, isAsking } from '../ui/dialog.js';
import { rowKeys } from './experiments.js';

const REFRESH_MS = 10000;
const ALIASES_SHOWN = 6;
const ORDERS = { name: 'name', updated: 'last_updated_timestamp' };

export function modelsView(main, route, signal) {
	let state = read(route);
	let list = null;
	let token = null;
	let wanted = 0; /* rows, once more than a page was asked for */
	let generation = 0;
	setTitle('Models');
	const count = h('span.count-line', { role: 'status' });
	const stage = h('div', loading());
	const search = debounced((text) => setParams({ q: text }, { replace: true }), 200);
	replace(
		main,
		h(
			'div.page',
			h(
				'div.page-head',
				h('h1', 'Models'),
				count,
				h('div.spacer'),
				searchBox('Search by name', state.q, search, { dataset: { shortcut: '/' } }),
				button('New model', { icon: 'plus', kind: 'primary', onclick: create }),
			),
			stage,
		),
	);

	function read({ params }) {
		return { q: params.get('q') ?? '', order: params.get('order') ?? 'name' };
	}

	async function load() {
		const mine = ++generation;
		const name = ORDERS[state.order.replace(/^-/, '')] ?? 'name';
		try {
			const query = {
				filter: state.q.trim() ? `name ILIKE ${quoteForLike(state.q.trim())}` : '',
				orderBy: `${name} ${state.order.startsWith('-') ? 'DESC' : 'ASC'}`,
			};
			const found = await readRows(
				(pageToken) => models.search({ ...query, pageToken }, signal),
				wanted,
			);
			if (mine !== generation) return;
			list = found.rows;
			token = found.token;
			redraw(stage, draw);
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

	function head(id, text) {
		return orderHead(id, text, {
			order: state.order,
			choose: (order) => setParams({ order }),
			isFirstDescending: id === 'updated',
		});
	}

	function draw() {
		count.textContent = `${plural(list.length, 'model')}${token ? ' so far' : ''}`;
		if (!list.length) {
			replace(
				stage,
				state.q
					? emptyState({ icon: 'search', title: 'No model has such a name', text: state.q })
					: emptyState({
							icon: 'model',
							title: 'No models yet',
							text: 'Open a run and press “Register model”, or from a shell:',
							children: trkCommand('models register RUN PATH --name MODEL'),
						}),
			);
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
							head('name', 'Name'),
							h('th', 'Latest'),
							h('th', 'Aliases'),
							h('th', 'Stages'),
							head('updated', 'Changed'),
						),
					),
					h('tbody', list.map(row)),
				),
			),
			token && h('div.more', button('Load more', { onclick: loadMore })),
		);
	}

	function row(m) {
		const latest = m.latest_versions.reduce(
			(most, v) => (!most || Number(v.version) > Number(most.version) ? v : most),
			null,
		);
		return h(
			'tr',
			{ dataset: { name: m.name } },
			h(
				'td.grow',
				h('a.strong', { href: href(['model', m.name]) }, m.name),
				m.description && h('p.note-line', m.description),
				Object.entries(m.tags)
					.filter(([k]) => !k.startsWith('mlflow.'))
					.slice(0, 4)
					.map(([k, v]) => h('span.tag', { title: `${k}: ${v}` }, `${k}: ${v}`)),
			),
			h(
				'td.nowrap',
				latest
					? h(
							'a',
							{ href: href(['model', m.name], { version: latest.version }) },
							`v${latest.version}`,
						)
					: h('span.faint', 'no version'),
			),
			h(
				'td',
				m.aliases
					.slice(0, ALIASES_SHOWN)
					.map((a) =>
						h(
							'a.tag.alias',
							{ href: href(['model', m.name], { version: a.version }), title: a.alias },
							`@${a.alias} → v${a.version}`,
						),
					),
				m.aliases.length > ALIASES_SHOWN &&
					h(
						'a.quiet-link',
						{ href: href(['model', m.name]) },
						`and ${m.aliases.length - ALIASES_SHOWN} more`,
					),
			),
			h(
				'td',
				m.latest_versions
					.filter((v) => v.stage)
					.map((v) => h('span.tag', `${v.stage}: v${v.version}`)),
			),
			h('td.nowrap.muted', timeAgo(m.last_updated_timestamp)),
		);
	}

	function create() {
		return formDialog({
			title: 'New model',
			action: 'Create',
			fields: [
				{ name: 'name', label: 'Name', required: true },
				{ name: 'description', label: 'Description', multiline: true },
			],
			submit: async ({ name, description }) => {
				await models.create(name, description || undefined);
				go(['model', name]);
			},
		});
	}

	load().catch(() => {});
	follow(
		{
			topics: ['model:*'],
			changed: () => (isAsking() ? LATER : load()),
			everyMs: REFRESH_MS,
		},
		signal,
	);
	return {
		update(next) {
			state = read(next);
			wanted = 0;
			load().catch(() => {});
		},
		key: (e) => rowKeys(e, stage),
		retry: () => load().catch(() => {}),
	};
}
