/* Owns the patience of an import with its servers. */
#include "cli/import_call.h"

#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "src/files.h"

enum { FIRST_PAUSE_MS = 100 };

bool import_may_try_again(const struct error *err, unsigned attempt)
{
	bool is_passing = err->code == ERR_TEMPORARILY_UNAVAILABLE ||
			  err->code == ERR_REQUEST_LIMIT_EXCEEDED ||
			  err->code == ERR_REQUEST_TIMEOUT;
	if (!is_passing || attempt >= IMPORT_TRIES || cli_is_interrupted())
		return false;
	long pause_ms = (long)FIRST_PAUSE_MS << (attempt - 1);
	const struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000};
	(void)nanosleep(&pause, NULL); /* a signal ends it early, which is meant */
	return !cli_is_interrupted();
}

bool import_call(struct api *api, const char *method, struct slice path, struct slice json_body,
		 struct arena *arena, struct json_value **reply, struct error *err)
{
	for (unsigned attempt = 1;; attempt++) {
		if (api_call(api, method, path, json_body, arena, reply, err))
			return true;
		if (!import_may_try_again(err, attempt))
			return false;
	}
}

static bool begin_fetch(void *context, int64_t from, struct error *err)
{
	const int *fd = context;
	(void)from;
	if (ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0)
		return true;
	return cli_fail_file(err, "write", "a temporary file");
}

static bool fetch_bytes(void *context, struct slice bytes, struct error *err)
{
	const int *fd = context;
	return files_write_all(*fd, bytes) || cli_fail_file(err, "write", "a temporary file");
}

bool import_fetch(struct api *api, struct slice path, int fd, struct error *err)
{
	const struct fetch_range download = {
		.path = path,
		.begin = begin_fetch,
		.bytes = fetch_bytes,
		.context = &fd,
	};
	for (unsigned attempt = 1;; attempt++) {
		if (api_download(api, &download, err))
			return lseek(fd, 0, SEEK_SET) == 0 ||
			       cli_fail_file(err, "read", "a temporary file");
		if (!import_may_try_again(err, attempt))
			return false;
	}
}
