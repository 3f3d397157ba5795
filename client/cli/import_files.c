/* Owns the way from an artifact's address to a folder here, and the walk through it. */
#include "cli/import_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* ---- addresses -------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool import_files_exist(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0;
}

/* Without %XX, as file: addresses have them. */
static struct slice decoded(struct slice text, struct arena *arena)
{
	char *out = arena_alloc(arena, text.len + 1, 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		int high = i + 2 < text.len ? slice_hex_digit(text.ptr[i + 1]) : -1;
		int low = i + 2 < text.len ? slice_hex_digit(text.ptr[i + 2]) : -1;
		if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
			out[len++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[len++] = text.ptr[i];
		}
	}
	return slice_make(out, len);
}

/* What is behind "//host" or "//". */
static struct slice without_host(struct slice rest)
{
	if (slice_starts_with(rest, SLICE("//")))
		rest = slice_from(rest, slice_find_byte(rest, '/', 2));
	return rest;
}

/* The path behind the artifact proxy; absent when the address names none. */
static struct slice proxy_path(struct slice uri)
{
	static const struct slice scheme = {"mlflow-artifacts:", 17},
				  marker = {"/mlflow-artifacts/artifacts/", 28};
	if (slice_starts_with(uri, scheme))
		return without_host(slice_from(uri, scheme.len));
	if (!slice_starts_with(uri, SLICE("http://")) && !slice_starts_with(uri, SLICE("https://")))
		return (struct slice){0};
	for (size_t i = 0; i + marker.len <= uri.len; i++) {
		if (slice_starts_with(slice_from(uri, i), marker))
			return slice_from(uri, i + marker.len);
	}
	return (struct slice){0};
}

static bool has_dots(struct slice path)
{
	struct slice segment;
	while (slice_next(&path, '/', &segment)) {
		if (slice_eq_cstr(segment, ".."))
			return true;
	}
	return false;
}

/* Without its last name; "" when nothing is left. */
static struct slice parent(struct slice path)
{
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	while (path.len > 0 && path.ptr[path.len - 1] != '/')
		path.len--;
	return path;
}

/* Is this a place of this machine? Then at least the folder that holds "mlruns/1/<run>/artifacts" is here. */
static bool is_of_here(const char *path, struct arena *arena)
{
	enum { LEVELS_MAX = 5 };
	struct slice place = slice_from_cstr(path);
	for (int level = 0; level < LEVELS_MAX && place.len > 1; level++) {
		if (is_folder(arena_cstr(arena, place)))
			return true;
		place = parent(place);
	}
	return false;
}

static const char *below_root(const struct import_places *places, struct slice path,
			      struct arena *arena)
{
	return arena_cstr(arena, arena_printf(arena, "%s/%.*s", places->artifacts_root_or_null,
					      SLICE_FMT(path)));
}

static const char *locate_path(const struct import_places *places, struct slice path,
			       struct arena *arena)
{
	bool is_absolute = slice_starts_with(path, SLICE("/"));
	const char *place = arena_cstr(
		arena,
		is_absolute ? path : arena_printf(arena, "%s/%.*s", places->base, SLICE_FMT(path)));
	if (!is_folder(place) && places->artifacts_root_or_null != NULL) {
		struct slice top = parent(parent(parent(path)));
		const char *moved = below_root(places, slice_from(path, top.len), arena);
		if (is_folder(moved))
			return moved;
	}
	return is_of_here(place, arena) ? place : NULL;
}

const char *import_files_locate(const struct import_places *places, struct slice uri,
				struct arena *arena)
{
	struct slice path = proxy_path(uri);
	if (slice_is_present(path)) {
		if (places->artifacts_root_or_null == NULL || has_dots(path))
			return NULL;
		return below_root(places, path, arena);
	}
	if (slice_starts_with(uri, SLICE("file:")))
		return locate_path(places, without_host(decoded(slice_from(uri, 5), arena)), arena);
	size_t colon = slice_find_byte(uri, ':', 0);
	if (uri.len == 0 || (colon < uri.len && colon < slice_find_byte(uri, '/', 0)))
		return NULL;
	return locate_path(places, uri, arena);
}

/* ---- walking ---------------------------------------------------------------------------------- */

