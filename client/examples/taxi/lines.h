/* Answering requests for predictions in lines, as trk serve asks for them.
 *
 *     {"id": 7, "records": [{"PULocationID": 74, "DOLocationID": 75, "trip_distance": 1.2}, …]}
 *     {"id": 7, "predictions": [6.5, …]}       minutes, one for each record
 *
 * Names of zones and distance are those of the TLC's files; other members are ignored. */
#ifndef TAXI_LINES_H
#define TAXI_LINES_H

#include <stdio.h>

#include "ridge.h"

/* Answers line by line until the input ends. False when it cannot be read, or the output not be written. */
bool lines_answer(const struct ridge_model *model, FILE *input, FILE *output);

#endif
