/* Owns the model's folder: writing it and reading it back. */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, PAIRS_MAX = 1000000 };

static bool open_file(const char *directory, const char *name, const char *mode, FILE **out,
		      char *error)
{
	char path[PATH_BYTES];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	*out = fopen(path, mode);
	if (*out == NULL)
		(void)snprintf(error, TRIPS_ERROR_BYTES, "cannot open %.300s: %s", path,
			       strerror(errno));
	return *out != NULL;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static void write_weights(FILE *file, const struct ridge_model *model)
{
	(void)fprintf(file, "feature,weight\nbias,%.17g\ndistance,%.17g\n", model->bias,
		      model->distance_weight);
	for (size_t i = 0; i < model->pair_count; i++)
		(void)fprintf(file, "%d_%d,%.17g\n", model->pairs[i].pickup_id,
			      model->pairs[i].dropoff_id, model->pairs[i].weight);
}

static void write_readme(FILE *file, const struct ridge_model *model,
			 const struct model_facts *facts)
{
	(void)fprintf(file,
		      "# Duration of a taxi trip\n\n"
		      "Ridge regression, alpha %g: predicts the minutes of a New York green taxi "
		      "trip.\n\n"
		      "    minutes = bias + distance * trip_distance + weight of "
		      "PULocationID_DOLocationID\n\n"
		      "`weights.csv` has two columns:\n\n"
		      "| column | meaning |\n|---|---|\n"
		      "| feature | `bias`; `distance`, per mile; or a pair of TLC zones, "
		      "pickup_dropoff |\n"
		      "| weight | minutes; a pair that is not listed contributes 0 |\n\n"
		      "%zu pairs. Root mean square error in minutes: training %.6f, validation "
		      "%.6f, test %.6f.\n"
		      "Trained on trips of 1 to 60 minutes.\n",
		      facts->alpha, model->pair_count, facts->rmse_train, facts->rmse_val,
		      facts->rmse_test);
}

/* stdio keeps errors until the end, so that one look suffices. */
static bool close_written(FILE *file, const char *directory, char *error)
{
	bool failed = ferror(file) != 0;
	failed = fclose(file) != 0 || failed;
	if (failed)
		(void)snprintf(error, TRIPS_ERROR_BYTES, "cannot write to %.300s: %s", directory,
			       strerror(errno));
	return !failed;
}

bool model_write(const char *directory, const struct ridge_model *model,
		 const struct model_facts *facts, char error[TRIPS_ERROR_BYTES])
{
	FILE *file;
	if (mkdir(directory, 0755) != 0 && errno != EEXIST) {
		(void)snprintf(error, TRIPS_ERROR_BYTES, "cannot make %.300s: %s", directory,
			       strerror(errno));
		return false;
	}
	if (!open_file(directory, "weights.csv", "we", &file, error))
		return false;
	write_weights(file, model);
	if (!close_written(file, directory, error) ||
	    !open_file(directory, "README.md", "we", &file, error))
		return false;
	write_readme(file, model, facts);
	return close_written(file, directory, error);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static bool take_line(struct ridge_model *model, char *line)
{
	struct ridge_pair pair;
	char *comma = strchr(line, ','), *end;
	if (comma == NULL)
		return false;
	*comma = '\0';
	pair.weight = strtod(comma + 1, &end);
	if (end == comma + 1 || (*end != '\n' && *end != '\0'))
		return false;
	if (strcmp(line, "bias") == 0) {
		model->bias = pair.weight;
	} else if (strcmp(line, "distance") == 0) {
		model->distance_weight = pair.weight;
	} else {
		pair.pickup_id = (int)strtol(line, &end, 10);
		if (end == line || *end != '_' || model->pair_count == PAIRS_MAX)
			return false;
		char *dropoff = end + 1;
		pair.dropoff_id = (int)strtol(dropoff, &end, 10);
		if (end == dropoff || *end != '\0')
			return false;
		model->pairs[model->pair_count++] = pair;
	}
	return true;
}

static bool is_sorted(const struct ridge_model *model)
{
	for (size_t i = 1; i < model->pair_count; i++) {
		const struct ridge_pair *a = &model->pairs[i - 1], *b = &model->pairs[i];
		if (a->pickup_id > b->pickup_id ||
		    (a->pickup_id == b->pickup_id && a->dropoff_id >= b->dropoff_id))
			return false;
	}
	return true;
}

static bool read_weights(FILE *file, struct ridge_model *model)
{
	char line[256];
	if (fgets(line, sizeof(line), file) == NULL || strcmp(line, "feature,weight\n") != 0)
		return false;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (!take_line(model, line))
			return false;
	}
	return is_sorted(model);
}

bool model_read(const char *directory, struct ridge_model *model, char error[TRIPS_ERROR_BYTES])
{
	FILE *file;
	memset(model, 0, sizeof(*model));
	if (!open_file(directory, "weights.csv", "re", &file, error))
		return false;
	model->pairs = calloc(PAIRS_MAX,
			      sizeof(*model->pairs)); /* pages that are not touched cost nothing */
	bool ok = model->pairs != NULL && read_weights(file, model);
	(void)fclose(file); /* opened for reading */
	if (ok)
		return true;
	ridge_free(model);
	(void)snprintf(error, TRIPS_ERROR_BYTES,
		       "%.300s/weights.csv is not a table of feature,weight, sorted by zones",
		       directory);
	return false;
}
