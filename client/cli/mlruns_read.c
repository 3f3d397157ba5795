/* Owns the reading of a file store's small files, and what is said when they are damaged. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mlruns.h"
#include "cli/yaml_reader.h"
#include "src/files.h"

enum { REASON_BYTES_MAX = 512 };

const char *mlruns_path(const struct mlruns *m, const char *relative, struct arena *arena)
{
	return arena_cstr(arena, arena_printf(arena, "%s/%s", m->root, relative));
}

void mlruns_tell(struct mlruns *m, const char *kind, const char *path, const char *reason, ...)
{
	char text[REASON_BYTES_MAX];
	va_list arguments;
	va_start(arguments, reason);
	(void)vsnprintf(text, sizeof(text), reason, arguments);
	va_end(arguments);
	import_report_add(m->base.report, IMPORT_FAILED, kind, slice_from_cstr(path), "%s", text);
}

bool mlruns_join(struct mlruns *m, char out[MLRUNS_PATH_BYTES_MAX], const char *folder,
		 const char *name)
{
	int len = snprintf(out, MLRUNS_PATH_BYTES_MAX, "%s%s%s", folder,
			   folder[0] != '\0' ? "/" : "", name);
	if (len >= 0 && len < MLRUNS_PATH_BYTES_MAX)
		return true;
	mlruns_tell(m, "folder", folder, "a path in it is too long");
	return false;
}

static bool kind_of(const struct mlruns *m, const char *relative, mode_t *kind_out)
{
	char path[2 * MLRUNS_PATH_BYTES_MAX];
	struct stat info;
	(void)snprintf(path, sizeof(path), "%s/%s", m->root, relative);
	if (lstat(path, &info) != 0)
		return false;
	*kind_out = info.st_mode & S_IFMT;
	return true;
}

bool mlruns_is_folder(const struct mlruns *m, const char *relative)
{
	mode_t kind;
	return kind_of(m, relative, &kind) && kind == S_IFDIR;
}

bool mlruns_has(const struct mlruns *m, const char *relative)
{
	mode_t kind;
	return kind_of(m, relative, &kind);
}

bool mlruns_has_folder(struct mlruns *m, const char *relative, const char *kind)
{
	mode_t mode;
	if (!kind_of(m, relative, &mode))
		return false;
	if (mode != S_IFDIR)
		mlruns_tell(m, kind, relative,
			    mode == S_IFLNK ? "a symbolic link, which is not followed"
					    : "a file, where a folder should be");
	return mode == S_IFDIR;
}

/* ---- meta.yaml ------------------------------------------------------------------------------- */

/* NULL, or what is wrong with it. */
static const char *read_meta(struct mlruns *m, const char *folder, struct arena *arena,
			     const struct json_value **out)
{
	struct json_value *tree;
	struct slice text;
	struct error why;
	const char *name = arena_cstr(arena, arena_printf(arena, "%s/meta.yaml", folder));
	mode_t kind;
	if (!kind_of(m, name, &kind))
		return errno == ENOENT ? "its meta.yaml is missing" : strerror(errno);
	if (kind != S_IFREG)
		return "its meta.yaml is no file";
	if (!files_read(AT_FDCWD, mlruns_path(m, name, arena), MLRUNS_META_BYTES_MAX, arena, &text,
			&why))
		return arena_cstr(arena, slice_from_cstr(why.message));
	if (slice_trim(text).len == 0)
		return "its meta.yaml is empty";
	if (!slice_is_utf8(text))
		return "its meta.yaml is not UTF-8";
	if (!yaml_read(text, arena, &tree, &why))
		return arena_cstr(arena,
				  arena_printf(arena, "its meta.yaml is damaged: %s", why.message));
	if (tree->kind != JSON_KIND_OBJECT)
		return "its meta.yaml is damaged: it holds no keys";
	*out = tree;
	return NULL;
}

const struct json_value *mlruns_meta(struct mlruns *m, const char *folder, const char *kind,
				     struct arena *arena)
{
	const struct json_value *meta = NULL;
	const char *fault = read_meta(m, folder, arena, &meta);
	if (fault == NULL)
		return meta;
	mlruns_tell(m, kind, folder, "%s", fault);
	return NULL;
}

struct slice mlruns_text(const struct json_value *meta, const char *key)
{
	const struct json_value *value = json_tree_get(meta, key);
	if (value == NULL || value->kind == JSON_KIND_NULL || value->kind == JSON_KIND_ARRAY ||
	    value->kind == JSON_KIND_OBJECT)
		return (struct slice){0};
	return value->text;
}

