/* Owns the data directory: its lock and the state of its databases at start. */
#include "data_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/db.h"
#include "store/experiments.h"
#include "store/migrations.h"
#include "store/registry_history.h"

enum { BLOBS_PAGE_BYTES = 65536, SEED_ARENA_BYTES_MAX = 1024 * 1024 };

/* Makes `path` and its missing parents, as mkdir -p does. */
static bool make_directory(const char *path, struct error *err)
{
	char part[DATA_PATH_BYTES_MAX];
	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(part, 0755); /* a failure shows below */
		*slash = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return error_set(err, ERR_INVALID_STATE, "cannot make the data folder %s: %s", path,
				 strerrordesc_np(errno));
	return true;
}

static bool take_lock(const char *path, struct data_directory *directory, struct error *err)
{
	char lock_path[DATA_PATH_BYTES_MAX], text[32];
	(void)snprintf(lock_path, sizeof(lock_path), "%s/trackerd.lock", path);
	int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set(err, ERR_INVALID_STATE, "cannot write to the data folder %s: %s",
				 path, strerrordesc_np(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
		text[len > 0 ? len : 0] = '\0';
		(void)close(fd);
		return error_set(err, ERR_INVALID_STATE,
				 "the data folder %s is in use by another trackerd%s%s; stop it "
				 "first, or use "
				 "another folder with --data",
				 path, text[0] != '\0' ? " with process id " : "", text);
	}
	int len = snprintf(text, sizeof(text), "%ld", (long)getpid());
	/* The number only helps a person; the lock is the kernel's. */
	if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
		errno = 0;
	directory->lock_fd = fd;
	return true;
}

static bool has_content(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && info.st_size > 0;
}

/* Opens a database for writing. A writer puts its settings into the file at once: a reader has to see first that the
 * file is ours. */
static bool open_ours(const char *path, const char *database, const struct db_options *options,
		      struct db **out, struct error *err)
{
	const struct db_options reading = {.mode = DB_READ_ONLY};
	struct db *reader = NULL;
	bool ok = !has_content(path) || (db_open(path, &reading, &reader, err) &&
					 migrations_check(reader, database, err));
	db_close(reader);
	return ok && db_open(path, options, out, err);
}

/* Beside a new tracker.db, which refers to no blob, every blob would be swept. */
static bool check_tracker_is_not_lost(const struct data_directory *directory, struct error *err)
{
	const struct db_options reading = {.mode = DB_READ_ONLY};
	struct db *db;
	bool has_blobs = false;
	if (has_content(directory->tracker_path) || !has_content(directory->artifacts_path))
		return true;
	if (!db_open(directory->artifacts_path, &reading, &db, err))
		return false;
	bool ok = migrations_check(db, "artifacts", err);
	struct db_statement *st =
		ok ? db_prepare(db, SQL("SELECT 1 FROM blobs LIMIT 1"), err) : NULL;
	ok = st != NULL && db_fetch_one(st, &has_blobs, err);
	db_reset(st);
	db_close(db);
	if (ok && has_blobs)
		return error_set(err, ERR_INVALID_STATE,
				 "tracker.db is missing or empty, but artifacts.db beside it has "
				 "content that would be "
				 "deleted. Put tracker.db back from a backup, or move artifacts.db "
				 "away to begin anew.");
	return ok;
}

static bool prepare_tracker(const char *path, struct slice artifact_root, struct error *err)
{
	const struct db_options options = {.mode = DB_READ_WRITE};
	struct arena arena;
	struct db *db;
	if (!open_ours(path, "tracker", &options, &db, err))
		return false;
	arena_init(&arena, SEED_ARENA_BYTES_MAX);
	int64_t now_ms = clock_wall_ms(clock_system());
	bool ok = migrations_apply(db, "tracker", err) &&
		  experiment_seed_default(db, artifact_root, now_ms, &arena, err) &&
		  registry_adopt(db, now_ms, err);
	arena_deinit(&arena);
	db_close(db);
	return ok;
}

static bool prepare_artifacts(const char *path, struct error *err)
{
	const struct db_options options = {.mode = DB_READ_WRITE, .page_bytes = BLOBS_PAGE_BYTES};
	struct db *db;
	if (!open_ours(path, "artifacts", &options, &db, err))
		return false;
	bool ok = migrations_apply(db, "artifacts", err);
	db_close(db);
	return ok;
}

bool data_directory_open(const char *path, struct slice artifact_root,
			 struct data_directory *directory, struct error *err)
{
	*directory = (struct data_directory){.lock_fd = -1};
	(void)snprintf(directory->tracker_path, DATA_PATH_BYTES_MAX, "%s/tracker.db", path);
	(void)snprintf(directory->artifacts_path, DATA_PATH_BYTES_MAX, "%s/artifacts.db", path);
	if (make_directory(path, err) && take_lock(path, directory, err) &&
	    check_tracker_is_not_lost(directory, err) &&
	    prepare_tracker(directory->tracker_path, artifact_root, err) &&
	    prepare_artifacts(directory->artifacts_path, err))
		return true;
	data_directory_close(directory);
	return false;
}

void data_directory_close(struct data_directory *directory)
{
	if (directory->lock_fd >= 0)
		(void)close(directory->lock_fd); /* nothing was written that could fail late */
	directory->lock_fd = -1;
}
