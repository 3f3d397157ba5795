/* Owns the thread of a watch: hearing of moves, bringing versions, and tidying away. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "src/local_tree.h"
#include "src/model_report.h"
#include "src/model_stage.h"
#include "src/model_watch.h"
#include "src/retry.h"
#include "src/sender.h"

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static bool is_stopping(const struct trk_model_watch *w)
{
	return atomic_load(&w->is_stopping);
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits so long, or until the watch stops; what is to be told meanwhile is told. */
static void rest(struct trk_model_watch *w, int64_t ms)
{
	int64_t until_ms = now_ms() + ms, left_ms = ms;
	for (; left_ms > 0 && !is_stopping(w); left_ms = until_ms - now_ms()) {
		model_watch_rest(w, smaller(left_ms, model_report_idle_ms(w)));
		model_report_tick(w);
	}
}

/* ---- copies ---------------------------------------------------------------------------------- */

static struct model_copy *make_copy(const struct trk_model_watch *w, const char *name,
				    const char *version, const char *tree_sha256)
{
	struct model_copy *copy = calloc(1, sizeof *copy);
	if (copy == NULL)
		return NULL;
	(void)snprintf(copy->name, sizeof copy->name, "%s", name);
	(void)snprintf(copy->version, sizeof copy->version, "%s", version);
	(void)snprintf(copy->tree_sha256, sizeof copy->tree_sha256, "%s", tree_sha256);
	(void)deploy_directory_version(&w->directory, name, copy->path);
	copy->shown = (struct trk_model){
		.size = sizeof copy->shown,
		.model = w->model,
		.version = copy->version,
		.directory = copy->path,
		.tree_sha256 = copy->tree_sha256,
		.generation = atomic_load(&w->generation) + 1,
	};
	return copy;
}

/* Removes what is in versions/ and on no list: nobody can come to use it any more. */
static void tidy(struct trk_model_watch *w)
{
	struct error err;
	int fd = openat(w->directory.versions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return; /* what stays is in nobody's way */
	}
	model_watch_forget(w);
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || model_watch_has(w, entry->d_name))
			continue;
		if (!deploy_directory_remove(&w->directory, entry->d_name, &err))
			model_watch_note(w, TRK_LOG_WARN, "%s", err.message);
	}
	(void)closedir(folder); /* only read */
}

/* The program's word on a version that is whole in the directory; true makes it current. Takes the
 * copy. */
static bool offer(struct trk_model_watch *w, struct model_copy *copy, struct error *err)
{
	char name[DEPLOY_NAME_BYTES];
	if (w->load_or_null != NULL && !w->load_or_null(w->load_context, &copy->shown)) {
		(void)error_set(err, ERR_INVALID_STATE, "the program refused version %s of %s",
				copy->version, w->model);
		free(copy);
		return false;
	}
	memcpy(name, copy->name, sizeof name);
	model_watch_note(w, TRK_LOG_INFO, "version %s of %s is in use", copy->version, w->model);
	/* For the next life, and for whoever looks: in this one nothing depends on it. */
	if (!deploy_directory_point(&w->directory, "current", name, err))
		model_watch_note(w, TRK_LOG_WARN, "%s", err->message);
	if (w->current_or_null != NULL)
		memcpy(w->version_before, w->current_or_null->version, sizeof w->version_before);
	model_watch_publish(w, copy);
	model_report(w, "active", "");
	tidy(w);
	return true;
}

/* ---- what is here ---------------------------------------------------------------------------- */

/* The copy of an earlier life, if it is of this model and as it was. */
static void take_stock(struct trk_model_watch *w)
{
	struct error err;
	char name[DEPLOY_NAME_BYTES], path[DEPLOY_PATH_BYTES], digest[SHA256_HEX_LEN + 1];
	char version[MODEL_NAME_VERSION_BYTES + 1];
	if (!deploy_directory_link(&w->directory, "current", name, &err)) {
		model_watch_note(w, TRK_LOG_WARN, "%s", err.message);
		return;
	}
	if (name[0] == '\0')
		return;
	local_tree_digest(deploy_directory_version(&w->directory, name, path), &w->fetcher.stop,
			  digest);
	if (!model_source_is_named(&w->arena, name, slice_from_cstr(w->model), digest, version)) {
		if (!is_stopping(w))
			model_watch_note(w, TRK_LOG_WARN,
					 "%s is no whole version of %s, and is not used", path,
					 w->model);
		return;
	}
	struct model_copy *copy = make_copy(w, name, version, digest);
	if (copy != NULL && !offer(w, copy, &err))
		model_watch_note(w, TRK_LOG_WARN, "%s", err.message);
}

/* ---- bringing -------------------------------------------------------------------------------- */

/* Makes versions/NAME hold the source. */
static bool fetch(struct trk_model_watch *w, const struct model_source *source, struct error *err)
{
	const struct deploy_directory *d = &w->directory;
	const struct manifest *m = &source->manifest;
	char staging[MODEL_STAGE_NAME_BYTES];
	(void)model_stage_name(m->tree_sha256, staging);
	bool is_here = deploy_directory_holds(d, source->name, m->tree_sha256, &w->fetcher.stop);
	if (is_stopping(w))
		return error_set(err, ERR_CANCELLED, "broken off");
	deploy_directory_sweep(d, is_here ? "" : staging);
	return is_here || (model_stage_fill(d, &w->fetcher, m, NULL, NULL, err) &&
			   deploy_directory_place(d, staging, source->name, err));
}

