/* Assessments as requests bring them: alone, or with the trace they belong to. */
#ifndef API_ASSESSMENT_REQUEST_H
#define API_ASSESSMENT_REQUEST_H

#include "api/fields.h"
#include "store/trace_entities.h"

struct assessment_source_part {
	struct opt_i64 source_type;
	struct slice source_id;
};
struct feedback_part {
	struct slice value; /* JSON */
	struct assessment_error error;
};
struct serialized_part {
	struct slice serialization_format, value;
};
struct expectation_part {
	struct slice value; /* JSON */
	struct serialized_part serialized_value;
};
struct issue_part {
	struct slice issue_name;
};

struct assessment_request {
	struct slice assessment_id, assessment_name, span_id;
	struct assessment_source_part source;
	struct slice create_time, last_update_time; /* RFC 3339 */
	struct slice feedback_json;                 /* present even where `feedback` is of nothing: {} is null */
	struct feedback_part feedback;
	struct expectation_part expectation;
	struct issue_part issue;
	struct slice rationale, overrides;
	struct object_list metadata; /* of struct key_value */
};

/* Of a struct assessment_request. */
extern const struct field assessment_fields[];

/* What the request says of the value: kind, value, is_serialized and error of *out. Fails with
 * INVALID_PARAMETER_VALUE when it has no value, or more than one. */
MUST_CHECK bool assessment_request_value(const struct assessment_request *request, struct assessment *out,
					 struct error *err);
/* The whole assessment, valid, with a random id if it has none; times that are not given are now_ms. Texts are
 * borrowed from the request. Fails with INVALID_PARAMETER_VALUE. */
MUST_CHECK bool assessment_request_whole(const struct assessment_request *request, struct slice trace_id,
					 int64_t now_ms, struct arena *arena, struct assessment *out,
					 struct error *err);
/* An optional time of a request; *ms_out stays as it is when it is absent. `name` is for the message. */
MUST_CHECK bool trace_request_time(struct slice text, const char *name, int64_t *ms_out, struct error *err);

#endif
