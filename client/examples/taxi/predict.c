/* taxi-predict: scores a file of trips with a model folder, or answers requests for predictions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "model.h"

static void print_help(FILE *out)
{
	(void)fprintf(out,
		      "Usage: taxi-predict MODEL_DIR FILE [--predictions OUT]\n"
		      "       taxi-predict --serve MODEL_DIR\n\n"
		      "Predicts the minutes of the trips in FILE (a TLC green taxi file, CSV "
		      "or gzip) with\n"
		      "the model in MODEL_DIR and prints the root mean square error.\n\n"
		      "  --predictions OUT  also write each trip's prediction: a line "
		      "\"minutes,predicted\"\n"
		      "  --serve            answer requests in lines of JSON, as trk serve asks "
		      "for them:\n"
		      "                     {\"id\": 1, \"records\": [{\"PULocationID\": 74, "
		      "\"DOLocationID\": 75,\n"
		      "                     \"trip_distance\": 1.2}]}\n");
}

static bool write_predictions(const char *path, const struct ridge_model *model,
			      const struct trips *trips)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return false;
	(void)fprintf(file, "minutes,predicted\n");
	for (size_t i = 0; i < trips->count; i++)
		(void)fprintf(file, "%.4f,%.4f\n", trips->items[i].minutes,
			      ridge_predict(model, &trips->items[i]));
	bool failed = ferror(file) != 0;
	return fclose(file) == 0 && !failed;
}

static int fail(const char *sentence)
{
	(void)fprintf(stderr, "taxi-predict: %s\n", sentence);
	return 1;
}

/* Until the input ends. */
static int serve(const char *model_directory)
{
	struct ridge_model model;
	char error[TRIPS_ERROR_BYTES];
	if (!model_read(model_directory, &model, error))
		return fail(error);
	bool ok = lines_answer(&model, stdin, stdout);
	ridge_free(&model);
	return ok ? 0 : fail("cannot read the requests, or write the answers");
}

int main(int argc, char **argv)
{
	struct ridge_model model;
	struct trips trips;
	char error[TRIPS_ERROR_BYTES];
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_help(stdout);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2]);
	if (argc != 3 && !(argc == 5 && strcmp(argv[3], "--predictions") == 0)) {
		print_help(stderr);
		return 2;
	}
	if (!model_read(argv[1], &model, error) || !trips_read(argv[2], &trips, error))
		return fail(error);
	unsigned *places = ridge_look_up(&model, &trips);
	if (places == NULL)
		return fail("out of memory");
	printf("trips %zu  rmse %.6f\n", trips.count, ridge_rmse(&model, &trips, places));
	free(places);
	bool ok = argc == 3 || write_predictions(argv[4], &model, &trips);
	if (!ok)
		(void)fprintf(stderr, "taxi-predict: cannot write %s\n", argv[4]);
	trips_free(&trips);
	ridge_free(&model);
	return ok ? 0 : 1;
}
