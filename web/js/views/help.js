// Two dialogs that are reachable from everywhere: keys and first steps; what the server says of itself.
import { h, replace } from '../dom.js';
import { server, setUserName, system, userName } from '../api.js';
import { formatBytes, formatCount, formatMoment, timeAgo } from '../format.js';
import { editable, errorState, loading } from '../ui/controls.js';
import { openDialog } from '../ui/dialog.js';
import { snippets } from './snippets.js';

const KEYS = [
	['/', 'go to the filter or search box'],
	['j  k', 'next, previous row (also ↓ ↑, Page and Home/End keys)'],
	['x', 'select the row; Shift + j/k selects a range'],
	['Enter', 'open the row'],
	['c', 'compare the selected runs'],
	['Ctrl a', 'select all rows of the table'],
	['Esc', 'clear the selection, close'],
	['?', 'this help'],
];

export function showHelp() {
	openDialog({
		title: 'Keys and first steps',
		kind: 'wide',
		content: [
			h(
				'section',
				h('h3', 'Keys'),
				h(
					'dl.keys',
					KEYS.map(([keys, text]) => [
						h(
							'dt',
							keys.split('  ').map((k) => h('kbd', k)),
						),
						h('dd', text),
					]),
				),
			),
			h(
				'section',
				h('h3', 'Charts'),
				h(
					'p',
					'Drag across a chart to look closer: finer points are fetched for ' +
						'what is visible. Double-click to see all again. Bands reach from the smallest to the largest value, ' +
						'so that no spike is lost.',
				),
			),
			h('section', h('h3', 'Log from a program'), snippets('my-experiment')),
		],
	});
}

function row(name, value) {
	return value === undefined || value === null || value === '' ? null : [h('dt', name), h('dd', value)];
}

export function showServer() {
	const body = h('div', loading());
	openDialog({ title: 'Server', content: body });
	system.info().then(
		(s) =>
			replace(
				body,
				h(
					'dl.facts',
					row(
						'You are',
						editable(userName(), {
							label: 'Your name, for the history of what you change',
							empty: 'nobody said; the history of models would like to know',
							save: async (name) => setUserName(name),
						}),
					),
					row('Address', h('code', server)),
					row('Version', s.version),
					row('Speaks MLflow', s.mlflow_version),
					row('Schema', s.schema_version !== undefined ? String(s.schema_version) : null),
					row('Database', s.sqlite_version),
					row(
						'Started',
						s.started_ms && [formatMoment(s.started_ms), ' (', timeAgo(s.started_ms), ')'],
					),
					row('Writable', s.read_only ? 'no: the server is read-only' : 'yes'),
					row('Data directory', s.data_directory && h('code', s.data_directory)),
					row(
						'Runs and metrics',
						s.tracker_bytes !== undefined ? formatBytes(s.tracker_bytes) : null,
					),
					row('Artifacts', s.artifacts_bytes !== undefined ? formatBytes(s.artifacts_bytes) : null),
					row('Experiments', s.experiments !== undefined ? formatCount(s.experiments) : null),
					row('Runs', s.runs !== undefined ? formatCount(s.runs) : null),
					row(
						'Models',
						s.registered_models !== undefined ? formatCount(s.registered_models) : null,
					),
				),
			),
		(e) => replace(body, errorState(e)),
	);
}
