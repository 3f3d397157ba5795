// What a Node program does with a tracking server, asserted at every step. Usage: node journey.js URL
'use strict';

const assert = require('node:assert/strict');
const MLflow = require('mlflow');
const { LifecycleStage, RunStatus, ViewType } = require('mlflow/enum');

const say = console.log;
console.log = () => {}; // the client prints every body that it sends

const client = new MLflow({ endpoint: process.argv[2], headers: { 'X-Of-The-User': '1' } });

/** The client puts the status and the reply into the message of its error. */
async function refused(promise, status, code, words) {
	await assert.rejects(promise, (error) => {
		const reply = JSON.parse(error.message.replace(/^Error: /, ''));
		assert.equal(reply.status, status);
		assert.equal(reply.data.error_code, code);
		assert.ok(reply.data.message.includes(words), reply.data.message);
		return true;
	});
}

async function experiments() {
	const { Experiments } = client;
	const { experiment_id } = await Experiments.create({ name: 'node größe' });
	let { experiment } = await Experiments.get({ experiment_id });
	assert.equal(experiment.name, 'node größe');
	assert.equal(experiment.artifact_location, `mlflow-artifacts:/${experiment_id}`);
	assert.equal(typeof experiment.creation_time, 'number');
	assert.deepEqual(await Experiments.update({ experiment_id, new_name: 'node' }), {});
	assert.deepEqual(await Experiments.delete({ experiment_id }), {});
	({ experiment } = await Experiments.get({ experiment_id }));
	assert.deepEqual([experiment.name, experiment.lifecycle_stage], ['node', LifecycleStage.deleted]);
	await Experiments.restore({ experiment_id });
	await refused(Experiments.create({ name: 'node' }), 400, 'RESOURCE_ALREADY_EXISTS', 'already exists');
	await refused(Experiments.get({ experiment_id: '987654321' }), 404, 'RESOURCE_DOES_NOT_EXIST', 'No Experiment');
	// MLflow 2.0 dropped this endpoint; MLflow 1 had it.
	await refused(Experiments.list(), 404, 'ENDPOINT_NOT_FOUND', 'experiments/list');
	return experiment_id;
}

async function run(experiment_id) {
	const { Runs, Metrics, Artifacts } = client;
	const tags = [{ key: 'team', value: 'blue' }];
	const { info } = (await Runs.create({ experiment_id, user_id: 'ada', start_time: 1000, tags })).run;
	const { run_id } = info;
	assert.equal(info.run_uuid, run_id);
	assert.deepEqual([info.user_id, info.start_time, info.status], ['ada', 1000, RunStatus.RUNNING]);
	await Runs.logParameter({ run_id, key: 'depth', value: '3' });
	for (const [step, value] of [[0, 0.5], [2, 0.125], [1, 0.25]])
		await Runs.logMetric({ run_id, key: 'loss', value, timestamp: 10 + step, step });
	await Runs.logBatch({
		run_id,
		metrics: [{ key: 'auc', value: '0.75', timestamp: '5', step: 0 }],
		params: [{ key: 'rate', value: '0.1' }],
		tags: [{ key: 'empty', value: '' }],
	});
	await Runs.setTag({ run_id, key: 'gone', value: '1' });
	await Runs.deleteTag({ run_id, key: 'gone' });
	const updated = await Runs.update({ run_id, status: RunStatus.FINISHED, end_time: 2000 });
	assert.deepEqual([updated.run_info.status, updated.run_info.end_time], ['FINISHED', 2000]);

	const { data } = (await Runs.get({ run_id })).run;
	assert.deepEqual(data.params, [{ key: 'depth', value: '3' }, { key: 'rate', value: '0.1' }]);
	const loss = data.metrics.find((metric) => metric.key === 'loss');
	assert.deepEqual([loss.value, loss.step, loss.timestamp], [0.125, 2, 12]);
	const values = Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
	assert.deepEqual([values.team, values.empty, 'gone' in values], ['blue', '', false]);
	const { metrics } = await Metrics.getHistory({ run_id, metric_key: 'loss' });
	assert.deepEqual(metrics.map((metric) => metric.step), [0, 1, 2]);
	assert.deepEqual(await Artifacts.list({ run_id }), { root_uri: info.artifact_uri });
	await refused(Runs.logParameter({ run_id, key: 'depth', value: '4' }), 400, 'INVALID_PARAMETER_VALUE', 'Changing');
	await refused(Runs.get({ run_id: '0'.repeat(32) }), 404, 'RESOURCE_DOES_NOT_EXIST', 'not found');
	return run_id;
}

async function searches(experiment_id, run_id) {
	const { Runs } = client;
	for (let index = 0; index < 4; index++) {
		const made = await Runs.create({ experiment_id, start_time: 3000 + index });
		await Runs.logMetric({ run_id: made.run.info.run_id, key: 'loss', value: index + 1, timestamp: 1 });
	}
	const losses = [];
	let page = {};
	do {
		page = await Runs.search({
			experiment_ids: [experiment_id], filter: 'metrics.loss < 4', run_view_type: ViewType.ACTIVE_ONLY,
			max_results: 3, order_by: ['metrics.loss DESC'], page_token: page.next_page_token,
		});
		losses.push(...page.runs.map(({ data }) => data.metrics.find(({ key }) => key === 'loss').value));
	} while (page.next_page_token);
	assert.deepEqual(losses, [3, 2, 1, 0.125]);
	await Runs.delete({ run_id });
	const search = { experiment_ids: [experiment_id], run_view_type: ViewType.DELETED_ONLY };
	assert.deepEqual((await Runs.search(search)).runs.map(({ info }) => info.run_id), [run_id]);
	await Runs.restore({ run_id });
	assert.deepEqual(await Runs.search(search), {});
}

(async () => {
	const experiment_id = await experiments();
	await searches(experiment_id, await run(experiment_id));
	say('the journey ended well');
})().catch((error) => {
	say(error);
	process.exitCode = 1;
});
