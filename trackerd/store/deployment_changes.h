/* The history of deployments: one row for each change, holding all of the deployment after it. The rows of all
 * deployments are numbered together, so that who knows a number can be told what came after it.
 *
 * Each deployment keeps its last DEPLOYMENT_CHANGES_MAX rows, and all of them the last DEPLOYMENT_CHANGES_ALL_MAX.
 * Of attempts that fail alike one after the other, two rows each, only the first and the last two stay: else days of
 * them would push out what was before. Rows of a deployment that was forgotten stay. */
#ifndef STORE_DEPLOYMENT_CHANGES_H
#define STORE_DEPLOYMENT_CHANGES_H

#include "store/deployments.h"

struct deployment_change {
	int64_t time_ms;
	struct deployment deployment; /* as it was then; what the registry says is of now */
};
struct deployment_change_list {
	struct deployment_change *items;
	size_t count;
};

/* Writes how `d` is from now on, and drops what is kept no longer. *seq_out is the row's number. */
MUST_CHECK bool deployment_change_record_in_txn(struct db *db, const struct deployment *d, int64_t now_ms,
						int64_t *seq_out, struct error *err);
/* A page of one deployment, newest first; tokens as in search_page_row_before. RESOURCE_DOES_NOT_EXIST when nothing
 * is known of it. */
MUST_CHECK bool deployment_changes_list(struct db *db, struct slice deployment_id, size_t rows_max,
					struct slice page_token, struct arena *arena,
					struct deployment_change_list *out, struct slice *next_out,
					struct error *err);
/* Of all deployments, those after `after_seq` in order; at most `rows_max`. */
MUST_CHECK bool deployment_changes_after(struct db *db, int64_t after_seq, size_t rows_max, struct arena *arena,
					 struct deployment_change_list *out, struct error *err);
/* The numbers of the oldest row that is kept and of the newest; 0, 0: none yet. */
MUST_CHECK bool deployment_changes_bounds(struct db *db, int64_t *first_seq_out, int64_t *last_seq_out,
					  struct error *err);

#endif
