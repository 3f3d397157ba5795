/* What may be asked of traces: attributes, tags, metadata, feedback and expectations. Statements select from
 * traces AS t.
 *
 * The value of a feedback or an expectation is compared as text with = and !=, LIKE and ILIKE (true, false and numbers
 * read as in JSON), as a number with < and its like. Those that were overridden do not count. */
#ifndef SEARCH_TRACE_FIELDS_H
#define SEARCH_TRACE_FIELDS_H

#include "search/search_table.h"

/* Keys whose values are attributes in filters. */
#define TRACE_NAME_TAG "mlflow.traceName"
#define TRACE_SOURCE_RUN_METADATA "mlflow.sourceRun"
#define TRACE_SESSION_METADATA "mlflow.trace.session"
#define TRACE_USER_METADATA "mlflow.trace.user"

extern const struct search_table trace_search_table;

#endif
