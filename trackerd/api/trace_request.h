/* What requests about traces have in common. */
#ifndef API_TRACE_REQUEST_H
#define API_TRACE_REQUEST_H

#include "api/endpoint.h"
#include "store/trace_entities.h"
#include "store/trace_search.h"

/* First a letter or digit, then word characters, '-' and '.', at most 250: it becomes part of artifact paths. */
MUST_CHECK bool trace_check_id(struct slice trace_id, struct error *err);
/* The state of that number, which is what a field of trace_states gave; STATE_UNSPECIFIED when it is not set. */
struct slice trace_state_name(struct opt_i64 state);
/* STATE_UNSPECIFIED (and TRACE_STATUS_UNSPECIFIED), OK, ERROR, IN_PROGRESS. */
extern const struct field_enum trace_states[];

/* Tags or metadata, items being struct key_value: keys cut to KEY_LENGTH_MAX characters, values to
 * TRACE_VALUE_LENGTH_MAX; absent values are "". The list is changed. */
struct key_value_list trace_key_values(const struct object_list *list);

/* In call->result, a struct trace with all that belongs to it. */
MUST_CHECK bool trace_load_result(struct call *call, struct db *tracker, struct trace_pk pk, struct error *err);
/* Likewise for the trace whose id is the first argument of the path. */
MUST_CHECK bool trace_get_execute(struct call *call, struct db *tracker, struct error *err);
/* The trace of that id, which this write changes: its experiment is told. Fails like trace_find. */
MUST_CHECK bool trace_find_changed(struct call *call, struct db *tracker, struct slice trace_id, struct trace_pk *out,
				   struct error *err);
/* Tells the experiment of a trace that this write found and changes. */
MUST_CHECK bool trace_tell(struct call *call, struct db *tracker, struct trace_pk pk, struct error *err);
/* Likewise, of what may not be there. */
MUST_CHECK bool trace_tell_if_any(struct call *call, struct db *tracker, struct slice trace_id, struct error *err);
/* Makes or updates *trace in its experiment, which must be active; the trace that is then there is call->result. */
MUST_CHECK bool trace_put_result(struct call *call, struct db *tracker, const struct trace *trace, struct error *err);

/* Several traces by their ids. */
struct trace_infos_request {
	struct text_list trace_ids, experiment_ids; /* the latter absent: of all */
};
extern const struct field trace_infos_fields[];
/* At most SEARCH_TRACES_MAX. */
MUST_CHECK bool trace_infos_check(struct call *call, struct error *err);
/* Of an endpoint whose request is a struct trace_infos_request: in its order, each once; those that are not there are
 * left out. */
MUST_CHECK bool trace_infos_load(struct call *call, struct db *tracker, struct trace_list *out, struct error *err);

/* What both versions of the search ask; each has its own way to name experiments. */
struct trace_search_request {
	struct object_list locations;    /* version 3 */
	struct text_list experiment_ids; /* version 2 */
	struct slice filter, page_token;
	struct opt_i64 max_results;
	struct text_list order_by;
	struct trace_search search; /* made by trace_search_check */
};
struct trace_page {
	struct trace_list traces;
	struct slice next_page_token;
};
/* Makes request->search for these experiments. Ids that are no numbers are refused. */
MUST_CHECK bool trace_search_check(struct call *call, const struct slice *experiment_ids, size_t count,
				   struct error *err);
/* Of an endpoint whose request is a struct trace_search_request; call->result is a struct trace_page. */
MUST_CHECK bool trace_search_execute(struct call *call, struct db *tracker, struct error *err);
/* {"traces": […], "next_page_token"} */
void trace_page_encode(const struct call *call, struct json_writer *w,
		       void (*write_trace)(struct json_writer *w, const struct trace *trace));

#endif
