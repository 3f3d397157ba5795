/* Owns the checking of manifests. */
#include "src/manifest.h"

#include <stdlib.h>

enum { PATH_BYTES_MAX = 1024, SEGMENT_BYTES_MAX = 255 };

static bool is_digest(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return text.len == SHA256_HEX_LEN;
}

/* What is wrong with it, or NULL. */
static const char *find_fault(struct slice path)
{
	struct slice rest = path, segment;
	if (path.len == 0 || path.len > PATH_BYTES_MAX)
		return "is empty or too long";
	if (path.ptr[0] == '/')
		return "is absolute";
	if (!slice_is_utf8(path))
		return "is not UTF-8";
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];
		if (c < 0x20 || c == 0x7f || c == '\\')
			return "contains a control character or a backslash";
	}
	while (slice_next(&rest, '/', &segment)) {
		if (segment.len == 0 || segment.len > SEGMENT_BYTES_MAX ||
		    slice_eq_cstr(segment, ".") || slice_eq_cstr(segment, ".."))
			return "contains \"..\", \".\", or a segment that is empty or too long";
	}
	return NULL;
}

static bool take_file(struct arena *arena, const struct json_value *item, struct manifest_file *out,
		      struct error *err)
{
	struct slice path = json_text(item, "path"), digest = json_text(item, "sha256");
	const char *fault = find_fault(path);
	char quoted[200];
	error_quote(path, quoted, sizeof(quoted));
	if (fault != NULL)
		return error_set(err, ERR_DATA_LOSS,
				 "the server names a path that %s: \"%s\"; nothing was written",
				 fault, quoted);
	out->path = arena_cstr(arena, path);
	out->bytes = json_tree_i64(json_tree_get(item, "file_size"), -1);
	out->modified_ms = json_tree_i64(json_tree_get(item, "modified_ms"), 0);
	if (out->bytes < 0 || !is_digest(digest))
		return error_set(
			err, ERR_DATA_LOSS,
			"the server gives no size or no digest for \"%s\"; nothing was written",
			quoted);
	memcpy(out->sha256, digest.ptr, SHA256_HEX_LEN);
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	const struct manifest_file *x = a, *y = b;
	return slice_compare(slice_from_cstr(x->path), slice_from_cstr(y->path));
}

/* A path twice, or as a file and as a folder of another. */
static bool check_distinct(const struct manifest *m, struct error *err)
{
	for (size_t i = 1; i < m->count; i++) {
		const char *last = m->files[i - 1].path, *path = m->files[i].path;
		size_t len = strlen(last);
		if (strncmp(last, path, len) == 0 && (path[len] == '\0' || path[len] == '/'))
			return error_set(
				err, ERR_DATA_LOSS,
				"the server names \"%s\" as a file and again; nothing was written",
				last);
	}
	return true;
}

/* SHA-256 over the lines "<sha256>  <path>\n". */
static bool compute_digest(struct manifest *m, struct error *err)
{
	struct sha256 h;
	if (!sha256_init(&h, err))
		return false;
	bool ok = true;
	for (size_t i = 0; i < m->count && ok; i++)
		ok = sha256_update_member(&h, m->files[i].sha256, m->files[i].path, err);
	ok = ok && sha256_finish(&h, m->tree_sha256, err);
	sha256_deinit(&h);
	return ok;
}

/* A file "a", and a folder "a" that holds just a file "a", have the same manifest: the folder
 * above tells. */
static bool find_base(const struct fetcher *f, struct arena *arena, struct slice path,
		      struct manifest *m, struct error *err)
{
	struct json_value *reply;
	size_t name_at = path.len;
	m->base = path;
	while (name_at > 0 && path.ptr[name_at - 1] != '/')
		name_at--;
	struct slice name = slice_from(path, name_at),
		     parent = slice_first(path, name_at > 0 ? name_at - 1 : 0);
	if (m->count != 1 || !slice_eq_cstr(name, m->files[0].path))
		return true;
	if (!fetcher_get(f, arena, &reply, err, "/api/2.0/mlflow-artifacts/artifacts?path=%s",
			 fetcher_encode_value(arena, parent)))
		return false;
	const struct json_value *item = json_items(json_tree_get(reply, "files"));
	while (item != NULL && !slice_eq(json_text(item, "path"), name))
		item = item->next_sibling_or_null;
	m->is_file = item != NULL && !json_tree_bool(json_tree_get(item, "is_dir"), false);
	if (m->is_file)
		m->base = parent;
	return true;
}

bool manifest_load(const struct fetcher *f, struct arena *arena, struct slice path,
		   struct manifest *out, struct error *err)
{
	struct json_value *reply;
	struct manifest m = {0};
	if (!fetcher_get(f, arena, &reply, err, "/api/trackerd/v1/manifest/%s",
			 fetcher_encode_path(arena, path)))
		return false;
	const struct json_value *files = json_tree_get(reply, "files"), *item = json_items(files);
	m.files = ARENA_NEW(arena, struct manifest_file,
			    (files == NULL ? 0 : files->child_count) + 1);
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct manifest_file *file = &m.files[m.count];
		if (!take_file(arena, item, file, err))
			return false;
		m.count++;
		if (__builtin_add_overflow(m.bytes, file->bytes, &m.bytes))
			return error_set(err, ERR_DATA_LOSS,
					 "the sizes that the server gives are impossible");
	}
	if (m.count > 0)
		qsort(m.files, m.count, sizeof(*m.files), compare_paths);
	if (!check_distinct(&m, err) || !compute_digest(&m, err))
		return false;
	if (!slice_eq_cstr(json_text(reply, "tree_sha256"), m.tree_sha256))
		return error_set(err, ERR_DATA_LOSS,
				 "the server's digest of the tree does not fit its list of files; "
				 "nothing was written");
	if (!find_base(f, arena, path, &m, err))
		return false;
	*out = m;
	return true;
}
