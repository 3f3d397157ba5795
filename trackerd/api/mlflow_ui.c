/* Owns the folder of MLflow's web page and the serving of its files. */
#include "api/mlflow_ui.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/web_type.h"

/* The largest file of the page of MLflow 3.17 has 4.4 MB. */
enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

struct mlflow_ui {
	int root_fd;
};

/* ---- the folder --------------------------------------------------------------------------------- */

static bool has_index(int root_fd)
{
	struct stat status;
	return fstatat(root_fd, "index.html", &status, 0) == 0 && S_ISREG(status.st_mode);
}

/* The folder at `place` below `directory`, if the page is there; else -1. */
static int open_root(const char *directory, const char *place)
{
	int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd < 0)
		return -1;
	int root_fd = openat(directory_fd, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)close(directory_fd); /* was only read */
	if (root_fd >= 0 && !has_index(root_fd)) {
		(void)close(root_fd);
		root_fd = -1;
	}
	return root_fd;
}

bool mlflow_ui_open(const char *directory, struct mlflow_ui **out, struct error *err)
{
	static const char *const places[] = {"server/js/build", ".", "mlflow/server/js/build"};
	int root_fd = -1;
	for (size_t i = 0; i < ARRAY_COUNT(places) && root_fd < 0; i++)
		root_fd = open_root(directory, places[i]);
	if (root_fd < 0)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"--mlflow-ui: there is no web page in %s: neither "
			"server/js/build/index.html, as in an installed mlflow package, nor "
			"index.html",
			directory);
	struct mlflow_ui *ui = calloc(1, sizeof(*ui));
	if (ui == NULL) {
		(void)close(root_fd);
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	}
	ui->root_fd = root_fd;
	*out = ui;
	return true;
}

void mlflow_ui_close(struct mlflow_ui *ui_or_null)
{
	if (ui_or_null == NULL)
		return;
	(void)close(ui_or_null->root_fd); /* was only read */
	free(ui_or_null);
}

/* Nothing but names: no way up, none to elsewhere. */
static bool is_plain_path(struct slice path)
{
	struct slice part;
	while (slice_next(&path, '/', &part)) {
		if (part.len == 0 || slice_eq(part, SLICE(".")) || slice_eq(part, SLICE("..")) ||
		    slice_find_byte(part, '\0', 0) < part.len)
			return false;
	}
	return true;
}

static bool read_file(int fd, struct slice path, size_t bytes, struct arena *arena,
		      struct slice *out, struct error *err)
{
	char *content = ARENA_NEW(arena, char, bytes + 1);
	size_t len = 0;
	while (len < bytes) {
		ssize_t got = read(fd, content + len, bytes - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return error_set(err, ERR_INTERNAL_ERROR, "%.*s could not be read.",
					 SLICE_FMT(path));
		len += (size_t)got;
	}
	*out = slice_make(content, len);
	return true;
}

/* Leaves file and ETag in the call; a file that the browser has is not read. */
static bool answer_file(struct call *call, struct slice path, int fd, struct error *err)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_BYTES_MAX)
		return error_set(err, ERR_NOT_FOUND, "MLflow's page has no file %.*s.",
				 SLICE_FMT(path));
	int64_t changed_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
	call->etag = arena_printf(call->arena, "\"%" PRIx64 "-%" PRIx64 "\"",
				  (uint64_t)status.st_size, (uint64_t)changed_ns);
	call->content_type = web_type_of(path);
	call->text = SLICE("");
	return slice_eq(call->etag, call->if_none_match) ||
	       read_file(fd, path, (size_t)status.st_size, call->arena, &call->text, err);
}

/* ---- endpoints ---------------------------------------------------------------------------------- */

static bool serve(struct call *call, struct slice path, struct error *err)
{
	if (call->api->mlflow_ui_or_null == NULL)
		return error_set(err, ERR_NOT_FOUND,
				 "MLflow's page is served when trackerd is started with "
				 "--mlflow-ui and the folder of an installed mlflow package.");
	int fd = -1;
	if (is_plain_path(path))
		fd = openat(call->api->mlflow_ui_or_null->root_fd, arena_cstr(call->arena, path),
			    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(err, ERR_NOT_FOUND, "MLflow's page has no such file.");
	bool ok = answer_file(call, path, fd, err);
	(void)close(fd); /* was only read */
	return ok;
}

static bool index_execute(struct call *call, struct db *tracker, struct error *err)
{
	(void)tracker;
	return serve(call, SLICE("index.html"), err);
}

static bool file_execute(struct call *call, struct db *tracker, struct error *err)
{
	(void)tracker;
	return serve(call, call->path_arguments[0], err);
}

static void redirect_on_loop(struct api *api, struct http_exchange *x,
			     const struct route_match *match)
{
	struct http_reply reply = {.status = 301};
	(void)match;
	api_reply_headers(api, x, &reply);
	http_reply_header(&reply, SLICE("Location"), SLICE("/mlflow/"));
	http_exchange_reply(x, &reply, NULL);
	http_exchange_release(x);
}

const struct endpoint mlflow_ui_redirect = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = redirect_on_loop,
	.summary = "Go to MLflow's own web page",
};

const struct endpoint mlflow_ui_index = {
	.kind = ENDPOINT_READ,
	.execute = index_execute,
	.summary = "MLflow's own web page, if the daemon serves it",
};

const struct endpoint mlflow_ui_file = {
	.kind = ENDPOINT_READ,
	.execute = file_execute,
	.summary = "A file of MLflow's own web page",
};

static void gateway_encode(const struct call *call, struct json_writer *w)
{
	(void)call;
	json_object_begin(w);
	json_key(w, "endpoints");
	json_array_begin(w);
	json_array_end(w);
	json_object_end(w);
}

const struct endpoint mlflow_ui_gateway = {
	.kind = ENDPOINT_READ,
	.encode = gateway_encode,
	.summary = "The endpoints of an AI gateway: there is none",
};

static void telemetry_encode(const struct call *call, struct json_writer *w)
{
	(void)call;
	json_object_begin(w);
	json_put_bool(w, "disable_ui_telemetry", true);
	json_key(w, "disable_ui_events");
	json_array_begin(w);
	json_array_end(w);
	json_put_int(w, "ui_rollout_percentage", 0);
	json_object_end(w);
}

const struct endpoint mlflow_ui_telemetry = {
	.kind = ENDPOINT_READ,
	.encode = telemetry_encode,
	.summary = "Tell MLflow's page to report nothing",
};
