/* Owns the handle of a watch: its options, its current version and who uses it, and its end. */
#include "src/model_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "src/fork_mark.h"
#include "src/model_report.h"
#include "src/settings.h"
#include "src/status.h"

enum {
	KEEP_DEFAULT = 2,
	ARENA_BYTES_MAX = 512 * 1024 * 1024,
	/* What the daemon takes. */
	HEARTBEAT_MS_MIN = 1000,
	HEARTBEAT_MS_MAX = 24 * 60 * 60 * 1000,
};

/* ---- starting -------------------------------------------------------------------------------- */

static bool is_asked(void *context)
{
	struct trk_model_watch *w = context;
	model_report_tick(w); /* also in the midst of a download */
	return atomic_load(&w->is_stopping);
}

static bool check_options(const struct trk_model_watch_options *o, struct error *err)
{
	const struct {
		const char *name, *text;
	} texts[] = {{"model", o->model}, {"alias", o->alias}, {"directory", o->directory}};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (texts[i].text == NULL || texts[i].text[0] == '\0')
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "the watch of a model needs the option %s", texts[i].name);
	}
	if (o->heartbeat_ms != 0 &&
	    (o->heartbeat_ms < HEARTBEAT_MS_MIN || o->heartbeat_ms > HEARTBEAT_MS_MAX))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "heartbeat_ms is between %d and %d", HEARTBEAT_MS_MIN,
				 HEARTBEAT_MS_MAX);
	return true;
}

static int64_t or_default(int64_t given, int64_t otherwise)
{
	return given > 0 ? given : otherwise;
}

static const char *url_of(const struct trk_model_watch_options *o)
{
	return o->url != NULL && o->url[0] != '\0' ? o->url : settings_default_url();
}

static bool open_connection(struct trk_model_watch *w, const struct trk_model_watch_options *o,
			    struct error *err)
{
	const struct transport_options options = {
		.url = url_of(o),
		.connect_timeout_ms =
			or_default(o->connect_timeout_ms, SETTINGS_CONNECT_TIMEOUT_MS),
		.request_timeout_ms =
			or_default(o->request_timeout_ms, SETTINGS_REQUEST_TIMEOUT_MS),
	};
	if (!transport_open(&options, &w->transport, err))
		return false;
	w->wait_ms = options.request_timeout_ms / 2 < ALIAS_WAIT_MS ? options.request_timeout_ms / 2
								    : ALIAS_WAIT_MS;
	transport_fetcher_init(&w->over, w->transport, options.url);
	w->fetcher = transport_fetcher_over(&w->over, (struct stop){is_asked, w});
	alias_poll_init(&w->poll, &w->fetcher, w->model, w->alias);
	return true;
}

