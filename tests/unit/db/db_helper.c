/* Owns the folder and the small queries that the tests of db/ share. */
#include "unit/db/db_helper.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

int db_folder_set_up(void **state)
{
	struct db_folder *folder = calloc(1, sizeof(*folder));
	if (folder == NULL)
		return -1;
	snprintf(folder->path, sizeof(folder->path), "/tmp/trackerd-db-XXXXXX");
	if (mkdtemp(folder->path) == NULL)
		return -1;
	snprintf(folder->file, sizeof(folder->file), "%s/test.db", folder->path);
	*state = folder;
	return 0;
}

int db_folder_tear_down(void **state)
{
	struct db_folder *folder = *state;
	DIR *directory = opendir(folder->path);
	struct dirent *entry;
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		(void)unlinkat(dirfd(directory), entry->d_name, 0);
	if (directory != NULL)
		(void)closedir(directory);
	int rc = rmdir(folder->path);
	free(folder);
	return rc;
}

struct db *db_folder_open(const struct db_folder *folder, enum db_mode mode)
{
	struct db_options options = {.mode = mode};
	struct db *db = NULL;
	struct error err;
	if (!db_open(folder->file, &options, &db, &err))
		fail_msg("%s", err.message);
	return db;
}

void run_script(struct db *db, const char *script)
{
	struct error err;
	if (!db_exec_script(db, slice_from_cstr(script), &err))
		fail_msg("%s: %s", script, err.message);
}

int64_t query_i64(struct db *db, struct sql sql)
{
	struct error err;
	bool found = false;
	struct db_statement *st = db_prepare(db, sql, &err);
	if (st == NULL || !db_fetch_one(st, &found, &err))
		fail_msg("%s: %s", sql.text, err.message);
	assert_true(found);
	int64_t value = db_column_i64(st, 0);
	db_reset(st);
	return value;
}
