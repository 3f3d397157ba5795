/* Owns trk_sync: finding spools that programs left behind and delivering them one by one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "src/delivery.h"
#include "src/sender.h"
#include "src/settings.h"
#include "src/status.h"

enum { PATIENCE_MS = 10 * 1000, NAP_MS = 50 };

struct found_run {
	char id[RANDOM_ID_HEX_LEN + 1];
	struct timespec born;
};

struct sync {
	struct trk_sync_options options;
	struct trk_sync_result result;
	char directory[SETTINGS_PATH_BYTES];
	struct found_run *runs;
	size_t runs_count, runs_capacity;
	struct trk_sync_progress progress;
	char failed_url[1024]; /* could not be reached: other runs for it are not tried */
	bool is_unreachable, is_stopped, has_disk_error;
};

static bool find_runs(struct sync *s, struct error *err);
static bool add_run(struct sync *s, const char *id, const struct timespec *born, struct error *err);
static int compare_runs(const void *a, const void *b);
static bool sync_run(struct sync *s, const char *run_id, struct error *err);
static bool deliver(struct sync *s, const char *run_id, struct spool *spool,
		    struct transport *transport, struct error *err);
static bool close_as_failed(struct sync *s, struct spool *spool, struct error *err);
static bool wait_and_see(struct sync *s, int64_t until_ms, int64_t pause_ms);
static bool tell_progress(struct sync *s);
static void note(void *context, enum trk_log_level level, const char *sentence);
static enum trk_status status_of(const struct sync *s);

enum trk_status trk_sync(const struct trk_sync_options *options, struct trk_sync_result *result)
{
	struct sync s = {
		.options = {.size = sizeof s.options},
		.result = {.size = sizeof s.result},
		.progress = {.size = sizeof s.progress, .run_id = ""},
	};
	struct error err;
	error_clear(&err);
	if (options != NULL &&
	    !settings_copy_struct(&s.options, sizeof s.options, options, options->size, &err))
		return TRK_INVALID_ARGUMENT;
	bool ok = find_runs(&s, &err);
	enum trk_status status = ok ? TRK_OK : status_of_error(&err);
	for (size_t i = 0; ok && i < s.runs_count && !s.is_stopped; i++) {
		if (!sync_run(&s, s.runs[i].id, &err))
			note(&s, TRK_LOG_WARN, err.message);
		s.progress.runs_done++;
	}
	if (ok)
		status = status_of(&s);
	if (status != TRK_OK)
		status_copy_text(err.message[0] != '\0' ? err.message : trk_strerror(status),
				 s.options.error_text, s.options.error_text_bytes);
	if (result != NULL && result->size >= sizeof result->size) {
		size_t size = result->size;
		memcpy(result, &s.result, size < sizeof s.result ? size : sizeof s.result);
		result->size = size;
	}
	free(s.runs);
	return status;
}

/* All of a folder of spools, or the one that the folder is. */
static bool find_runs(struct sync *s, struct error *err)
{
	const char *given = s->options.directory;
	if (given == NULL && !settings_default_spool(s->directory, err))
		return false;
	if (given != NULL &&
	    snprintf(s->directory, sizeof s->directory, "%s", given) >= SETTINGS_PATH_BYTES - 64)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the path of the spool directory is too long");
	size_t len = strlen(s->directory);
	while (len > 1 && s->directory[len - 1] == '/')
		s->directory[--len] = '\0';
	const struct timespec unknown = {0, 0};
	char *slash = strrchr(s->directory, '/');
	const char *name = slash == NULL ? s->directory : slash + 1;
	if (settings_is_run_id(name)) {
		if (!add_run(s, name, &unknown, err))
			return false;
		/* What is left is the folder that the run's folder is in. */
		(void)snprintf(slash == NULL ? s->directory : slash + 1, 2, ".");
		return true;
	}
	DIR *dir = opendir(s->directory);
	if (dir == NULL)
		/* Nothing was ever logged here. */
		return (given == NULL && errno == ENOENT) ||
		       status_disk_error(err, errno, "cannot list the spool directory");
	bool ok = true;
	const struct dirent *entry;
	while (ok && (entry = readdir(dir)) != NULL) {
		struct stat info;
		char lock[RANDOM_ID_HEX_LEN + 8];
		if (!settings_is_run_id(entry->d_name))
			continue;
		(void)snprintf(lock, sizeof lock, "%.*s/lock", RANDOM_ID_HEX_LEN, entry->d_name);
		bool has_lock = fstatat(dirfd(dir), lock, &info, 0) ==
				0; /* written once, so its time is the start's */
		ok = add_run(s, entry->d_name, has_lock ? &info.st_mtim : &unknown, err);
	}
	(void)closedir(dir);
	if (s->runs_count > 0)
		qsort(s->runs, s->runs_count, sizeof *s->runs, compare_runs);
	return ok;
}