int64_t mlruns_time(const struct json_value *meta, const char *key)
{
	int64_t time_ms = json_tree_i64(json_tree_get(meta, key), -1);
	return time_ms < 0 ? -1 : time_ms;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct import_pair *x = a, *y = b;
	return slice_compare(x->key, y->key);
}

void mlruns_sort(struct import_pairs pairs)
{
	if (pairs.count > 1)
		qsort(pairs.items, pairs.count, sizeof(pairs.items[0]), compare_pairs);
}

struct import_pairs mlruns_map(const struct json_value *map_or_null, struct arena *arena)
{
	struct import_pairs pairs = {0};
	const struct json_value *value = NULL;
	if (map_or_null != NULL && map_or_null->kind == JSON_KIND_OBJECT)
		value = map_or_null->first_child_or_null;
	for (; value != NULL; value = value->next_sibling_or_null) {
		bool is_text = value->kind != JSON_KIND_ARRAY && value->kind != JSON_KIND_OBJECT;
		import_pairs_add(&pairs, value->key,
				 is_text && slice_is_present(value->text) ? value->text : SLICE(""),
				 arena);
	}
	mlruns_sort(pairs);
	return pairs;
}

/* ---- folders of small files ------------------------------------------------------------------ */

static bool read_value(struct mlruns *m, const char *folder, struct slice key, const char *kind,
		       struct arena *arena, struct slice *out)
{
	struct error why;
	const char *name =
		arena_cstr(arena, arena_printf(arena, "%s/%.*s", folder, SLICE_FMT(key)));
	if (!files_read(AT_FDCWD, mlruns_path(m, name, arena), MLRUNS_VALUE_BYTES_MAX, arena, out,
			&why)) {
		mlruns_tell(m, kind, name, "%s", why.message);
		return false;
	}
	if (slice_is_utf8(*out) && memchr(out->ptr, '\0', out->len) == NULL)
		return true;
	mlruns_tell(m, kind, name, "its content is not UTF-8");
	return false;
}

struct import_pairs mlruns_pairs(struct mlruns *m, const char *folder, const char *kind,
				 struct arena *arena)
{
	struct import_pairs pairs = {0};
	struct import_artifact file;
	struct import_files files = {0};
	struct slice value;
	if (!mlruns_has_folder(m, folder, kind))
		return pairs;
	import_files_open_as(&files, m->base.report, kind, folder, mlruns_path(m, folder, arena));
	while (import_files_next(&files, arena, &file)) {
		if (read_value(m, folder, file.path, kind, arena, &value))
			import_pairs_add(&pairs, file.path, value, arena);
	}
	import_files_close(&files);
	mlruns_sort(pairs);
	return pairs;
}

/* ---- folders of folders ---------------------------------------------------------------------- */

DIR *mlruns_open_folder(struct mlruns *m, const char *folder, const char *kind)
{
	char path[2 * MLRUNS_PATH_BYTES_MAX];
	(void)snprintf(path, sizeof(path), "%s/%s", m->root, folder);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	if (directory == NULL && errno != ENOENT)
		mlruns_tell(m, kind, folder, "it cannot be listed: %s", strerror(errno));
	if (directory == NULL && fd >= 0)
		(void)close(fd); /* only read */
	return directory;
}

const char *mlruns_next_folder(struct mlruns *m, DIR *directory, const char *folder,
			       const char *kind)
{
	char path[MLRUNS_PATH_BYTES_MAX];
	const struct dirent *entry;
	mode_t mode;
	for (errno = 0; (entry = readdir(directory)) != NULL; errno = 0) {
		if (entry->d_name[0] == '.' || !mlruns_join(m, path, folder, entry->d_name) ||
		    !kind_of(m, path, &mode))
			continue;
		if (mode == S_IFLNK)
			mlruns_tell(m, kind, path, "a symbolic link, which is not followed");
		if (mode == S_IFDIR)
			return entry->d_name;
	}
	if (errno != 0)
		mlruns_tell(m, kind, folder, "it cannot be listed to its end: %s", strerror(errno));
	return NULL;
}

void mlruns_close_folder(DIR **directory)
{
	if (*directory != NULL)
		(void)closedir(*directory); /* only read */
	*directory = NULL;
}
