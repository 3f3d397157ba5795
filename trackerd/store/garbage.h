/* What was deleted and may go for good: runs, logged models, experiments.
 *
 * Deleting marks (is_deleted = 1), and until the mark is old enough the thing can be restored. Removing for good takes
 * several transactions for what is large. The first one marks the thing as being removed (is_deleted = 2), from where
 * there is no way back: nobody finds it by its id any more. After a crash it is still listed here, and goes on to go.
 *
 *     active (0) ⇄ deleted (1) ─▶ being removed (2) ─▶ no row
 *
 * Runs come first, then logged models, then experiments: those of the same experiment are gone when its turn comes.
 * The files are the caller's to remove (artifact_tree.h), before garbage_remove_row_in_txn. */
#ifndef STORE_GARBAGE_H
#define STORE_GARBAGE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

enum { GARBAGE_BEING_REMOVED = 2 }; /* is_deleted of its row */

enum garbage_kind { GARBAGE_RUN, GARBAGE_LOGGED_MODEL, GARBAGE_EXPERIMENT };
enum { GARBAGE_KINDS = 3 };

struct garbage {
	enum garbage_kind kind;
	int64_t pk;       /* run_pk, logged_model_pk, experiment_id */
	struct slice id;  /* as clients know it */
	struct slice name;
	int64_t experiment_id;
	int64_t deleted_ms;
	struct slice uri; /* of its artifacts */
	bool is_being_removed;
};

/* Where a walk through all garbage has come to. */
struct garbage_cursor {
	enum garbage_kind kind;
	int64_t after_pk; /* -1: before the first */
};
#define GARBAGE_CURSOR_BEGIN ((struct garbage_cursor){GARBAGE_RUN, -1})

/* The next thing that is deleted, however long ago, in the arena; *found_out false at the end. A logged model of a
 * deleted experiment is deleted with it. */
MUST_CHECK bool garbage_next(struct db *db, struct garbage_cursor *cursor, struct arena *arena, struct garbage *out,
			     bool *found_out, struct error *err);

/* Runs of an experiment that were not deleted with it: an import may bring such. */
MUST_CHECK bool garbage_has_active_runs(struct db *db, int64_t experiment_id, bool *has_out, struct error *err);
/* Has it no runs and logged models any more, deleted or not? */
MUST_CHECK bool garbage_experiment_is_empty(struct db *db, int64_t experiment_id, bool *is_empty_out,
					    struct error *err);

/* How much there is: rows of all tables, and bytes of points in columns and batches. */
struct garbage_figures {
	int64_t rows;
	int64_t metric_bytes;
};
MUST_CHECK bool garbage_measure(struct db *db, const struct garbage *garbage, struct garbage_figures *out,
				struct error *err);

/* Marks it as being removed. */
MUST_CHECK bool garbage_mark_in_txn(struct db *db, const struct garbage *garbage, struct error *err);
/* Removes a piece that takes a millisecond or so; *is_gone_out once only its last row is left. Of an experiment that
 * has no more runs, logged models and traces. */
MUST_CHECK bool garbage_remove_piece_in_txn(struct db *db, const struct garbage *garbage, bool *is_gone_out,
					    struct error *err);
/* And that row. */
MUST_CHECK bool garbage_remove_row_in_txn(struct db *db, const struct garbage *garbage, struct error *err);

#endif