static bool open_directory(struct trk_model_watch *w, const char *path, struct error *err)
{
	if (!deploy_directory_open(path, true, &w->directory, err) ||
	    !deploy_directory_lock(&w->directory, err))
		return false;
	/* What is not in its state, trk deploy would not tidy away; what is, we would. */
	if (faccessat(w->directory.admin_fd, "state.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "%s is kept by trk deploy: open its link \"current\", or name "
				 "another directory",
				 path);
	return true;
}

static bool open_watch(struct trk_model_watch *w, const struct trk_model_watch_options *o,
		       struct error *err)
{
	w->keep = o->keep > 0 ? o->keep : KEEP_DEFAULT;
	w->load_or_null = o->load;
	w->load_context = o->load_context;
	w->log_or_null = o->log;
	w->log_context = o->log_context;
	w->model = strdup(o->model);
	w->alias = strdup(o->alias);
	w->target = strdup(o->target != NULL ? o->target : "");
	w->environment = strdup(o->environment != NULL ? o->environment : "");
	if (w->model == NULL || w->alias == NULL || w->target == NULL || w->environment == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	return fork_mark_new(&w->fork_mark, err) && open_connection(w, o, err) &&
	       open_directory(w, o->directory, err) && model_report_open(w, o, url_of(o), err);
}

static bool start_thread(struct trk_model_watch *w, struct error *err)
{
	sigset_t all, before;
	/* The program's signals are for the program's threads. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int failed = pthread_create(&w->thread, NULL, model_follow_main, w);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed == 0 ||
	       error_set(err, ERR_INTERNAL_ERROR, "the system has no thread for the watch");
}

static struct trk_model_watch *new_watch(void)
{
	pthread_condattr_t monotonic;
	struct trk_model_watch *w = calloc(1, sizeof *w);
	if (w == NULL)
		return NULL;
	deploy_directory_init(&w->directory);
	arena_init(&w->arena, ARENA_BYTES_MAX);
	/* On Linux these take no resources and cannot fail. */
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&w->mutex, NULL);
	(void)pthread_cond_init(&w->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return w;
}

static void free_watch(struct trk_model_watch *w)
{
	while (w->copies_or_null != NULL) {
		struct model_copy *copy = w->copies_or_null;
		w->copies_or_null = copy->older_or_null;
		free(copy);
	}
	model_report_close(w);
	transport_fetcher_clean(&w->over);
	transport_close(w->transport);
	deploy_directory_close(&w->directory);
	arena_deinit(&w->arena);
	fork_mark_free(w->fork_mark);
	(void)pthread_mutex_destroy(&w->mutex);
	(void)pthread_cond_destroy(&w->changed);
	free(w->model);
	free(w->alias);
	free(w->target);
	free(w->environment);
	free(w);
}

enum trk_status trk_model_watch_start(const struct trk_model_watch_options *options,
				      struct trk_model_watch **watch_out)
{
	struct trk_model_watch_options own = {.size = sizeof own};
	struct error err;
	if (watch_out == NULL || options == NULL)
		return TRK_INVALID_ARGUMENT;
	*watch_out = NULL;
	struct trk_model_watch *w = new_watch();
	if (w == NULL)
		return TRK_NO_MEMORY;
	if (settings_copy_struct(&own, sizeof own, options, options->size, &err) &&
	    check_options(&own, &err) && open_watch(w, &own, &err) && start_thread(w, &err)) {
		*watch_out = w;
		return TRK_OK;
	}
	status_copy_text(err.message, own.error_text, own.error_text_bytes);
	free_watch(w);
	return status_of_error(&err);
}

/* ---- the current version --------------------------------------------------------------------- */

static bool is_usable(const struct trk_model_watch *w)
{
	return w != NULL && fork_mark_is_mine(w->fork_mark);
}

static enum trk_status check(const struct trk_model_watch *w)
{
	if (w == NULL)
		return TRK_INVALID_ARGUMENT;
	return is_usable(w) ? TRK_OK : TRK_FORKED;
}

uint64_t trk_model_watch_generation(const struct trk_model_watch *w)
{
	return is_usable(w) ? atomic_load_explicit(&w->generation, memory_order_acquire) : 0;
}

const struct trk_model *trk_model_watch_current(struct trk_model_watch *w)
{
	if (!is_usable(w))
		return NULL;
	(void)pthread_mutex_lock(&w->mutex);
	struct model_copy *copy = w->current_or_null;
	if (copy != NULL)
		copy->uses++;
	(void)pthread_mutex_unlock(&w->mutex);
	return copy == NULL ? NULL : &copy->shown;
}

void trk_model_watch_release(struct trk_model_watch *w, const struct trk_model *model)
{
	if (!is_usable(w) || model == NULL)
		return;
	(void)pthread_mutex_lock(&w->mutex);
	struct model_copy *copy = w->copies_or_null;
	while (copy != NULL && &copy->shown != model)
		copy = copy->older_or_null;
	if (copy != NULL && copy->uses > 0)
		copy->uses--;
	(void)pthread_mutex_unlock(&w->mutex);
}

static struct timespec deadline_in(int64_t ms)
{
	int64_t at_ns = clock_monotonic_ns(clock_system()) + ms * 1000000;
	return (struct timespec){.tv_sec = at_ns / 1000000000, .tv_nsec = at_ns % 1000000000};
}

enum trk_status trk_model_watch_wait(struct trk_model_watch *w, uint64_t generation,
				     int64_t timeout_ms)
{
	enum trk_status status = check(w);
	if (status != TRK_OK)
		return status;
	struct timespec until = deadline_in(timeout_ms < 0 ? 0 : timeout_ms);
	int failed = 0;
	(void)pthread_mutex_lock(&w->mutex);
	while (atomic_load(&w->generation) == generation && failed == 0)
		failed = timeout_ms < 0 ? pthread_cond_wait(&w->changed, &w->mutex)
					: pthread_cond_timedwait(&w->changed, &w->mutex, &until);
	bool has_changed = atomic_load(&w->generation) != generation;
	(void)pthread_mutex_unlock(&w->mutex);
	return has_changed ? TRK_OK : TRK_TIMEOUT;
}

size_t trk_model_watch_last_error(struct trk_model_watch *w, char *text, size_t text_bytes)
{
	enum trk_status status = check(w);
	if (status != TRK_OK) {
		status_copy_text(trk_strerror(status), text, text_bytes);
		return strlen(trk_strerror(status));
	}
	(void)pthread_mutex_lock(&w->mutex);
	status_copy_text(w->last_error, text, text_bytes);
	size_t len = strlen(w->last_error);
	(void)pthread_mutex_unlock(&w->mutex);
	return len;
}

enum trk_status trk_model_watch_stop(struct trk_model_watch *w)
{
	enum trk_status status = check(w);
	if (status == TRK_FORKED) {
		/* Neither the connection nor the locks are ours: they are left alone, and leak. */
		fork_mark_free(w->fork_mark);
		free(w);
		return TRK_FORKED;
	}
	if (status != TRK_OK)
		return status;
	(void)pthread_mutex_lock(&w->mutex);
	atomic_store(&w->is_stopping, true);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->mutex);
	transport_cancel(w->transport);
	(void)pthread_join(w->thread, NULL); /* the thread was made and is joined once */
	free_watch(w);
	return TRK_OK;
}

/* ---- for the thread -------------------------------------------------------------------------- */

void model_watch_note(struct trk_model_watch *w, enum trk_log_level level, const char *format, ...)
{
	char sentence[ERROR_MESSAGE_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	if (level != TRK_LOG_INFO) {
		(void)pthread_mutex_lock(&w->mutex);
		memcpy(w->last_error, sentence, sizeof sentence);
		(void)pthread_mutex_unlock(&w->mutex);
	}
	if (w->log_or_null != NULL)
		w->log_or_null(w->log_context, level, sentence);
}

void model_watch_publish(struct trk_model_watch *w, struct model_copy *copy)
{
	(void)pthread_mutex_lock(&w->mutex);
	copy->older_or_null = w->copies_or_null;
	w->copies_or_null = w->current_or_null = copy;
	atomic_store_explicit(&w->generation, copy->shown.generation, memory_order_release);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->mutex);
}

void model_watch_forget(struct trk_model_watch *w)
{
	size_t position = 0;
	(void)pthread_mutex_lock(&w->mutex);
	for (struct model_copy **at = &w->copies_or_null; *at != NULL; position++) {
		struct model_copy *copy = *at;
		bool is_wanted = copy == w->current_or_null || copy->uses > 0 || position < w->keep;
		if (is_wanted) {
			at = &copy->older_or_null;
		} else {
			*at = copy->older_or_null;
			free(copy);
		}
	}
	(void)pthread_mutex_unlock(&w->mutex);
}

bool model_watch_has(struct trk_model_watch *w, const char *name)
{
	(void)pthread_mutex_lock(&w->mutex);
	const struct model_copy *copy = w->copies_or_null;
	while (copy != NULL && strcmp(copy->name, name) != 0)
		copy = copy->older_or_null;
	(void)pthread_mutex_unlock(&w->mutex);
	return copy != NULL;
}

void model_watch_rest(struct trk_model_watch *w, int64_t ms)
{
	struct timespec until = deadline_in(ms);
	int failed = 0;
	(void)pthread_mutex_lock(&w->mutex);
	while (!atomic_load(&w->is_stopping) && failed == 0)
		failed = pthread_cond_timedwait(&w->changed, &w->mutex, &until);
	(void)pthread_mutex_unlock(&w->mutex);
}
