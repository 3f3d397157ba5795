/* The shortest useful program: start a run, log what happens, end it. */
#include <math.h>
#include <stdio.h>
#include <trk.h>

int main(void)
{
	struct trk_run *run;
	const double learning_rate = 0.05;
	struct trk_run_options options = {
		.size = sizeof options, .experiment = "train-loop", .run_name = "first"};

	enum trk_status status = trk_run_start(&options, &run);
	if (status != TRK_OK) {
		fprintf(stderr, "not logged: %s\n", trk_strerror(status));
		return 1;
	}
	trk_log_param_double(run, "learning_rate", learning_rate);
	trk_set_tag(run, "kind", "example");
	for (int step = 0; step < 100; step++) {
		double loss = exp(-learning_rate * step);
		trk_log_metric(run, "loss", loss, step);
		trk_log_metric(run, "accuracy", 1.0 - loss, step);
	}
	printf("run %s\n", trk_run_id(run));

	status = trk_run_finish(run, TRK_RUN_FINISHED, 5000);
	if (status == TRK_TIMEOUT)
		printf("the server is away; `trk sync` delivers the run later\n");
	return status == TRK_OK || status == TRK_TIMEOUT ? 0 : 1;
}
