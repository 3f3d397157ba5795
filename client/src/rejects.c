/* Owns the files of refused records. */
#include "src/rejects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_writer.h"
#include "src/status.h"

static const char folder[] = "../rejected"; /* seen from the run's folder */

static void write_line(struct buffer *out, uint64_t sequence, const struct record *record_or_null,
		       const char *reason);
static void put_record(struct json_writer *w, const struct record *record);
static bool append_line(int fd, struct slice line, struct error *err);

bool rejects_append(int run_directory_fd, const char *run_id, uint64_t sequence,
		    const struct record *record_or_null, const char *reason, struct error *err)
{
	char path[128];
	if (mkdirat(run_directory_fd, folder, 0700) != 0 && errno != EEXIST)
		return status_disk_error(err, errno, "cannot make the folder of refused records");
	(void)snprintf(path, sizeof path, "%s/%s.jsonl", folder, run_id);
	int fd = openat(run_directory_fd, path,
			O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return status_disk_error(err, errno, "cannot write refused records");
	struct buffer line;
	buffer_init(&line, 16 * 1024 * 1024);
	write_line(&line, sequence, record_or_null, reason);
	bool ok = buffer_check(&line, "a refused record", err) &&
		  append_line(fd, buffer_slice(&line), err);
	buffer_deinit(&line);
	(void)close(fd); /* O_APPEND write above reported its failure */
	bool is_file = record_or_null != NULL && (record_or_null->type == RECORD_FILE ||
						  record_or_null->type == RECORD_ARCHIVE);
	if (ok && is_file) {
		char from[64];
		(void)snprintf(from, sizeof from, "%.*s",
			       SLICE_FMT(record_or_null->file.stored_name));
		(void)snprintf(path, sizeof path, "%s/%s-%s", folder, run_id, from);
		/* The copy itself may be what is missing. */
		(void)renameat(run_directory_fd, from, run_directory_fd, path);
	}
	return ok;
}

void rejects_describe(const struct record *record_or_null, char *text, size_t text_bytes)
{
	char quoted[200];
	const char *kind = "record";
	struct slice name = {"", 0};
	if (record_or_null != NULL) {
		switch (record_or_null->type) {
		case RECORD_METRIC:
		case RECORD_METRIC_NAMED:
			kind = "metric";
			name = record_or_null->metric.name;
			break;
		case RECORD_PARAM:
			kind = "param";
			name = record_or_null->pair.key;
			break;
		case RECORD_TAG:
			kind = "tag";
			name = record_or_null->pair.key;
			break;
		case RECORD_FILE:
			kind = "file";
			name = record_or_null->file.artifact_path;
			break;
		case RECORD_ARCHIVE:
			kind = "directory";
			name = record_or_null->file.artifact_path;
			break;
		case RECORD_DATASET:
			kind = "dataset";
			name = record_or_null->dataset.name;
			break;
		case RECORD_START:
			kind = "start";
			break;
		case RECORD_END:
			kind = "end";
			break;
		case RECORD_CLOSE:
			kind = "close";
			break;
		}
	}
	(void)snprintf(text, text_bytes, "%s%s%s", kind, name.len > 0 ? " " : "",
		       error_quote(name, quoted, sizeof quoted));
}

static void write_line(struct buffer *out, uint64_t sequence, const struct record *record_or_null,
		       const char *reason)
{
	struct json_writer w;
	char what[256];
	rejects_describe(record_or_null, what, sizeof what);
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "record", what);
	json_put_cstr(&w, "reason", reason);
	json_put_int(&w, "refused_ms", clock_wall_ms(clock_system()));
	json_put_int(&w, "sequence", (int64_t)sequence);
	if (record_or_null != NULL)
		put_record(&w, record_or_null);
	json_object_end(&w);
	buffer_append_byte(out, '\n');
}

static void put_record(struct json_writer *w, const struct record *record)
{
	switch (record->type) {
	case RECORD_METRIC:
	case RECORD_METRIC_NAMED:
		json_put_string(w, "key", record->metric.name);
		json_put_double(w, "value", record->metric.value);
		json_put_int(w, "timestamp", record->metric.time_ms);
		json_put_int(w, "step", record->metric.step);
		return;
	case RECORD_PARAM:
	case RECORD_TAG:
		json_put_string(w, "key", record->pair.key);
		json_put_string(w, "value", record->pair.value);
		return;
	case RECORD_FILE:
	case RECORD_ARCHIVE:
		json_put_string(w, "artifact_path", record->file.artifact_path);
		json_put_string(w, "stored_name", record->file.stored_name);
		json_put_string(w, "sha256", record->file.sha256);
		return;
	case RECORD_DATASET:
		json_put_string(w, "name", record->dataset.name);
		json_put_string(w, "digest", record->dataset.digest);
		json_put_string(w, "source_type", record->dataset.source_type);
		json_put_string(w, "source", record->dataset.source);
		return;
	case RECORD_END:
		json_put_string(w, "status", record->end.status);
		json_put_int(w, "end_time", record->end.time_ms);
		return;
	case RECORD_START:
	case RECORD_CLOSE:
		return;
	}
}

static bool append_line(int fd, struct slice line, struct error *err)
{
	struct stat info;
	if (fstat(fd, &info) == 0 && info.st_size > REJECTS_BYTES_MAX)
		return true;
	ssize_t written = write(fd, line.ptr, line.len);
	if (written == (ssize_t)line.len)
		return true;
	return status_disk_error(err, written < 0 ? errno : ENOSPC, "cannot write refused records");
}
