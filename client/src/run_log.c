/* Owns the trk_log_* calls: each checks its arguments and appends one record to the spool. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/double_text.h"
#include "base/json_writer.h"
#include "src/run.h"
#include "src/status.h"
#include "src/stored_file.h"

enum {
	FORMATTED_BYTES_MAX = 64 * 1024,
	DATASET_DIGEST_LEN = 32, /* the server takes 36 characters */
	ARTIFACT_PATH_BYTES_MAX = 1024,
};

typedef bool (*store_fn)(int spool_fd, uint64_t number, const char *path, struct stored_file *out,
			 struct error *err);

static enum trk_status append(struct trk_run *run, const struct record *record);
static enum trk_status append_pair(struct trk_run *run, enum record_type type, const char *key,
				   const char *value);
static enum trk_status append_formatted(struct trk_run *run, enum record_type type, const char *key,
					const char *format, va_list arguments) PRINTF_LIKE(4, 0);
static enum trk_status append_stored(struct trk_run *run, enum record_type type, store_fn store,
				     const char *local_path, const char *artifact_path);
static bool store_and_append(struct trk_run *run, enum record_type type, store_fn store,
			     const char *local_path, const char *artifact_path, struct error *err);
static enum trk_status invalid(struct trk_run *run, const char *sentence);
static struct slice last_segment(const char *path);
static bool is_artifact_path(struct slice path);
static bool describe_file(const char *path, char digest[SHA256_HEX_LEN + 1], struct buffer *source,
			  struct error *err);

enum trk_status trk_log_param(struct trk_run *run, const char *key, const char *value)
{
	return append_pair(run, RECORD_PARAM, key, value);
}

enum trk_status trk_log_param_int(struct trk_run *run, const char *key, int64_t value)
{
	return trk_log_paramf(run, key, "%lld", (long long)value);
}

enum trk_status trk_log_param_double(struct trk_run *run, const char *key, double value)
{
	char text[DOUBLE_TEXT_BYTES_MAX + 1];
	if (value != value)
		return append_pair(run, RECORD_PARAM, key, "nan");
	if (value - value != 0.0)
		return append_pair(run, RECORD_PARAM, key, value > 0 ? "inf" : "-inf");
	text[double_text(value, text)] = '\0';
	return append_pair(run, RECORD_PARAM, key, text);
}

enum trk_status trk_log_param_bool(struct trk_run *run, const char *key, bool value)
{
	return append_pair(run, RECORD_PARAM, key, value ? "true" : "false");
}

enum trk_status trk_log_paramf(struct trk_run *run, const char *key, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	enum trk_status status = append_formatted(run, RECORD_PARAM, key, format, arguments);
	va_end(arguments);
	return status;
}

enum trk_status trk_set_tag(struct trk_run *run, const char *key, const char *value)
{
	return append_pair(run, RECORD_TAG, key, value);
}

enum trk_status trk_set_tagf(struct trk_run *run, const char *key, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	enum trk_status status = append_formatted(run, RECORD_TAG, key, format, arguments);
	va_end(arguments);
	return status;
}

enum trk_status trk_log_metric(struct trk_run *run, const char *key, double value, int64_t step)
{
	return trk_log_metric_at(run, key, value, step, clock_wall_ms(clock_system()));
}

enum trk_status trk_log_metric_at(struct trk_run *run, const char *key, double value, int64_t step,
				  int64_t time_ms)
{
	struct error err;
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (key == NULL || time_ms < 0)
		return invalid(run, "a metric needs a name, and a time from 1970 on");
	const struct record_metric metric = {
		.value = value,
		.step = step,
		.time_ms = time_ms,
		.name = slice_from_cstr(key),
	};
	return spool_append_metric(run->spool, &metric, &err) ? TRK_OK : run_failed(run, &err);
}

enum trk_status trk_log_metrics(struct trk_run *run, const struct trk_metric *metrics, size_t count,
				int64_t step)
{
	struct error err;
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (metrics == NULL && count > 0)
		return invalid(run, "metrics is NULL");
	for (size_t i = 0; i < count; i++) {
		if (metrics[i].key == NULL)
			return invalid(run, "a metric has no name");
		if (!record_check_name(slice_from_cstr(metrics[i].key), &err))
			return run_failed(run, &err);
	}
	int64_t now_ms = clock_wall_ms(clock_system());
	for (size_t i = 0; i < count && status == TRK_OK; i++)
		status = trk_log_metric_at(run, metrics[i].key, metrics[i].value, step, now_ms);
	return status;
}

enum trk_status trk_log_file(struct trk_run *run, const char *local_path, const char *artifact_path)
{
	return append_stored(run, RECORD_FILE, stored_file_copy, local_path, artifact_path);
}

enum trk_status trk_log_directory(struct trk_run *run, const char *local_path,
				  const char *artifact_path)
{
	return append_stored(run, RECORD_ARCHIVE, stored_file_pack, local_path, artifact_path);
}

enum trk_status trk_log_dataset(struct trk_run *run, const struct trk_dataset *dataset)
{
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (dataset == NULL || dataset->name == NULL || dataset->digest == NULL ||
	    dataset->source_type == NULL || dataset->source == NULL)
		return invalid(run, "a dataset needs a name, a digest, a source type and a source");
	const struct record record = {
		.type = RECORD_DATASET,
		.dataset =
			{
				.name = slice_from_cstr(dataset->name),
				.digest = slice_from_cstr(dataset->digest),
				.source_type = slice_from_cstr(dataset->source_type),
				.source = slice_from_cstr(dataset->source),
				.context_or_absent = slice_from_cstr(dataset->context),
			},
	};
	return append(run, &record);
}

