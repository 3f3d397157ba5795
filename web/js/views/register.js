// The dialog that registers an artifact of a run as a new version of a model.
import { artifacts, models, versions } from '../api.js';
import { go } from '../router.js';
import { attempt } from '../ui/controls.js';
import { formDialog } from '../ui/dialog.js';

export async function registerDialog(run, path) {
	let known = [];
	let paths = [];
	await attempt(async () => {
		known = (await models.search({ maxResults: 1000 })).rows.map((m) => m.name);
		if (path === undefined) paths = (await artifacts.list(run.id, '')).map((f) => f.path);
	});
	const guess = path ?? paths.find((p) => p === 'model') ?? paths[0] ?? '';
	return formDialog({
		title: 'Register a model',
		action: 'Register',
		intro: 'Makes a new version of a registered model from an artifact of this run.',
		fields: [
			{
				name: 'name',
				label: 'Model',
				required: true,
				options: known,
				hint: 'A model of that name is made if there is none.',
			},
			{
				name: 'path',
				label: 'Artifact',
				value: guess,
				options: paths,
				hint: 'A file or directory of the run; empty means all of it.',
			},
			{
				name: 'alias',
				label: 'Alias',
				hint: 'Optional, such as champion: names this version until it is moved.',
			},
			{ name: 'description', label: 'Description', multiline: true },
		],
		submit: async ({ name, path: chosen, alias, description }) => {
			if (!known.includes(name))
				await models.create(name).catch((e) => {
					if (e.code !== 'RESOURCE_ALREADY_EXISTS') throw e;
				});
			const source = [run.artifactUri.replace(/\/+$/, ''), chosen.replace(/^\/+|\/+$/g, '')]
				.filter(Boolean)
				.join('/');
			const made = await versions.create({
				name,
				source,
				run_id: run.id,
				description: description || undefined,
			});
			if (alias) await models.setAlias(name, alias, made.version);
			go(['model', name], { version: made.version });
		},
	});
}