static bool add_run(struct sync *s, const char *id, const struct timespec *born, struct error *err)
{
	if (s->runs_count == s->runs_capacity) {
		size_t capacity = s->runs_capacity * 2 + 16;
		struct found_run *bigger = reallocarray(s->runs, capacity, sizeof *bigger);
		if (bigger == NULL)
			return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
		s->runs = bigger;
		s->runs_capacity = capacity;
	}
	struct found_run *run = &s->runs[s->runs_count++];
	memcpy(run->id, id, sizeof run->id);
	run->born = *born;
	s->result.runs_total = s->progress.runs_total = s->runs_count;
	return true;
}

static int compare_runs(const void *a, const void *b)
{
	const struct found_run *left = a;
	const struct found_run *right = b;
	if (left->born.tv_sec != right->born.tv_sec)
		return left->born.tv_sec < right->born.tv_sec ? -1 : 1;
	if (left->born.tv_nsec != right->born.tv_nsec)
		return left->born.tv_nsec < right->born.tv_nsec ? -1 : 1;
	return strcmp(left->id, right->id);
}

/* False with a sentence when the run could not be delivered whole. */
static bool sync_run(struct sync *s, const char *run_id, struct error *err)
{
	char path[SETTINGS_PATH_BYTES + RANDOM_ID_HEX_LEN + 2];
	struct spool *spool;
	struct transport *transport = NULL;
	(void)snprintf(path, sizeof path, "%s/%s", s->directory, run_id);
	const struct spool_options spool_options = {
		.directory = path, .must_exist = true, .bytes_max = UINT64_MAX};
	if (!spool_open(&spool_options, &spool, err)) {
		s->result.runs_busy += err->code == ERR_RESOURCE_CONFLICT;
		s->result.runs_refused += err->code == ERR_DATA_LOSS;
		s->has_disk_error = s->has_disk_error || err->code == ERR_STORAGE_FULL;
		return error_prefix(err, "run %s", run_id);
	}
	const char *url = s->options.url != NULL ? s->options.url : spool_url(spool);
	const struct transport_options transport_options = {
		.url = url[0] == '\0' ? settings_default_url() : url,
		.connect_timeout_ms = s->options.connect_timeout_ms > 0
					      ? s->options.connect_timeout_ms
					      : SETTINGS_CONNECT_TIMEOUT_MS,
		.request_timeout_ms = s->options.request_timeout_ms > 0
					      ? s->options.request_timeout_ms
					      : SETTINGS_REQUEST_TIMEOUT_MS,
	};
	bool ok = close_as_failed(s, spool, err) &&
		  transport_open(&transport_options, &transport, err);
	if (ok && s->failed_url[0] != '\0' && strcmp(s->failed_url, transport_options.url) == 0)
		ok = error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "the server cannot be reached");
	else
		ok = ok && deliver(s, run_id, spool, transport, err);
	if (!ok && err->code == ERR_TEMPORARILY_UNAVAILABLE) {
		s->is_unreachable = true;
		(void)snprintf(s->failed_url, sizeof s->failed_url, "%s", transport_options.url);
	}
	s->result.runs_refused +=
		!ok && (err->code == ERR_BAD_REQUEST || err->code == ERR_DATA_LOSS);
	s->has_disk_error = s->has_disk_error || (!ok && err->code == ERR_STORAGE_FULL);
	s->result.runs_delivered += ok;
	transport_close(transport);
	spool_close(spool);
	return ok || error_prefix(err, "run %s", run_id);
}