enum trk_status trk_log_dataset_file(struct trk_run *run, const char *local_path,
				     const char *context)
{
	struct error err;
	struct buffer source;
	char digest[SHA256_HEX_LEN + 1];
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (local_path == NULL)
		return invalid(run, "the path is NULL");
	buffer_init(&source, FORMATTED_BYTES_MAX);
	if (describe_file(local_path, digest, &source, &err)) {
		const struct record record = {
			.type = RECORD_DATASET,
			.dataset =
				{
					.name = last_segment(local_path),
					.digest = slice_make(digest, DATASET_DIGEST_LEN),
					.source_type = SLICE("local"),
					.source = buffer_slice(&source),
					.context_or_absent = slice_from_cstr(context),
				},
		};
		status = append(run, &record);
	} else {
		status = run_failed(run, &err);
	}
	buffer_deinit(&source);
	return status;
}

static enum trk_status append(struct trk_run *run, const struct record *record)
{
	struct error err;
	return spool_append(run->spool, record, &err) ? TRK_OK : run_failed(run, &err);
}

static enum trk_status append_pair(struct trk_run *run, enum record_type type, const char *key,
				   const char *value)
{
	struct error err;
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (key == NULL || value == NULL)
		return invalid(run, "a name or a value is NULL");
	const struct record record = {
		.type = type,
		.pair = {slice_from_cstr(key), slice_from_cstr(value)},
	};
	return record_check_name(record.pair.key, &err) ? append(run, &record)
							: run_failed(run, &err);
}

static enum trk_status append_formatted(struct trk_run *run, enum record_type type, const char *key,
					const char *format, va_list arguments)
{
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (format == NULL)
		return invalid(run, "the format is NULL");
	char *text = malloc(FORMATTED_BYTES_MAX);
	if (text == NULL)
		return TRK_NO_MEMORY;
	int len = vsnprintf(text, FORMATTED_BYTES_MAX, format, arguments);
	status = len < 0 ? invalid(run, "the format is not valid")
			 : append_pair(run, type, key, text);
	free(text);
	return status;
}

static enum trk_status append_stored(struct trk_run *run, enum record_type type, store_fn store,
				     const char *local_path, const char *artifact_path)
{
	struct error err;
	char name[ARTIFACT_PATH_BYTES_MAX + 1];
	enum trk_status status = run_check(run);
	if (status != TRK_OK)
		return status;
	if (local_path == NULL || local_path[0] == '\0')
		return invalid(run, "the path is NULL or empty");
	if (artifact_path == NULL) {
		(void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(last_segment(local_path)));
		artifact_path = name;
	}
	bool is_top = type == RECORD_ARCHIVE && artifact_path[0] == '\0';
	if (!is_top && !is_artifact_path(slice_from_cstr(artifact_path)))
		return invalid(run,
			       "an artifact's path is relative, without '..', '.' and empty parts, "
			       "and has at most 1024 bytes");
	if (store_and_append(run, type, store, local_path, artifact_path, &err))
		return TRK_OK;
	return run_failed(run, &err);
}

static bool store_and_append(struct trk_run *run, enum record_type type, store_fn store,
			     const char *local_path, const char *artifact_path, struct error *err)
{
	struct stored_file stored;
	int spool_fd = spool_directory_fd(run->spool);
	uint64_t number = spool_file_begin(run->spool);
	bool ok = store(spool_fd, number, local_path, &stored, err);
	if (ok) {
		const struct record record = {
			.type = type,
			.file =
				{
					.artifact_path = slice_from_cstr(artifact_path),
					.stored_name = slice_from_cstr(stored.name),
					.sha256 = slice_from_cstr(stored.sha256),
					.tree_sha256_or_absent = slice_from_cstr(
						type == RECORD_ARCHIVE ? stored.tree_sha256 : NULL),
					.bytes = stored.bytes,
				},
		};
		ok = spool_append(run->spool, &record, err);
		if (!ok)
			(void)unlinkat(spool_fd, stored.name, 0);
	}
	spool_file_end(run->spool);
	return ok;
}

static enum trk_status invalid(struct trk_run *run, const char *sentence)
{
	struct error err;
	(void)error_set(&err, ERR_INVALID_PARAMETER_VALUE, "%s", sentence);
	return run_failed(run, &err);
}

/* "c" of "a/b/c" and "a/b/c/". */
static struct slice last_segment(const char *path)
{
	struct slice rest = slice_from_cstr(path);
	while (rest.len > 1 && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	size_t begin = rest.len;
	while (begin > 0 && rest.ptr[begin - 1] != '/')
		begin--;
	return slice_from(rest, begin);
}

static bool is_artifact_path(struct slice path)
{
	struct slice rest = path;
	struct slice segment;
	if (path.len > ARTIFACT_PATH_BYTES_MAX)
		return false;
	while (slice_next(&rest, '/', &segment)) {
		if (segment.len == 0 || slice_eq(segment, SLICE(".")) ||
		    slice_eq(segment, SLICE("..")))
			return false;
	}
	return true;
}

/* {"uri": absolute path, "sha256": …, "size": …} */
static bool describe_file(const char *path, char digest[SHA256_HEX_LEN + 1], struct buffer *source,
			  struct error *err)
{
	struct json_writer w;
	int64_t bytes = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *absolute = fd < 0 ? NULL : realpath(path, NULL);
	bool ok = absolute != NULL || status_file_error(err, errno, "open", path);
	ok = ok && sha256_of_file(fd, path, digest, &bytes, err);
	if (ok) {
		json_writer_init(&w, source);
		json_object_begin(&w);
		json_put_cstr(&w, "uri", absolute);
		json_put_cstr(&w, "sha256", digest);
		json_put_int(&w, "size", bytes);
		json_object_end(&w);
		ok = buffer_check(source, "the path", err);
	}
	free(absolute);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}
