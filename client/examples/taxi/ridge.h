/* Ridge regression of a trip's minutes on its pair of zones (one-hot) and its distance.
 *
 *     ŷ = bias + weight[pickup, dropoff] + distance_weight × distance
 *
 * minimises Σ(y − ŷ)² + α(Σ weight² + distance_weight²); the bias is not penalised. Pairs that training did not see
 * contribute 0. The normal equations are solved by conjugate gradients (Y. Saad, Iterative Methods for Sparse Linear
 * Systems, 2nd ed., algorithm 6.18), so that every iteration gives a model to measure. A Jacobi preconditioner would
 * need 5 iterations instead of some 200; a tenth of a second is not worth the curves that one wants to see. */
#ifndef TAXI_RIDGE_H
#define TAXI_RIDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "trips.h"

struct ridge_pair {
	int pickup_id, dropoff_id;
	double weight;
};

struct ridge_model {
	double bias, distance_weight;
	struct ridge_pair *pairs; /* sorted by (pickup, dropoff) */
	size_t pair_count;
};

/* The pairs that occur in `trips`, with weights 0. Gives model->pairs; free with ridge_free. False: no memory. */
bool ridge_init(struct ridge_model *model, const struct trips *trips);
void ridge_free(struct ridge_model *model);

double ridge_predict(const struct ridge_model *model, const struct trip *trip);
/* Looks up each trip's pair once: gives the array of their places in model->pairs, pair_count for one that training did
 * not see; free it. NULL: no memory. Weights may change afterwards, pairs not. */
unsigned *ridge_look_up(const struct ridge_model *model, const struct trips *trips);
/* Root mean square error in minutes over all trips, whose places are `places`. */
double ridge_rmse(const struct ridge_model *model, const struct trips *trips,
		  const unsigned *places);

/* Called after each iteration (from 1) with the model as it is then; false stops. */
typedef bool ridge_iteration_fn(void *context, const struct ridge_model *model, int iteration);

struct ridge_problem {
	const struct trips *trips;
	const unsigned *places; /* of ridge_look_up; all were seen */
	double alpha;
	double tolerance; /* done when the residual has shrunk so far; 1e-10 gives RMSE to some 5 digits */
	int iterations_max;
};

/* Gives the number of iterations, or -1 without memory. */
int ridge_solve(struct ridge_model *model, const struct ridge_problem *problem,
		ridge_iteration_fn *iteration_cb, void *context);

#endif
