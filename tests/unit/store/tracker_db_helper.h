/* A tracker.db of a test: migrated, with experiment 0, in a folder of its own that goes away at the
 * end. */
#ifndef TESTS_UNIT_STORE_TRACKER_DB_HELPER_H
#define TESTS_UNIT_STORE_TRACKER_DB_HELPER_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

struct tracker_db {
	char directory[64];
	char path[96];
	struct db *db; /* in a transaction */
	struct arena arena;
	struct error err;
};

enum { TRACKER_DB_NOW_MS = 1700000000 };

/* cmocka's set-up and tear-down; *state is the struct tracker_db. */
int tracker_db_setup(void **state);
int tracker_db_teardown(void **state);
/* Ends the transaction and begins another one. */
void tracker_db_commit(struct tracker_db *t);
void tracker_db_rollback(struct tracker_db *t);
/* Fails the test, showing the error, unless `ok`. */
void tracker_db_check(const struct tracker_db *t, bool ok, const char *what);
#define CHECK(t, call) tracker_db_check((t), (call), #call)
/* Fails the test unless the last error has this code and message. */
void tracker_db_check_error(const struct tracker_db *t, bool ok, enum error_code code,
			    const char *message);

/* A run of experiment `experiment_id` with a name and nothing else. */
struct run_pk tracker_db_add_run(struct tracker_db *t, const char *run_id, int64_t experiment_id);
/* One number that a query without parameters gives. */
int64_t tracker_db_number(struct tracker_db *t, struct sql sql);
/* One text, in the arena. */
const char *tracker_db_text(struct tracker_db *t, struct sql sql);

#define RUN_1 "00000000000000000000000000000001"
#define RUN_2 "00000000000000000000000000000002"

#endif
