/* Traces and their assessments, as plain structs in the caller's arena. Absent texts have ptr NULL. */
#ifndef STORE_TRACE_ENTITIES_H
#define STORE_TRACE_ENTITIES_H

#include "store/entities.h"

struct trace_pk {
	int64_t value;
};

enum assessment_kind { ASSESSMENT_FEEDBACK, ASSESSMENT_EXPECTATION, ASSESSMENT_ISSUE };

/* Why a judge came to no value; each text may be absent. */
struct assessment_error {
	struct slice error_code, error_message, stack_trace;
};

struct assessment {
	int64_t pk;
	struct slice assessment_id, trace_id, name;
	enum assessment_kind kind;
	struct slice value;  /* JSON text; of an issue its name */
	bool is_serialized;  /* of an expectation: its JSON text travels inside a string, and may be anything */
	bool has_error;      /* of feedback */
	struct assessment_error error;
	struct slice source_type;                             /* HUMAN LLM_JUDGE CODE SOURCE_TYPE_UNSPECIFIED */
	struct slice source_id, span_id, rationale, overrides; /* may be absent */
	struct key_value_list metadata;
	bool is_valid; /* false once another one overrides it */
	int64_t create_time_ms, last_update_time_ms;
};
struct assessment_list {
	struct assessment *items;
	size_t count;
};

struct trace {
	struct trace_pk pk;
	struct slice trace_id;
	int64_t experiment_id;
	int64_t request_time_ms;
	bool has_execution_time;
	int64_t execution_time_ms;
	struct slice state; /* OK ERROR IN_PROGRESS STATE_UNSPECIFIED */
	struct slice client_request_id, request_preview, response_preview; /* may be absent */
	struct key_value_list metadata, tags; /* loaded ones: sorted by key */
	struct assessment_list assessments;   /* loaded ones: in order of their making */
};
struct trace_list {
	struct trace *items;
	size_t count;
};

#endif
