/* Owns the handle: starting a run, flushing it, ending it, and saying what went wrong. */
#include "src/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "src/facts.h"
#include "src/fork_mark.h"
#include "src/settings.h"
#include "src/status.h"

static bool open_run(struct trk_run *run, const struct settings *settings, struct error *err);
static bool append_start(struct trk_run *run, const struct settings *settings, const char *compiler,
			 struct error *err);
static void tell_what_was_found(struct trk_run *run);
static void free_run(struct trk_run *run);
static enum trk_status wait_delivered(struct trk_run *run, uint64_t sequence, int64_t timeout_ms);
static enum trk_status let_go(struct trk_run *run, const struct record *last, int64_t timeout_ms);

enum trk_status trk_run_start_compiled(const struct trk_run_options *options,
				       struct trk_run **run_out, const char *compiler)
{
	struct settings settings;
	struct error err;
	if (run_out == NULL)
		return TRK_INVALID_ARGUMENT;
	*run_out = NULL;
	struct trk_run *run = calloc(1, sizeof *run);
	if (run == NULL)
		return TRK_NO_MEMORY;
	bool has_text = options != NULL && options->size >= sizeof *options;
	if (pthread_mutex_init(&run->note_mutex, NULL) != 0) {
		free(run);
		return TRK_SYSTEM;
	}
	if (settings_resolve(options, &settings, &err) && fork_mark_new(&run->fork_mark, &err) &&
	    open_run(run, &settings, &err) && append_start(run, &settings, compiler, &err)) {
		/* The sender comes last: after it nothing can fail. */
		if (run->transport_or_null == NULL ||
		    sender_start(&run->sender, run->spool, run->transport_or_null, run->run_id,
				 run_note, run, &err)) {
			tell_what_was_found(run);
			*run_out = run;
			return TRK_OK;
		}
	}
	if (has_text)
		status_copy_text(err.message, options->error_text, options->error_text_bytes);
	free_run(run);
	return status_of_error(&err);
}

const char *trk_run_id(const struct trk_run *run)
{
	return run == NULL ? "" : run->run_id;
}

enum trk_status trk_flush(struct trk_run *run, int64_t timeout_ms)
{
	struct error err;
	struct spool_counts counts;
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	spool_counts(run->spool, &counts);
	if (!spool_sync_to_disk(run->spool, &err))
		return run_failed(run, &err);
	return run->transport_or_null == NULL
		       ? TRK_OK
		       : wait_delivered(run, counts.last_sequence, timeout_ms);
}

enum trk_status trk_run_counts(struct trk_run *run, struct trk_run_counts *counts)
{
	struct spool_counts now;
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (counts == NULL || counts->size < sizeof counts->size)
		return TRK_INVALID_ARGUMENT;
	spool_counts(run->spool, &now);
	struct trk_run_counts own = {
		.size = counts->size,
		.accepted = now.accepted,
		.waiting = now.waiting,
		.rejected = now.rejected,
		.server_is_away = now.is_away,
	};
	memcpy(counts, &own, counts->size < sizeof own ? counts->size : sizeof own);
	return TRK_OK;
}

size_t trk_run_last_error(struct trk_run *run, char *text, size_t text_bytes)
{
	enum trk_status status = run_check(run);
	if (status != TRK_OK) {
		status_copy_text(trk_strerror(status), text, text_bytes);
		return strlen(trk_strerror(status));
	}
	(void)pthread_mutex_lock(&run->note_mutex);
	status_copy_text(run->last_error, text, text_bytes);
	size_t len = strlen(run->last_error);
	(void)pthread_mutex_unlock(&run->note_mutex);
	return len;
}

enum trk_status trk_run_finish(struct trk_run *run, enum trk_run_status status, int64_t timeout_ms)
{
	static const char *const words[] = {"FINISHED", "FAILED", "KILLED"};
	size_t index = (size_t)status;
	const struct record end = {
		.type = RECORD_END,
		.end = {clock_wall_ms(clock_system()),
			slice_from_cstr(index < ARRAY_COUNT(words) ? words[index] : "FAILED")},
	};
	return let_go(run, &end, timeout_ms);
}

enum trk_status trk_run_close(struct trk_run *run, int64_t timeout_ms)
{
	const struct record close = {.type = RECORD_CLOSE};
	return let_go(run, &close, timeout_ms);
}

enum trk_status run_check(const struct trk_run *run)
{
	if (run == NULL)
		return TRK_INVALID_ARGUMENT;
	return fork_mark_is_mine(run->fork_mark) ? TRK_OK : TRK_FORKED;
}

enum trk_status run_failed(struct trk_run *run, const struct error *err)
{
	(void)pthread_mutex_lock(&run->note_mutex);
	(void)snprintf(run->last_error, sizeof run->last_error, "%s", err->message);
	(void)pthread_mutex_unlock(&run->note_mutex);
	return status_of_error(err);
}

