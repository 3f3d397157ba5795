/* Owns how stored copies reach the server's artifact store. */
#include "src/delivery_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/delivery_run.h"
#include "src/reply.h"
#include "src/sha256.h"
#include "src/status.h"

static int open_stored(const struct delivery *d, const struct record_file *file);
static void put_path(const struct delivery *d, const struct record *record, struct buffer *path);
static bool is_as_sent(const struct delivery *d, const struct record *record);
static bool reply_equals(struct slice body, const char *member, struct slice expected);

enum exchange_result delivery_file_send(struct delivery *d, const struct record *record,
					struct error *err)
{
	struct buffer path;
	char sha256[80];
	if (d->artifact_root[0] == '\0') {
		enum delivery_outcome outcome = delivery_run_check(d, err);
		if (outcome != DELIVERY_PROGRESS)
			return outcome == DELIVERY_REFUSED     ? EXCHANGE_NOT_FOUND
			       : outcome == DELIVERY_CANCELLED ? EXCHANGE_CANCELLED
							       : EXCHANGE_RETRY;
	}
	if (d->artifact_root[0] == '\0') {
		error_set(err, ERR_BAD_REQUEST,
			  "the server does not store the artifacts of this run itself");
		return EXCHANGE_BAD;
	}
	int fd = open_stored(d, &record->file);
	if (fd < 0) {
		int error_number = errno;
		status_file_error(err, error_number, "open", "the copy in the spool");
		return error_number == ENOENT ? EXCHANGE_BAD : EXCHANGE_RETRY;
	}
	buffer_init(&path, 16 * 1024);
	put_path(d, record, &path);
	(void)snprintf(sha256, sizeof sha256, "%.*s", SLICE_FMT(record->file.sha256));
	const struct transport_call call = {
		.method = "PUT",
		.path = path.failed ? "" : buffer_slice(&path).ptr,
		.content_type = record->type == RECORD_ARCHIVE ? "application/x-tar"
							       : "application/octet-stream",
		.is_upload = true,
		.body_fd = fd,
		.upload_bytes = record->file.bytes,
		.sha256_or_null = sha256,
	};
	enum exchange_result result = EXCHANGE_BAD;
	if (buffer_check(&path, "an artifact's path", err))
		result = exchange_perform(d, &call, err);
	if (result == EXCHANGE_OK && !is_as_sent(d, record)) {
		error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
			  "the server stored other bytes than were sent");
		result = EXCHANGE_RETRY;
	}
	buffer_deinit(&path);
	(void)close(fd); /* only read */
	return result;
}

void delivery_file_forget(const struct delivery *d, const struct record *record)
{
	char name[64];
	(void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(record->file.stored_name));
	(void)unlinkat(spool_directory_fd(d->spool), name, 0); /* what stays goes with the folder */
}

static int open_stored(const struct delivery *d, const struct record_file *file)
{
	char name[64];
	(void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(file->stored_name));
	return openat(spool_directory_fd(d->spool), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static void put_path(const struct delivery *d, const struct record *record, struct buffer *path)
{
	buffer_append_cstr(path, record->type == RECORD_ARCHIVE
					 ? "/api/trackerd/v1/archive/"
					 : "/api/2.0/mlflow-artifacts/artifacts/");
	transport_encode_path(slice_from_cstr(d->artifact_root), path);
	if (record->file.artifact_path.len > 0) {
		buffer_append_byte(path, '/');
		transport_encode_path(record->file.artifact_path, path);
	}
	buffer_append_byte(path, '\0');
}

/* A server that does not say what it stored is believed. */
static bool is_as_sent(const struct delivery *d, const struct record *record)
{
	const struct record_file *file = &record->file;
	struct slice body = buffer_slice(&d->reply.body);
	if (record->type == RECORD_FILE) {
		struct slice etag = slice_from_cstr(d->reply.etag);
		return etag.len != SHA256_HEX_LEN || slice_eq(etag, file->sha256);
	}
	return reply_equals(body, "sha256", file->sha256) &&
	       reply_equals(body, "tree_sha256", file->tree_sha256_or_absent);
}

static bool reply_equals(struct slice body, const char *member, struct slice expected)
{
	char text[SHA256_HEX_LEN + 2];
	return !reply_text(body, member, text, sizeof text) || slice_eq_cstr(expected, text);
}
