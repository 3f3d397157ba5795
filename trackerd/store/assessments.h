/* Assessments of traces in SQL: what people, code and judges say of a trace. */
#ifndef STORE_ASSESSMENTS_H
#define STORE_ASSESSMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/pk_list.h"
#include "store/trace_entities.h"

/* Makes it, or replaces the one of that id, whose trace it keeps and to whose metadata it adds. `arena` is for
 * scratch. */
MUST_CHECK bool assessment_put_in_txn(struct db *db, struct trace_pk trace_pk, const struct assessment *assessment,
				      struct arena *arena, struct error *err);
/* This assessment is not valid any more. Fails like assessment_load when it is not one of this trace. */
MUST_CHECK bool assessment_override_in_txn(struct db *db, struct trace_pk trace_pk, struct slice trace_id,
					   struct slice assessment_id, struct error *err);
/* Fails with RESOURCE_DOES_NOT_EXIST: "Trace with request_id 'x' not found", or "Assessment with ID 'y' not found for
 * trace 'x'". */
MUST_CHECK bool assessment_load(struct db *db, struct slice trace_id, struct slice assessment_id, struct arena *arena,
				struct assessment *out, struct trace_pk *trace_pk_out, struct error *err);
/* Is there one of that id, of any trace? */
MUST_CHECK bool assessment_exists(struct db *db, struct slice assessment_id, bool *exists_out, struct error *err);
/* The one that it overrode is valid again. Nothing there is fine. `arena` is for
 * scratch. */
MUST_CHECK bool assessment_delete_in_txn(struct db *db, struct slice trace_id, struct slice assessment_id,
					 struct arena *arena, struct error *err);

/* The assessments of each trace in the list, in order of their making: lists_out[slot->index]. */
MUST_CHECK bool assessments_load_of(struct db *db, struct pk_list *traces, struct arena *arena,
				    struct assessment_list *lists_out, struct error *err);

#endif