static bool deliver(struct sync *s, const char *run_id, struct spool *spool,
		    struct transport *transport, struct error *err)
{
	struct delivery d;
	struct spool_counts counts;
	int64_t patience_ms = s->options.patience_ms > 0 ? s->options.patience_ms : PATIENCE_MS;
	int64_t until_ms = clock_monotonic_ms(clock_system()) + patience_ms;
	unsigned failures = 0;
	if (!delivery_init(&d, spool, transport, run_id, note, s, err))
		return false;
	spool_counts(spool, &counts);
	s->progress.run_id = run_id;
	s->progress.records_done = 0;
	s->progress.records_total = counts.waiting;
	enum delivery_outcome outcome = DELIVERY_PROGRESS;
	while (outcome != DELIVERY_EMPTY && outcome != DELIVERY_REFUSED && tell_progress(s)) {
		outcome = delivery_step(&d, err);
		if (outcome == DELIVERY_RETRY) {
			int64_t pause_ms = sender_pause_ms(failures++);
			if (d.retry_after_ms > pause_ms)
				pause_ms = d.retry_after_ms;
			if (!wait_and_see(s, until_ms, pause_ms))
				break;
			continue;
		}
		failures = 0;
		until_ms = clock_monotonic_ms(clock_system()) + patience_ms;
		s->progress.records_done = d.records_delivered + d.records_rejected;
	}
	s->result.records_delivered += d.records_delivered;
	s->result.records_rejected += d.records_rejected;
	delivery_deinit(&d);
	spool_counts(spool, &counts);
	if (outcome == DELIVERY_EMPTY)
		return counts.waiting == 0 ||
		       error_set(err, ERR_DATA_LOSS, "%llu records cannot be read",
				 (unsigned long long)counts.waiting);
	if (outcome == DELIVERY_PROGRESS)
		return error_set(err, ERR_CANCELLED, "stopped early");
	return false;
}

/* The lock is ours, so the program is gone; if its last word was the start, it crashed. */
static bool close_as_failed(struct sync *s, struct spool *spool, struct error *err)
{
	const struct spool_found *found = spool_found(spool);
	if (!found->is_open)
		return true;
	const struct record end = {
		.type = RECORD_END,
		.end = {found->last_time_ms, SLICE("FAILED")},
	};
	if (!spool_append(spool, &end, err))
		return false;
	s->result.runs_closed++;
	return true;
}

/* Sleeps in small steps, so that the caller's progress function can stop it. False when patience or
 * caller end. */
static bool wait_and_see(struct sync *s, int64_t until_ms, int64_t pause_ms)
{
	int64_t resume_ms = clock_monotonic_ms(clock_system()) + pause_ms;
	for (;;) {
		int64_t now_ms = clock_monotonic_ms(clock_system());
		if (now_ms >= until_ms)
			return false;
		if (now_ms >= resume_ms)
			return true;
		const struct timespec nap = {0, NAP_MS * 1000000L};
		(void)nanosleep(&nap, NULL);
		if (!tell_progress(s))
			return false;
	}
}

static bool tell_progress(struct sync *s)
{
	if (s->options.progress != NULL &&
	    !s->options.progress(s->options.progress_context, &s->progress))
		s->is_stopped = true;
	return !s->is_stopped;
}

static void note(void *context, enum trk_log_level level, const char *sentence)
{
	const struct sync *s = context;
	if (s->options.log != NULL)
		s->options.log(s->options.log_context, level, sentence);
}

static enum trk_status status_of(const struct sync *s)
{
	if (s->is_stopped)
		return TRK_TIMEOUT;
	if (s->has_disk_error)
		return TRK_DISK;
	if (s->is_unreachable)
		return TRK_UNREACHABLE;
	return s->result.runs_refused > 0 || s->result.records_rejected > 0 ? TRK_REJECTED : TRK_OK;
}
