// Parameters, metrics and facts of several runs side by side; rows that differ stand out.
import { h, replace } from '../dom.js';
import { durationOf, formatDate, numberNode, shortId } from '../format.js';
import { href, setParams } from '../router.js';
import { saveFile, toCsv } from '../save.js';
import { SERIES_COLORS } from '../theme.js';
import { button, searchBox, segmented, statusPill, toggle } from '../ui/controls.js';

const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });
const VALUES = [
	{ value: '', text: 'Last' },
	{ value: 'min', text: 'Min' },
	{ value: 'max', text: 'Max' },
];

export function compareTable(body, first) {
	let state = first;
	let query = '';
	const stage = h('div.table-wrap.compare-wrap');
	const which = () => state.params.get('value') ?? '';
	const only = toggle('Only differences', state.params.get('diff') === '1', (on) =>
		setParams({ diff: on ? '1' : '' }, { replace: true }),
	);
	const values = segmented('Value of metrics', VALUES, which(), (v) =>
		setParams({ value: v }, { replace: true }),
	);
	replace(
		body,
		h(
			'div.chart-settings',
			searchBox(
				'Names',
				'',
				(text) => {
					query = text;
					draw();
				},
				{ dataset: { shortcut: '/' } },
			),
			only,
			h('div.setting', h('span.setting-name', 'Metrics'), values.element),
			h('div.spacer'),
			button('Export as CSV', { icon: 'download', kind: 'small', onclick: exportCsv }),
		),
		stage,
	);

	function metricValue(run, key) {
		if (which() && state.summaries.get(run.id)?.has(key))
			return state.summaries.get(run.id).get(key)[which()];
		return run.metrics[key]?.value;
	}

	const keysOf = (group) => [...new Set(state.runs.flatMap((r) => Object.keys(r[group])))].sort(byName);

	/* [{group, rows: [{name, values, differs, cells}]}] */
	function sections() {
		const shown = state.runs;
		const make = (name, values, cell) => ({
			name,
			values,
			differs: new Set(values.map((v) => String(v))).size > 1,
			cell,
		});
		return [
			{
				group: 'Run',
				rows: [
					make(
						'Status',
						shown.map((r) => r.status),
						(v) => statusPill(v),
					),
					make(
						'Started',
						shown.map((r) => (r.start ? formatDate(r.start) : '')),
						null,
					),
					{
						...make(
							'Duration',
							shown.map((r) => (r.end ? r.end - r.start : undefined)),
							null,
						),
						cell: (v, r) => durationOf(r.start, r.end, r.status === 'RUNNING'),
					},
					make(
						'User',
						shown.map((r) => r.user || r.tags['mlflow.user']),
						null,
					),
					make(
						'Commit',
						shown.map((r) => r.tags['mlflow.source.git.commit']),
						(v) => v && h('code', { title: v }, shortId(v)),
					),
				],
			},
			{
				group: 'Parameters',
				rows: keysOf('params').map((k) =>
					make(
						k,
						shown.map((r) => r.params[k]),
						null,
					),
				),
			},
			{
				group: 'Metrics',
				rows: keysOf('metrics').map((k) => {
					const list = shown.map((r) => metricValue(r, k));
					return { ...make(k, list, (v) => numberNode(v)), isNumber: true, best: extremes(list) };
				}),
			},
			{
				group: 'Tags',
				rows: keysOf('tags')
					.filter((k) => !k.startsWith('mlflow.'))
					.map((k) =>
						make(
							k,
							shown.map((r) => r.tags[k]),
							null,
						),
					),
			},
		];
	}

	function extremes(list) {
		const finite = list.filter(Number.isFinite);
		return finite.length > 1 ? [Math.min(...finite), Math.max(...finite)] : null;
	}

	function visible() {
		const differences = state.params.get('diff') === '1';
		return sections()
			.map((s) => ({
				...s,
				rows: s.rows.filter(
					(r) => (!differences || r.differs) && r.name.toLowerCase().includes(query.toLowerCase()),
				),
			}))
			.filter((s) => s.rows.length);
	}

	function cell(row, value, run) {
		const missing = value === undefined || value === null || value === '';
		const content =
			row.cell && (!missing || row.name === 'Duration')
				? row.cell(value, run)
				: missing
					? h('span.faint', value === '' ? '“”' : '–')
					: h('span', { title: String(value) }, String(value));
		let kind = row.isNumber ? 'right' : '';
		if (row.best && row.best[0] !== row.best[1] && Number.isFinite(value))
			kind += value === row.best[0] ? ' lowest' : value === row.best[1] ? ' highest' : '';
		return h(
			'td',
			{
				class: kind,
				title: kind.includes('lowest') ? 'smallest' : kind.includes('highest') ? 'largest' : null,
			},
			content,
		);
	}

	function draw() {
		const list = visible();
		const top = stage.scrollTop;
		const left = stage.scrollLeft;
		replace(
			stage,
			h(
				'table.table.dense.compare',
				h(
					'thead',
					h(
						'tr',
						h('th.sticky', ''),
						state.runs.map((r, i) =>
							h(
								'th',
								{ scope: 'col' },
								h(
									'a',
									{ href: href(['run', r.id]), title: r.id },
									h('i.swatch', { class: `series-${i % SERIES_COLORS}` }),
									r.name,
								),
							),
						),
					),
				),
				list.map((s) =>
					h(
						'tbody',
						h(
							'tr.group-row',
							h('th.sticky', { scope: 'rowgroup' }, s.group),
							h('td', { colspan: state.runs.length }),
						),
						s.rows.map((row) =>
							h(
								'tr',
								{ class: row.differs ? 'differs' : 'same', dataset: { name: row.name } },
								h('th.sticky.key', { scope: 'row', title: row.name }, row.name),
								row.values.map((v, i) => cell(row, v, state.runs[i])),
							),
						),
					),
				),
			),
			list.length ? null : h('p.pad.faint', 'Nothing differs here.'),
		);
		stage.scrollTop = top;
		stage.scrollLeft = left;
	}

	function exportCsv() {
		const rows = visible().flatMap((s) => s.rows.map((r) => [s.group, r.name, ...r.values]));
		saveFile(
			'comparison.csv',
			toCsv([
				['', '', ...state.runs.map((r) => r.name)],
				['', 'run_id', ...state.runs.map((r) => r.id)],
				...rows,
			]),
			'text/csv',
		);
	}

	draw();
	return {
		update(next) {
			state = next;
			only.querySelector('input').checked = state.params.get('diff') === '1';
			values.set(which());
			draw();
		},
	};
}