static void fail(struct import_files *f, const char *reason)
{
	char name[2 * IMPORT_FILES_PATH_BYTES_MAX];
	if (f->report_or_null == NULL)
		return;
	bool has_both = f->owner[0] != '\0' && f->path_len > 0;
	(void)snprintf(name, sizeof(name), "%s%s%.*s", f->owner, has_both ? "/" : "",
		       (int)f->path_len, f->path);
	import_report_add(f->report_or_null, IMPORT_FAILED, f->kind, slice_from_cstr(name), "%s",
			  reason);
}

static void push(struct import_files *f, int fd)
{
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (folder == NULL) {
		fail(f, strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	f->folders[f->depth] = folder;
	f->path_lens[f->depth] = f->path_len;
	f->depth++;
}

void import_files_open(struct import_files *f, struct import_report *report, const char *folder)
{
	import_files_open_as(f, report, "artifact", "", folder);
}

void import_files_open_as(struct import_files *f, struct import_report *report_or_null,
			  const char *kind, const char *owner, const char *folder)
{
	*f = (struct import_files){.report_or_null = report_or_null, .kind = kind, .owner = owner};
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return;
	/* A fault of the root is told by its owner, or its whole name. */
	struct slice name =
		slice_first(slice_from_cstr(owner[0] != '\0' ? "" : folder), sizeof(f->path) - 1);
	memcpy(f->path, name.ptr, name.len);
	f->path_len = name.len;
	push(f, fd);
	f->path_len = 0;
	f->path_lens[0] = 0;
}

static void pop(struct import_files *f)
{
	f->depth--;
	(void)closedir(f->folders[f->depth]); /* only read */
}

/* Sets f->path to the folder at hand with `name`. */
static bool set_path(struct import_files *f, const char *name)
{
	size_t name_len = strlen(name), len = f->path_lens[f->depth - 1];
	f->path_len = len;
	if (len > 0)
		f->path[f->path_len++] = '/';
	bool fits = f->path_len + name_len < sizeof(f->path);
	if (!fits)
		name_len = sizeof(f->path) - 1 - f->path_len;
	memcpy(f->path + f->path_len, name, name_len);
	f->path_len += name_len;
	if (!fits)
		fail(f, "its path is too long");
	return fits;
}

/* True for a file; a folder is gone into. */
static bool take(struct import_files *f, const char *name, struct stat *info)
{
	int folder_fd = dirfd(f->folders[f->depth - 1]);
	if (!set_path(f, name))
		return false;
	if (fstatat(folder_fd, name, info, AT_SYMLINK_NOFOLLOW) != 0) {
		fail(f, strerror(errno));
	} else if (S_ISREG(info->st_mode)) {
		if (slice_is_utf8(slice_make(f->path, f->path_len)))
			return true;
		fail(f, "its name is not UTF-8");
	} else if (!S_ISDIR(info->st_mode)) {
		fail(f, S_ISLNK(info->st_mode) ? "a symbolic link, which is not followed"
					       : "neither a file nor a folder");
	} else if (f->depth == IMPORT_FILES_DEPTH_MAX) {
		fail(f, "the folders are nested too deeply");
	} else {
		push(f, openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	}
	return false;
}

bool import_files_next(struct import_files *f, struct arena *arena, struct import_artifact *out)
{
	struct stat info;
	while (f->depth > 0) {
		errno = 0;
		const struct dirent *entry = readdir(f->folders[f->depth - 1]);
		if (entry == NULL) {
			if (errno != 0) {
				f->path_len = f->path_lens[f->depth - 1];
				fail(f, strerror(errno));
			}
			pop(f);
			continue;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    !take(f, entry->d_name, &info))
			continue;
		out->path = arena_copy(arena, slice_make(f->path, f->path_len));
		out->bytes = info.st_size;
		return true;
	}
	return false;
}

int import_files_open_file(struct import_files *f)
{
	size_t folder_len = f->path_lens[f->depth - 1];
	char name[IMPORT_FILES_PATH_BYTES_MAX];
	size_t begin = folder_len > 0 ? folder_len + 1 : 0;
	memcpy(name, f->path + begin, f->path_len - begin);
	name[f->path_len - begin] = '\0';
	int fd = openat(dirfd(f->folders[f->depth - 1]), name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		fail(f, strerror(errno));
	return fd;
}

void import_files_close(struct import_files *f)
{
	while (f->depth > 0)
		pop(f);
}
