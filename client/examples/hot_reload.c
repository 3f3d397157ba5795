/* hot_reload: answers requests with the version of a model that an alias names, and goes over to another
 * without missing one when the alias moves.
 *
 *     hot_reload MODEL ALIAS DIRECTORY [TARGET [ENVIRONMENT]]
 *
 * With a name as TARGET it is one of those that "trk deployments" shows.
 *
 * A request is a line on standard input, "PICKUP_ZONE DROPOFF_ZONE MILES"; the answer is a line with the
 * minutes and the version that said so. The model is that of examples/taxi. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trk.h>

#include "taxi/model.h"

enum { FIRST_MS = 60000 };

struct server {
	struct trk_model_watch *watch;
	struct ridge_model model; /* in memory, so the directory is not needed any more */
	char version[32];
	uint64_t generation; /* that `model` is of; 0 for none */
};

/* On the thread of the watch: only what can be read becomes the current version. */
static bool can_load(void *context, const struct trk_model *model)
{
	struct ridge_model trial;
	char error[TRIPS_ERROR_BYTES];
	(void)context;
	bool ok = model_read(model->directory, &trial, error);
	if (ok)
		ridge_free(&trial);
	else
		(void)fprintf(stderr, "hot_reload: version %s: %s\n", model->version, error);
	return ok;
}

static void tell(void *context, enum trk_log_level level, const char *sentence)
{
	(void)context, (void)level;
	(void)fprintf(stderr, "hot_reload: %s\n", sentence);
}

/* Between two requests: costs one load from memory unless the alias has moved. */
static void reload(struct server *s)
{
	struct ridge_model fresh;
	char error[TRIPS_ERROR_BYTES];
	if (trk_model_watch_generation(s->watch) == s->generation)
		return;
	const struct trk_model *model = trk_model_watch_current(s->watch);
	if (model == NULL)
		return;
	if (model_read(model->directory, &fresh, error)) {
		if (s->generation > 0)
			ridge_free(&s->model);
		s->model = fresh;
		(void)snprintf(s->version, sizeof s->version, "%s", model->version);
		s->generation = model->generation;
	}
	trk_model_watch_release(s->watch, model);
}

static void answer(const struct server *s, const char *line)
{
	struct trip trip = {.pickup_id = 0};
	char *at;
	trip.pickup_id = (int)strtol(line, &at, 10);
	trip.dropoff_id = (int)strtol(at, &at, 10);
	trip.distance = strtod(at, &at);
	printf("%.2f version %s\n", ridge_predict(&s->model, &trip), s->version);
	(void)fflush(stdout); /* whoever asked is gone if it fails, and so will be the next line */
}

int main(int argc, char **argv)
{
	char error[512] = "", line[256];
	struct server server = {.watch = NULL};
	if (argc < 4 || argc > 6) {
		(void)fprintf(stderr,
			      "Usage: hot_reload MODEL ALIAS DIRECTORY [TARGET [ENVIRONMENT]]\n");
		return 2;
	}
	struct trk_model_watch_options options = {
		.size = sizeof options,
		.model = argv[1],
		.alias = argv[2],
		.directory = argv[3],
		.load = can_load,
		.log = tell,
		.error_text = error,
		.error_text_bytes = sizeof error,
		.target = argc > 4 ? argv[4] : NULL,
		.environment = argc > 5 ? argv[5] : NULL,
	};
	if (trk_model_watch_start(&options, &server.watch) != TRK_OK) {
		(void)fprintf(stderr, "hot_reload: %s\n", error);
		return 1;
	}
	if (trk_model_watch_wait(server.watch, 0, FIRST_MS) != TRK_OK) {
		(void)fprintf(stderr, "hot_reload: there is no version yet\n");
		(void)trk_model_watch_stop(server.watch);
		return 1;
	}
	reload(&server);
	while (fgets(line, sizeof line, stdin) != NULL) {
		reload(&server);
		answer(&server, line);
	}
	(void)trk_model_watch_stop(server.watch);
	ridge_free(&server.model);
	return 0;
}