static bool fetch_and_offer(struct trk_model_watch *w, const struct model_source *source,
			    bool *is_tried_out, struct error *err)
{
	if (!fetch(w, source, err))
		return false;
	struct model_copy *copy =
		make_copy(w, source->name, source->version, source->manifest.tree_sha256);
	if (copy == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	*is_tried_out = true;
	return offer(w, copy, err);
}

static void tell_failure(struct trk_model_watch *w, const char *version, const struct error *err)
{
	char reason[ERROR_MESSAGE_BYTES_MAX];
	(void)snprintf(reason, sizeof reason, "version %s: %.900s", version, err->message);
	model_report(w, "failed", reason);
}

static bool bring(struct trk_model_watch *w, bool *is_tried_out, struct error *err)
{
	struct model_source source;
	if (!model_source_get(&w->fetcher, &w->arena, slice_from_cstr(w->model),
			      slice_from_cstr(w->poll.version), &source, err))
		return false;
	/* The thread alone makes another one current. */
	const struct model_copy *current = w->current_or_null;
	if (current != NULL && strcmp(current->name, source.name) == 0) {
		model_report(w, "active", "");
		return true;
	}
	model_report_begun(w, source.version);
	if (fetch_and_offer(w, &source, is_tried_out, err))
		return true;
	if (!is_stopping(w))
		tell_failure(w, source.version, err);
	return false;
}

static void bring_due(struct trk_model_watch *w)
{
	struct error err;
	int64_t delay_ms;
	bool is_tried = false;
	if (bring(w, &is_tried, &err)) {
		w->is_due = false;
		w->failures = 0;
		return;
	}
	if (is_stopping(w))
		return;
	if (is_tried)
		delay_ms = retry_delay_ms(RETRY_TRIED_MS_MIN, w->failures, RETRY_TRIED_MS_MAX);
	else if (retry_is_silence(&err))
		delay_ms = sender_pause_ms(w->failures);
	else
		delay_ms = retry_delay_ms(RETRY_FETCH_MS_MIN, w->failures, RETRY_FETCH_MS_MAX);
	w->failures++;
	w->retry_at_ms = now_ms() + delay_ms;
	model_watch_note(w, TRK_LOG_WARN, "version %s of %s is not in use: %.700s", w->poll.version,
			 w->model, err.message);
}

/* ---- listening ------------------------------------------------------------------------------- */

static bool is_due_now(const struct trk_model_watch *w)
{
	return w->is_due && now_ms() >= w->retry_at_ms;
}

static void take_answer(struct trk_model_watch *w, const struct alias_reply *reply)
{
	if (w->silences > 0)
		model_watch_note(w, TRK_LOG_INFO, "the server answers again");
	w->silences = 0;
	if (reply->answer == ALIAS_SAME)
		return;
	if (reply->answer == ALIAS_MISSING) {
		model_watch_note(w, TRK_LOG_WARN, "%s What is here stays in use.", w->poll.missing);
		model_report(w, NULL, w->poll.missing);
	}
	w->is_due = reply->answer == ALIAS_MOVED;
	w->failures = 0;
	w->retry_at_ms = 0;
}

/* One question, and what follows from its answer. */
static void step(struct trk_model_watch *w)
{
	struct error err;
	struct alias_reply reply;
	int64_t wait_ms = w->wait_ms;
	bool was_missing = strcmp(w->poll.revision, "0") == 0;
	if (w->is_due)
		wait_ms = w->retry_at_ms > now_ms() ? w->retry_at_ms - now_ms() : 0;
	wait_ms = smaller(smaller(wait_ms, w->wait_ms), model_report_idle_ms(w));
	if (!alias_poll_ask(&w->poll, wait_ms, &w->arena, &reply, &err)) {
		if (w->silences == 0 && !is_stopping(w))
			model_watch_note(w, TRK_LOG_WARN, "%.900s; what is here stays in use",
					 err.message);
		rest(w, sender_pause_ms(w->silences++));
		return;
	}
	if (reply.answer == ALIAS_MISSING && was_missing)
		reply.answer = ALIAS_SAME; /* that was told */
	take_answer(w, &reply);
	if (is_due_now(w))
		bring_due(w);
	else if (!reply.has_waited)
		rest(w, ALIAS_PAUSE_MS);
}

/* Everything from the arena below one guard. What a step holds across an allocation is in the handle
 * (transport_fetcher.h), so that a jump loses nothing. */
static void run_guarded(struct trk_model_watch *w, void (*work)(struct trk_model_watch *w))
{
	if (setjmp(w->guard) == 0) {
		arena_guard_set(&w->arena, &w->guard);
		work(w);
	} else {
		transport_fetcher_clean(&w->over);
		model_watch_note(w, TRK_LOG_ERROR, "out of memory");
		rest(w, SENDER_PAUSE_MS_MAX);
	}
	arena_reset(&w->arena);
}

void *model_follow_main(void *watch)
{
	struct trk_model_watch *w = watch;
	(void)pthread_setname_np(pthread_self(), "trk-watch");
	run_guarded(w, take_stock);
	while (!is_stopping(w)) {
		run_guarded(w, step);
		model_report_tick(w);
	}
	model_report_end(w);
	return NULL;
}
