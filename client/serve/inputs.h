/* What a request asks of the model, as the one line of JSON that a worker reads.
 *
 *     {"id": 7, "records": [{"a": 1, "b": "x"}, …]}       rows with names
 *     {"id": 7, "inputs": …}                               anything else, as it came
 *
 * and "params" beside it when the request has some. The shapes are those of MLflow's scoring server:
 *
 *     dataframe_split     {"columns": […], "data": [[…], …]}     records
 *     dataframe_records   [{…}, …]                               records
 *     instances           a list: of objects                     records
 *                                 of anything else               inputs
 *     inputs              a list: like instances
 *                         an object of lists of one length       records: its members are the columns
 *                         anything else                          inputs
 *
 * Values keep their text, so no digit of a number is lost; NaN and Infinity do not (plain_json.h). Pure; any
 * thread. */
#ifndef SERVE_INPUTS_H
#define SERVE_INPUTS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum { INPUTS_COLUMNS_MAX = 65536 };

/* Appends the line, newline included, for the JSON body of a request. BAD_REQUEST says what is wrong with it;
 * REQUEST_TOO_LARGE, that the line does not fit `out`. On failure `out` holds a part of a line. */
MUST_CHECK bool inputs_from_json(struct slice body, uint64_t id, struct buffer *out, struct error *err);
/* The line that asks a worker whether it is ready; it answers with the id and without an error. */
void inputs_probe(uint64_t id, struct buffer *out);

#endif
