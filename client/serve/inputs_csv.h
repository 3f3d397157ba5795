/* What a request in CSV asks of the model, as the line of JSON that a worker reads (inputs.h): always records.
 *
 * The first record of the CSV names the columns; each of the others has as many fields (csv_scanner.h). What the
 * values of a column are is decided for the column, as pandas does for MLflow's scoring server:
 *
 *     empty, NA, NaN, null, … (the words of pandas)     missing: null, in every column
 *     all others are numbers, or inf                    numbers, with their digits
 *     all others are true or false                      booleans
 *     else                                              texts
 *
 * A column without a name is "Unnamed: " and its index, as there. Pure; any thread. */
#ifndef SERVE_INPUTS_CSV_H
#define SERVE_INPUTS_CSV_H

#include <stdint.h>

#include "base/buffer.h"

/* Appends the line, newline included. Errors as those of inputs_from_json. */
MUST_CHECK bool inputs_from_csv(struct slice body, uint64_t id, struct buffer *out, struct error *err);

#endif
