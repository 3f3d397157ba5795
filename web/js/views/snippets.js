// How to log, in three languages, for empty states and the help.
import { h, replace } from '../dom.js';
import { server } from '../api.js';
import { command, inShell } from '../ui/controls.js';

const address = server.replace(/\/$/, '');

const LANGUAGES = {
	C: (e) => `#include <trk.h>

struct trk_run *run;
struct trk_run_options options = {
	.size = sizeof options,
	.url = "${address}",
	.experiment = ${inQuotes(e)},
};
if (trk_run_start(&options, &run) == TRK_OK) {
	trk_log_param_double(run, "alpha", 0.3);
	for (int step = 0; step < 100; step++)
		trk_log_metric(run, "loss", train(), step);
	trk_run_finish(run, TRK_RUN_FINISHED, 5000);
}`,
	Python: (e) => `import mlflow

mlflow.set_tracking_uri("${address}")
mlflow.set_experiment(${inQuotes(e)})
with mlflow.start_run():
    mlflow.log_param("alpha", 0.3)
    for step in range(100):
        mlflow.log_metric("loss", train(), step=step)`,
	Shell: (e) => `export TRK_URL=${address}
export TRK_RUN_ID=$(trk log run-start --experiment ${inShell(e)})
trk log param alpha=0.3
trk log metric loss=0.71 --step 1
trk log artifact model/
trk log run-end`,
};

const inQuotes = JSON.stringify; /* near enough for C and Python */

export function snippets(experiment) {
	const body = h('div');
	const buttons = Object.keys(LANGUAGES).map((name) =>
		h('button', { type: 'button', 'aria-pressed': false, onclick: () => show(name) }, name),
	);
	function show(name) {
		const text = LANGUAGES[name](experiment);
		for (const b of buttons) b.setAttribute('aria-pressed', String(b.textContent === name));
		replace(body, command(text, `Copy the ${name} example`));
	}
	show('C');
	return h('div.snippets', h('div.segmented', { role: 'group', 'aria-label': 'Language' }, buttons), body);
}
