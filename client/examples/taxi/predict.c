/* taxi-predict: scores a file of trips with a model folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void print_help(FILE *out)
{
	(void)fprintf(out, "Usage: taxi-predict MODEL_DIR FILE [--predictions OUT]\n\n"
			   "Predicts the minutes of the trips in FILE (a TLC green taxi file, CSV "
			   "or gzip) with\n"
			   "the model in MODEL_DIR and prints the root mean square error.\n\n"
			   "  --predictions OUT  also write each trip's prediction: a line "
			   "\"minutes,predicted\"\n");
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

int main(int argc, char **argv)
{
	struct ridge_model model;
	struct trips trips;
	char error[TRIPS_ERROR_BYTES];
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		print_help(stdout);
		return 0;
	}
	if (argc != 3 && !(argc == 5 && strcmp(argv[3], "--predictions") == 0)) {
		print_help(stderr);
		return 2;
	}
	if (!model_read(argv[1], &model, error) || !trips_read(argv[2], &trips, error)) {
		(void)fprintf(stderr, "taxi-predict: %s\n", error);
		return 1;
	}
	unsigned *places = ridge_look_up(&model, &trips);
	if (places == NULL) {
		(void)fprintf(stderr, "taxi-predict: out of memory\n");
		return 1;
	}
	printf("trips %zu  rmse %.6f\n", trips.count, ridge_rmse(&model, &trips, places));
	free(places);
	bool ok = argc == 3 || write_predictions(argv[4], &model, &trips);
	if (!ok)
		(void)fprintf(stderr, "taxi-predict: cannot write %s\n", argv[4]);
	trips_free(&trips);
	ridge_free(&model);
	return ok ? 0 : 1;
}
