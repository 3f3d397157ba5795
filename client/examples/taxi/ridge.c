/* Owns the model's arithmetic: looking up pairs, predicting, and solving for the weights. */
#include "ridge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- pairs -------------------------------------------------------------------------------------- */

static int compare_pairs(const void *a, const void *b)
{
	const struct ridge_pair *x = a, *y = b;
	if (x->pickup_id != y->pickup_id)
		return x->pickup_id < y->pickup_id ? -1 : 1;
	return (x->dropoff_id > y->dropoff_id) - (x->dropoff_id < y->dropoff_id);
}

/* The pair of the trip, or NULL when training did not see it. */
static const struct ridge_pair *find_pair(const struct ridge_model *model, const struct trip *trip)
{
	const struct ridge_pair key = {trip->pickup_id, trip->dropoff_id, 0};
	return bsearch(&key, model->pairs, model->pair_count, sizeof(key), compare_pairs);
}

bool ridge_init(struct ridge_model *model, const struct trips *trips)
{
	memset(model, 0, sizeof(*model));
	model->pairs = calloc(trips->count, sizeof(*model->pairs));
	if (model->pairs == NULL)
		return false;
	for (size_t i = 0; i < trips->count; i++)
		model->pairs[i] = (struct ridge_pair){trips->items[i].pickup_id,
						      trips->items[i].dropoff_id, 0};
	qsort(model->pairs, trips->count, sizeof(*model->pairs), compare_pairs);
	for (size_t i = 0; i < trips->count; i++) {
		if (model->pair_count == 0 ||
		    compare_pairs(&model->pairs[model->pair_count - 1], &model->pairs[i]) != 0)
			model->pairs[model->pair_count++] = model->pairs[i];
	}
	return true;
}

void ridge_free(struct ridge_model *model)
{
	free(model->pairs);
	memset(model, 0, sizeof(*model));
}

double ridge_predict(const struct ridge_model *model, const struct trip *trip)
{
	const struct ridge_pair *pair = find_pair(model, trip);
	return model->bias + model->distance_weight * trip->distance +
	       (pair != NULL ? pair->weight : 0);
}

unsigned *ridge_look_up(const struct ridge_model *model, const struct trips *trips)
{
	unsigned *places = calloc(trips->count, sizeof(*places));
	for (size_t i = 0; places != NULL && i < trips->count; i++) {
		const struct ridge_pair *pair = find_pair(model, &trips->items[i]);
		places[i] = (unsigned)(pair != NULL ? (size_t)(pair - model->pairs)
						    : model->pair_count);
	}
	return places;
}

double ridge_rmse(const struct ridge_model *model, const struct trips *trips,
		  const unsigned *places)
{
	double sum = 0;
	for (size_t i = 0; i < trips->count; i++) {
		const struct trip *trip = &trips->items[i];
		double weight = places[i] < model->pair_count ? model->pairs[places[i]].weight : 0;
		double miss = trip->minutes -
			      (model->bias + model->distance_weight * trip->distance + weight);
		sum += miss * miss;
	}
	return sqrt(sum / (double)trips->count);
}

/* ---- the linear system -------------------------------------------------------------------------- */

/* Vectors have a place for each pair, then the distance weight, then the bias. */
struct system {
	const struct ridge_problem *problem;
	size_t pair_count;
	size_t size;
};

/* out = (XᵀX + αD) v, with D the identity but for the bias. */
static void apply(const struct system *s, const double *v, double *out)
{
	const struct trips *trips = s->problem->trips;
	const unsigned *places = s->problem->places;
	for (size_t j = 0; j < s->size; j++)
		out[j] = j < s->size - 1 ? s->problem->alpha * v[j] : 0;
	for (size_t i = 0; i < trips->count; i++) {
		double distance = trips->items[i].distance;
		double row = v[places[i]] + v[s->pair_count] * distance + v[s->pair_count + 1];
		out[places[i]] += row;
		out[s->pair_count] += row * distance;
		out[s->pair_count + 1] += row;
	}
}

/* right += Xᵀy */
static void add_right_side(const struct system *s, double *right)
{
	const struct trips *trips = s->problem->trips;
	for (size_t i = 0; i < trips->count; i++) {
		const struct trip *trip = &trips->items[i];
		right[s->problem->places[i]] += trip->minutes;
		right[s->pair_count] += trip->minutes * trip->distance;
		right[s->pair_count + 1] += trip->minutes;
	}
}

static double dot(const double *a, const double *b, size_t size)
{
	double sum = 0;
	for (size_t j = 0; j < size; j++)
		sum += a[j] * b[j];
	return sum;
}

static void take_weights(struct ridge_model *model, const double *x)
{
	for (size_t j = 0; j < model->pair_count; j++)
		model->pairs[j].weight = x[j];
	model->distance_weight = x[model->pair_count];
	model->bias = x[model->pair_count + 1];
}

/* `work` holds four vectors, zeroed. Returns the number of iterations. */
static int conjugate_gradients(const struct system *s, double *work, struct ridge_model *model,
			       ridge_iteration_fn *iteration_cb, void *context)
{
	size_t n = s->size;
	double *x = work, *r = x + n, *p = r + n, *q = p + n;
	int iteration = 0;
	add_right_side(s, r);
	memcpy(p, r, n * sizeof(*p));
	double rho = dot(r, r, n), goal = s->problem->tolerance * s->problem->tolerance * rho;
	while (rho > goal && iteration < s->problem->iterations_max) {
		apply(s, p, q);
		double step = rho / dot(p, q, n);
		for (size_t j = 0; j < n; j++) {
			x[j] += step * p[j];
			r[j] -= step * q[j];
		}
		double rho_next = dot(r, r, n);
		for (size_t j = 0; j < n; j++)
			p[j] = r[j] + rho_next / rho * p[j];
		rho = rho_next;
		take_weights(model, x);
		if (!iteration_cb(context, model, ++iteration))
			break;
	}
	return iteration;
}

int ridge_solve(struct ridge_model *model, const struct ridge_problem *problem,
		ridge_iteration_fn *iteration_cb, void *context)
{
	const struct system system = {problem, model->pair_count, model->pair_count + 2};
	double *work = calloc(system.size * 4, sizeof(*work));
	if (work == NULL)
		return -1;
	int iterations = conjugate_gradients(&system, work, model, iteration_cb, context);
	free(work);
	return iterations;
}
