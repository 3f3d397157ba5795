/* What is known of all curves of a run without reading points: first, last, least and greatest value, count. */
#ifndef STORE_METRIC_SUMMARY_H
#define STORE_METRIC_SUMMARY_H

#include "store/metric_series.h"

struct metric_summary {
	struct slice name;
	struct metric_series series;
};

struct metric_summary_list {
	struct metric_summary *items;
	size_t count;
};

/* All curves of the run, sorted by name, in the arena. Any connection. */
MUST_CHECK bool metric_summary_read(struct db *db, struct run_pk run_pk, struct arena *arena,
				    struct metric_summary_list *out, struct error *err);

#endif