void run_note(void *context, enum trk_log_level level, const char *sentence)
{
	struct trk_run *run = context;
	(void)pthread_mutex_lock(&run->note_mutex);
	if (level != TRK_LOG_INFO)
		(void)snprintf(run->last_error, sizeof run->last_error, "%s", sentence);
	if (run->log_or_null != NULL)
		run->log_or_null(run->log_context, level, sentence);
	(void)pthread_mutex_unlock(&run->note_mutex);
}

static bool open_run(struct trk_run *run, const struct settings *settings, struct error *err)
{
	char directory[SETTINGS_PATH_BYTES];
	const struct spool_options spool_options = {
		.directory = directory,
		.bytes_max = settings->spool_bytes_max,
	};
	const struct transport_options transport_options = {
		.url = settings->url,
		.connect_timeout_ms = settings->connect_timeout_ms,
		.request_timeout_ms = settings->request_timeout_ms,
	};
	memcpy(run->run_id, settings->run_id, sizeof run->run_id);
	run->log_or_null = settings->log_or_null;
	run->log_context = settings->log_context;
	if (snprintf(directory, sizeof directory, "%s/%s", settings->spool_directory,
		     run->run_id) >= (int)sizeof directory)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the path of the spool directory is too long");
	/* Offline too, so that a bad address shows at the start and not days later. */
	if (!transport_open(&transport_options, &run->transport_or_null, err))
		return false;
	if (!settings->is_online) {
		transport_close(run->transport_or_null);
		run->transport_or_null = NULL;
	}
	return spool_open(&spool_options, &run->spool, err);
}

static bool append_start(struct trk_run *run, const struct settings *settings, const char *compiler,
			 struct error *err)
{
	struct facts facts;
	if (!facts_gather(settings, compiler, &facts, err))
		return false;
	const struct record start = {
		.type = RECORD_START,
		.start =
			{
				.is_continued = settings->is_continued,
				.time_ms = clock_wall_ms(clock_system()),
				.url = slice_from_cstr(settings->url),
				.experiment = slice_from_cstr(settings->experiment),
				.run_name_or_absent = slice_from_cstr(settings->run_name_or_null),
				.user_or_absent = slice_from_cstr(facts.user),
				.given_tags_count = facts.given_count,
				.tags_count = facts.count,
				.tags = buffer_slice(&facts.tags),
			},
	};
	bool ok = spool_append(run->spool, &start, err);
	facts_deinit(&facts);
	return ok;
}

static void tell_what_was_found(struct trk_run *run)
{
	const struct spool_found *found = spool_found(run->spool);
	char sentence[200];
	if (found->lost_count == 0)
		return;
	(void)snprintf(sentence, sizeof sentence,
		       "%llu records of an earlier process were lost on the disk",
		       (unsigned long long)found->lost_count);
	run_note(run, TRK_LOG_ERROR, sentence);
}

static void free_run(struct trk_run *run)
{
	if (run->spool != NULL)
		spool_close(run->spool);
	transport_close(run->transport_or_null);
	fork_mark_free(run->fork_mark);
	(void)pthread_mutex_destroy(&run->note_mutex);
	free(run);
}

static enum trk_status wait_delivered(struct trk_run *run, uint64_t sequence, int64_t timeout_ms)
{
	struct spool_counts counts;
	enum spool_wait outcome = spool_wait_confirmed(run->spool, sequence, timeout_ms);
	spool_counts(run->spool, &counts);
	(void)pthread_mutex_lock(&run->note_mutex);
	bool has_new_rejects = counts.rejected > run->rejected_reported;
	run->rejected_reported = counts.rejected;
	(void)pthread_mutex_unlock(&run->note_mutex);
	if (outcome == SPOOL_WAIT_REFUSED || (outcome == SPOOL_CONFIRMED && has_new_rejects))
		return TRK_REJECTED;
	return outcome == SPOOL_CONFIRMED ? TRK_OK : TRK_TIMEOUT;
}

/* The end of a handle: the last record, a flush, the sender, the memory. */
static enum trk_status let_go(struct trk_run *run, const struct record *last, int64_t timeout_ms)
{
	struct error err;
	enum trk_status status = run_check(run);
	if (status == TRK_FORKED) {
		/* Neither the connection nor the locks are ours: they are left alone, and leak. */
		spool_abandon(run->spool);
		fork_mark_free(run->fork_mark);
		free(run);
		return TRK_FORKED;
	}
	if (status != TRK_OK)
		return status;
	if (!spool_append(run->spool, last, &err))
		status = run_failed(run, &err);
	enum trk_status flushed = trk_flush(run, timeout_ms);
	if (run->transport_or_null != NULL)
		sender_stop(&run->sender);
	free_run(run);
	return status != TRK_OK ? status : flushed;
}
