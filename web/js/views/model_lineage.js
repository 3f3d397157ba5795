// Where a version came from, and where it went: pipeline, experiment, run, code, data, model, artifact, targets.
import { h, replace, safeUrl } from '../dom.js';
import { experiments, proxyPath, toLoggedModel, toRun } from '../api.js';
import { formatBytes, plural, shortId, timeAgo } from '../format.js';
import { registry } from '../registry.js';
import { href } from '../router.js';
import { errorState } from '../ui/controls.js';
import { statePill } from './deployment_table.js';
import { panel } from './run_overview.js';

/** deployed: the deployments of the model. */
export function lineagePanel({ name, version: v, deployed, signal }) {
	const list = h('ol.lineage');
	const box = h('div', list);

	async function load() {
		try {
			const found = await registry.lineage(name, v.version, signal);
			replace(list, steps({ name, v, found, deployed, signal }));
			replace(box, list);
		} catch (e) {
			if (e.name !== 'AbortError') replace(box, errorState(e, load));
		}
	}

	load();
	return panel('Lineage', 0, box);
}

function steps({ name, v, found, deployed, signal }) {
	const run = found.run && toRun(found.run);
	return [
		...(found.parents ?? [])
			.toReversed()
			.map((p) => step('Part of', runLink(p.run_id, p.run_name), p.is_deleted && deletedNote())),
		found.missing_parent && step('Part of', gone(found.missing_parent)),
		run && step('Experiment', experimentLink(run.experimentId, signal)),
		run
			? step(
					'Run',
					runLink(run.id, run.name),
					h('span.faint', ' ', timeAgo(run.start), run.user && ` by ${run.user}`),
					run.isDeleted && deletedNote(),
				)
			: v.run_id && step('Run', gone(v.run_id)),
		found.code?.git_commit && step('Code', codeNode(found.code)),
		found.datasets?.length
			? step(
					'Data',
					found.datasets.map((d) => h('div', d.name, ' ', h('code.faint', d.digest))),
				)
			: null,
		found.logged_model && step('Model', loggedModelLink(toLoggedModel(found.logged_model))),
		step('Artifact', artifactNode(v, run), filesNote(found.version)),
		step('Version', h('strong', `${name} v${v.version}`)),
		...targetSteps(v, deployed),
	];
}

const step = (title, ...content) => h('li', h('span.lineage-name', title), h('div', content));
const runLink = (id, name) => h('a', { href: href(['run', id]) }, name || shortId(id));
const gone = (id) => h('span.faint', `${shortId(id)} is gone`);
const deletedNote = () => h('span.faint', ' · deleted');

/* By its id until its name is there. */
function experimentLink(id, signal) {
	const link = h('a', { href: href(['runs'], { exp: id }) }, `Experiment ${id}`);
	experiments.get(id, signal).then(
		(e) => replace(link, e.name),
		() => {},
	);
	return link;
}

function codeNode(code) {
	const repository = safeUrl(code.git_repository);
	return [
		h('code', { title: code.git_commit }, shortId(code.git_commit)),
		code.git_branch && h('span.faint', ` on ${code.git_branch}`),
		repository &&
			h('a', { href: repository, rel: 'noreferrer noopener', target: '_blank' }, ' repository'),
	];
}

const loggedModelLink = (m) => [
	h('a', { href: href(['logged-model', m.id]) }, m.name),
	m.type && h('span.faint', ` ${m.type}`),
];

/* A path below the run's artifacts leads there; anything else is shown as it is. */
function artifactNode(v, run) {
	const root = run && proxyPath(run.artifactUri);
	const source = proxyPath(v.source);
	const path = root && source?.startsWith(`${root}/`) ? source.slice(root.length + 1) : null;
	return path
		? h('a', { href: href(['run', run.id], { tab: 'artifacts', path }) }, path)
		: h('code.wrap', v.source);
}

const filesNote = (version) =>
	version?.file_count
		? h('span.faint', ` ${plural(version.file_count, 'file')}, ${formatBytes(version.byte_count)}`)
		: null;

function targetSteps(v, deployed) {
	const targets = deployed
		.filter((d) => d.version === v.version)
		.sort((a, b) => (a.target < b.target ? -1 : 1));
	return targets.length
		? [
				step(
					'Runs at',
					h(
						'div.lineage-targets.scrolls',
						targets.map((d) =>
							h(
								'div',
								h('a', { href: href(['deployment', d.deployment_id]) }, d.target),
								' ',
								statePill(d.state),
							),
						),
					),
				),
			]
		: [];
}
