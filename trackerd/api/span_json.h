/* Spans: from the artifact traces.json, as clients of both versions store it, to the JSON of OpenTelemetry's spans that
 * version 3 of the API gives out. Pure; any thread.
 *
 *     {"spans": [{"span_id": "k7BNiWRIHXs=", "attributes": {"mlflow.spanType": "\"LLM\""}, …}]}
 *     → [{"span_id": "k7BNiWRIHXs=", "attributes": [{"key": "mlflow.spanType", "value": {"string_value": "LLM"}}], …}]
 *
 * Ids that older clients wrote in hexadecimal become base64; attributes, which are texts that hold JSON, become typed
 * values, those that do not hold any stay texts. A value that is nested more than SPAN_VALUE_NESTING_MAX deep stays
 * the text of its JSON. */
#ifndef API_SPAN_JSON_H
#define API_SPAN_JSON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_scanner.h"
#include "base/json_writer.h"

/* Each level of a value takes four of the writer's, which stand ten deep before it. */
enum { SPAN_VALUE_NESTING_MAX = 12 };

/* The spans in the text of a traces.json, which is borrowed; *spans_out NULL when there are none. Fails with
 * BAD_REQUEST. */
MUST_CHECK bool span_json_parse(struct slice traces_json, struct arena *arena, const struct json_value **spans_out,
				struct error *err);
/* Key "spans" and their array, inside an object; nothing when there are none. `arena` is for scratch. */
void span_json_put(struct json_writer *w, const struct json_value *spans_or_null, struct arena *arena);

#endif
