/* Traces and assessments as MLflow's JSON shapes (mlflow-api.md §10). Each writes one object. */
#ifndef API_TRACE_JSON_H
#define API_TRACE_JSON_H

#include "base/json_writer.h"
#include "store/trace_entities.h"

/* TraceInfoV3: what trace_info is in replies under /api/3.0. */
void trace_json_info(struct json_writer *w, const struct trace *trace);
/* TraceInfo of 2.x clients. */
void trace_json_info_v2(struct json_writer *w, const struct trace *trace);
void trace_json_assessment(struct json_writer *w, const struct assessment *assessment);

#endif
