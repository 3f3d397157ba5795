/* A database in a folder of its own, for the tests of db/. */
#ifndef UNIT_DB_DB_HELPER_H
#define UNIT_DB_DB_HELPER_H

#include "db/db.h"

/* Makes the folder; *state gets a struct db_folder. For cmocka's set-up and tear-down. */
int db_folder_set_up(void **state);
/* Removes the folder and every file in it. */
int db_folder_tear_down(void **state);

struct db_folder {
	char path[64];
	char file[96]; /* path + "/test.db" */
};

/* Opens the folder's file with default options; fails the test otherwise. */
struct db *db_folder_open(const struct db_folder *folder, enum db_mode mode);
/* Runs a script; fails the test otherwise. */
void run_script(struct db *db, const char *script);
/* The single number a query gives; fails the test otherwise. */
int64_t query_i64(struct db *db, struct sql sql);

#endif
