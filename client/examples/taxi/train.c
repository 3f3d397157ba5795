/* taxi-train: fits the trip model for a list of alphas, each one a run on trackerd. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model.h"
#include "trk.h"

enum { ALPHAS_MAX = 100, ITERATIONS_MAX = 2000, FINISH_TIMEOUT_MS = 30000, BAR_WIDTH = 24 };
static const double TOLERANCE = 1e-10;

enum split { TRAIN, VALIDATION, TEST, SPLITS };
static const struct {
	const char *month, *context, *metric;
} splits[SPLITS] = {
	{"2021-01", "training", "rmse_train"},
	{"2021-02", "validation", "rmse_val"},
	{"2021-03", "test", "rmse_test"},
};

struct options {
	const char *data, *experiment, *url;
	double alphas[ALPHAS_MAX];
	int alpha_count;
};

struct data_file {
	char path[4096];
	struct trips trips;
};

struct training {
	const struct data_file *files;
	unsigned *places[SPLITS]; /* of the trips' pairs */
	struct trk_run *run;
	double alpha;
	int alpha_number, alpha_count;
	double rmse[SPLITS];
	int iteration;
};

static void print_help(FILE *out)
{
	(void)fprintf(
		out,
		"Usage: taxi-train --data DIR [--experiment NAME] [--alphas LIST] [--url URL]\n\n"
		"Predicts the minutes of New York green taxi trips: ridge regression on the pair "
		"of zones\n"
		"and the distance, trained on January, validated on February, tested on March "
		"2021. Each\n"
		"alpha is a run with its curves, results, data files and model.\n\n"
		"  --data DIR         folder with green_tripdata_2021-01.csv[.gz], -02 and -03\n"
		"  --experiment NAME  default taxi-duration\n"
		"  --alphas LIST      default 0.01,0.1,0.3,1,3,10\n"
		"  --url URL          of trackerd; default $TRK_URL, then http://127.0.0.1:5000\n");
}

static int fail(const char *message)
{
	(void)fprintf(stderr, "taxi-train: %s\n", message);
	return 1;
}

/* ---- options ------------------------------------------------------------------------------------ */

static int parse_alphas(const char *list, struct options *options)
{
	options->alpha_count = 0;
	for (const char *text = list; options->alpha_count < ALPHAS_MAX;) {
		char *end;
		double alpha = strtod(text, &end);
		if (end == text || !(alpha > 0) || isinf(alpha) || (*end != ',' && *end != '\0'))
			return fail("--alphas takes numbers above 0, separated by commas");
		options->alphas[options->alpha_count++] = alpha;
		if (*end == '\0')
			return 0;
		text = end + 1;
	}
	return fail("--alphas takes at most 100 numbers");
}

static int parse_options(int argc, char **argv, struct options *options)
{
	*options = (struct options){.experiment = "taxi-duration"};
	if (parse_alphas("0.01,0.1,0.3,1,3,10", options) != 0)
		return 1;
	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (value == NULL || strncmp(argv[i], "--", 2) != 0)
			return fail("each option takes a value; see taxi-train --help");
		if (strcmp(argv[i], "--data") == 0)
			options->data = value;
		else if (strcmp(argv[i], "--experiment") == 0)
			options->experiment = value;
		else if (strcmp(argv[i], "--url") == 0)
			options->url = value;
		else if (strcmp(argv[i], "--alphas") != 0)
			return fail("unknown option; see taxi-train --help");
		else if (parse_alphas(value, options) != 0)
			return 1;
	}
	return options->data != NULL ? 0 : fail("--data is needed; see taxi-train --help");
}

/* ---- data --------------------------------------------------------------------------------------- */

static int read_split(const char *directory, enum split split, struct data_file *file)
{
	char error[TRIPS_ERROR_BYTES];
	(void)snprintf(file->path, sizeof(file->path), "%s/green_tripdata_%s.csv", directory,
		       splits[split].month);
	if (access(file->path, R_OK) != 0)
		(void)snprintf(file->path, sizeof(file->path), "%s/green_tripdata_%s.csv.gz",
			       directory, splits[split].month);
	if (!trips_read(file->path, &file->trips, error))
		return fail(error);
	const struct trips *trips = &file->trips;
	printf("%-10s %s: %zu rows, %zu trips; left out: %zu not of 1 to 60 minutes, %zu with a "
	       "missing field, %zu bad\n",
	       splits[split].context, splits[split].month, trips->rows, trips->count,
	       trips->too_short_or_long, trips->missing, trips->bad);
	return 0;
}

/* ---- training ----------------------------------------------------------------------------------- */

/* On a terminal: a bar over the alphas, redrawn at most ten times a second. */
static void draw_progress(const struct training *t)
{
	static long long drawn_ms;
	struct timespec now;
	if (isatty(STDERR_FILENO) == 0)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	long long now_ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (now_ms - drawn_ms < 100)
		return;
	drawn_ms = now_ms;
	int filled = BAR_WIDTH * t->alpha_number / t->alpha_count;
	(void)fprintf(stderr, "\r\033[K[%.*s%*s] %d/%d  alpha %g  iteration %d  rmse_val %.4f",
		      filled, "########################", BAR_WIDTH - filled, "",
		      t->alpha_number + 1, t->alpha_count, t->alpha, t->iteration,
		      t->rmse[VALIDATION]);
}

static void erase_progress(void)
{
	if (isatty(STDERR_FILENO) != 0)
		(void)fprintf(stderr, "\r\033[K");
}

