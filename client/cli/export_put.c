/* Owns how an export puts a folder: whether it is due, what is in it, what becomes of a failure. */
#include "cli/export.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/double_text.h"
#include "cli/import_source.h"

/* ---- folders --------------------------------------------------------------------------------- */

bool export_digest_begin(struct export *x, const struct export_artifacts *artifacts_or_null,
			 struct sha256 *h, struct error *err)
{
	struct slice head = arena_printf(x->cli->arena, "%s %s\n", x->root_uri,
					 x->with_artifacts && artifacts_or_null != NULL
						 ? artifacts_or_null->manifest.tree_sha256
						 : "-");
	return sha256_init(h, err) && sha256_update(h, head, err);
}

bool export_put_begin(struct export *x, struct export_put *put, struct error *err)
{
	enum export_state state = export_tree_state(&x->tree, put->target, put->digest);
	put->is_whole = true;
	put->was_there = state == EXPORT_SAME || state == EXPORT_FOREIGN;
	if (state == EXPORT_FOREIGN)
		import_report_add(&x->report, IMPORT_UNSUPPORTED, put->kind, put->name,
				  "the folder holds one of that name that no export put there");
	put->is_due = !put->was_there && !x->is_dry;
	return !put->is_due || export_tree_stage(&x->tree, &put->fd, err);
}

bool export_put_end(struct export *x, struct export_put *put, bool ok, struct error *err)
{
	if (!put->is_due)
		return ok;
	if (!ok) {
		export_tree_drop(&x->tree, put->fd);
		return error_prefix(err, "%s %.*s", put->kind, SLICE_FMT(put->name));
	}
	/* Without its digest it will be looked at again. */
	return export_tree_put(&x->tree, put->fd, put->target, put->is_whole ? put->digest : "",
			       err);
}

/* ---- files ----------------------------------------------------------------------------------- */

void export_leave_out(struct export *x, const char *kind, struct slice owner, struct slice name,
		      const char *reason)
{
	import_report_add(
		&x->report, IMPORT_UNSUPPORTED, kind,
		arena_printf(x->cli->arena, "%.*s of %.*s", SLICE_FMT(name), SLICE_FMT(owner)),
		"%s", reason);
}

static bool write_pair(struct export *x, struct slice key, struct slice value, int folder_fd,
		       const char *kind, struct slice owner, struct error *err)
{
	const char *fault;
	int fd = export_key_create(folder_fd, key, &fault, err);
	if (fd < 0 && fault == NULL)
		return false;
	if (fd < 0) {
		export_leave_out(x, kind, owner, key, fault);
		return true;
	}
	bool ok = export_write(fd, kind, value, err);
	if (close(fd) != 0 && ok)
		ok = cli_fail_file(err, "write", kind);
	return ok;
}

bool export_pairs_into(struct export *x, struct export_list list, int folder_fd, const char *kind,
		       struct slice owner, struct error *err)
{
	const struct json_value *pair = json_items(list.items_or_null);
	bool ok = true;
	for (; pair != NULL && ok; pair = pair->next_sibling_or_null)
		ok = write_pair(x, json_text(pair, list.key), json_text(pair, list.value),
				folder_fd, kind, owner, err);
	return ok;
}

bool export_pairs(struct export *x, struct export_list list, int folder_fd, const char *name,
		  const char *kind, struct slice owner, struct error *err)
{
	int fd = export_folder_make(folder_fd, name, err);
	bool ok = fd >= 0 && export_pairs_into(x, list, fd, kind, owner, err);
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return ok;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct import_pair *x = a, *y = b;
	return slice_compare(x->key, y->key);
}

void export_put_map(struct export *x, const char *name, struct export_list list)
{
	const struct json_value *items = list.items_or_null, *item = json_items(items);
	size_t count = items == NULL ? 0 : items->child_count, i = 0;
	struct import_pair *sorted = ARENA_NEW(x->cli->arena, struct import_pair, count + 1);
	for (; item != NULL; item = item->next_sibling_or_null)
		sorted[i++] = (struct import_pair){json_text(item, list.key),
						   json_text(item, list.value)};
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare_pairs);
	yaml_map_begin(x->yaml, name, count == 0);
	for (i = 0; i < count; i++)
		yaml_put_pair(x->yaml, sorted[i].key, sorted[i].value);
	yaml_map_end(x->yaml);
}

void export_point(struct buffer *line, const struct json_value *point)
{
	char text[DOUBLE_TEXT_BYTES_MAX];
	double value = json_tree_double(json_tree_get(point, "value"), 0);
	buffer_printf(line, "%" PRId64 " ", json_tree_i64(json_tree_get(point, "timestamp"), 0));
	if (isnan(value))
		buffer_append(line, SLICE("nan"));
	else if (isinf(value))
		buffer_append_cstr(line, value < 0 ? "-inf" : "inf");
	else
		buffer_append(line, slice_make(text, double_text(value, text)));
	buffer_printf(line, " %" PRId64, json_tree_i64(json_tree_get(point, "step"), 0));
}

bool export_meta(struct export *x, int folder_fd, struct error *err)
{
	struct slice text;
	return yaml_writer_end(x->yaml, &text, err) &&
	       export_file_write(folder_fd, "meta.yaml", text, err);
}
