/* The model on disk: a folder with weights.csv (feature,weight) and a README.md that explains it. */
#ifndef TAXI_MODEL_H
#define TAXI_MODEL_H

#include "ridge.h"

struct model_facts {
	double alpha;
	double rmse_train, rmse_val, rmse_test;
};

/* Writes the folder, which is made if missing; files of the same names are replaced. Weights are written so that they
 * read back exactly. False with a sentence in `error`. */
bool model_write(const char *directory, const struct ridge_model *model,
		 const struct model_facts *facts, char error[TRIPS_ERROR_BYTES]);
/* Gives model->pairs; free with ridge_free. */
bool model_read(const char *directory, struct ridge_model *model, char error[TRIPS_ERROR_BYTES]);

#endif