/* Measures after each iteration. What the logging calls answer is told by trk_run_finish. */
static bool iteration_done(void *context, const struct ridge_model *model, int iteration)
{
	struct training *t = context;
	struct trk_metric metrics[2];
	t->iteration = iteration;
	for (int split = TRAIN; split <= VALIDATION; split++) {
		t->rmse[split] = ridge_rmse(model, &t->files[split].trips, t->places[split]);
		metrics[split] = (struct trk_metric){splits[split].metric, t->rmse[split]};
	}
	(void)trk_log_metrics(t->run, metrics, 2, iteration);
	draw_progress(t);
	return true;
}

static void log_inputs(const struct training *t, const struct ridge_model *model)
{
	(void)trk_log_param_double(t->run, "alpha", t->alpha);
	(void)trk_log_param(t->run, "model", "ridge");
	(void)trk_log_param(t->run, "solver", "conjugate gradients");
	(void)trk_log_param_double(t->run, "tolerance", TOLERANCE);
	(void)trk_log_param_int(t->run, "pairs", (int64_t)model->pair_count);
	(void)trk_log_param_int(t->run, "trips_train", (int64_t)t->files[TRAIN].trips.count);
	for (int split = 0; split < SPLITS; split++)
		(void)trk_log_dataset_file(t->run, t->files[split].path, splits[split].context);
}

/* The model goes to a folder of its own that is gone afterwards: the tarball is in the run's spool by then. */
static int log_model(const struct training *t, const struct ridge_model *model)
{
	const struct model_facts facts = {t->alpha, t->rmse[TRAIN], t->rmse[VALIDATION],
					  t->rmse[TEST]};
	char directory[] = "/tmp/taxi-model-XXXXXX", path[64], error[TRIPS_ERROR_BYTES];
	if (mkdtemp(directory) == NULL)
		return fail(strerror(errno));
	int failed = model_write(directory, model, &facts, error) ? 0 : fail(error);
	if (failed == 0 && trk_log_directory(t->run, directory, "model") != TRK_OK)
		failed = fail("the model could not be logged");
	const char *const names[] = {"/weights.csv", "/README.md", ""};
	for (int i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", directory, names[i]);
		(void)remove(path); /* what is left in /tmp harms nobody */
	}
	return failed;
}

static int train(struct training *t, struct ridge_model *model)
{
	log_inputs(t, model);
	const struct ridge_problem problem = {&t->files[TRAIN].trips, t->places[TRAIN], t->alpha,
					      TOLERANCE, ITERATIONS_MAX};
	int iterations = ridge_solve(model, &problem, iteration_done, t);
	if (iterations < 0)
		return fail("out of memory");
	t->rmse[TEST] = ridge_rmse(model, &t->files[TEST].trips, t->places[TEST]);
	(void)trk_log_metric(t->run, splits[TEST].metric, t->rmse[TEST], iterations);
	(void)trk_log_param_int(t->run, "iterations", iterations);
	erase_progress();
	printf("alpha %-6g iterations %4d  rmse_train %.6f  rmse_val %.6f  rmse_test %.6f  run "
	       "%s\n",
	       t->alpha, iterations, t->rmse[TRAIN], t->rmse[VALIDATION], t->rmse[TEST],
	       trk_run_id(t->run));
	return log_model(t, model);
}

static bool look_up_places(struct training *t, const struct ridge_model *model)
{
	bool ok = true;
	for (int split = 0; split < SPLITS; split++) {
		t->places[split] = ridge_look_up(model, &t->files[split].trips);
		ok = ok && t->places[split] != NULL;
	}
	return ok;
}

static int train_model(struct training *t)
{
	struct ridge_model model;
	int failed = 1;
	if (!ridge_init(&model, &t->files[TRAIN].trips) || !look_up_places(t, &model))
		(void)fail("out of memory");
	else
		failed = train(t, &model);
	for (int split = 0; split < SPLITS; split++)
		free(t->places[split]);
	ridge_free(&model);
	return failed;
}

static int train_run(const struct options *options, struct training *t)
{
	char name[64], error[512] = "";
	(void)snprintf(name, sizeof(name), "ridge-alpha-%g", t->alpha);
	struct trk_run_options run_options = {sizeof(run_options)};
	run_options.url = options->url;
	run_options.experiment = options->experiment;
	run_options.run_name = name;
	run_options.error_text = error;
	run_options.error_text_bytes = sizeof(error);
	if (trk_run_start(&run_options, &t->run) != TRK_OK)
		return fail(error);
	int failed = train_model(t);
	enum trk_run_status outcome = failed == 0 ? TRK_RUN_FINISHED : TRK_RUN_FAILED;
	(void)trk_flush(t->run,
			FINISH_TIMEOUT_MS); /* for the sentence; finish says the same once more */
	(void)trk_run_last_error(t->run, error, sizeof(error));
	enum trk_status status = trk_run_finish(t->run, outcome, FINISH_TIMEOUT_MS);
	if (status == TRK_OK)
		return failed;
	(void)fprintf(stderr, "taxi-train: %s%s%s; what was not delivered is kept: run trk sync\n",
		      trk_strerror(status), error[0] != '\0' ? ": " : "", error);
	return 1;
}

int main(int argc, char **argv)
{
	struct options options;
	static struct data_file files[SPLITS];
	int failed = 0;
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_help(stdout);
		return 0;
	}
	if (parse_options(argc, argv, &options) != 0)
		return 2;
	for (int split = 0; split < SPLITS; split++) {
		if (read_split(options.data, (enum split)split, &files[split]) != 0)
			return 1;
	}
	for (int i = 0; i < options.alpha_count && failed == 0; i++) {
		struct training training = {.files = files,
					    .alpha = options.alphas[i],
					    .alpha_number = i,
					    .alpha_count = options.alpha_count};
		failed = train_run(&options, &training);
	}
	for (int split = 0; split < SPLITS; split++)
		trips_free(&files[split].trips);
	return failed;
}
