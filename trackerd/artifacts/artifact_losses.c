/* Owns the comparison of files that are about to be stored with those that are there. */
#include "artifacts/artifact_losses.h"

#include "artifacts/artifact_path.h"

static bool is_same(const struct artifact_file *a, const struct artifact_file *b)
{
	return memcmp(a->sha256, b->sha256, SHA256_BYTES) == 0;
}

static bool add(struct artifact_file_list *list, struct slice base, const struct artifact_file *old,
		struct arena *arena, struct error *err)
{
	struct artifact_file lost = *old;
	if (!artifact_path_join(base, old->path, arena, &lost.path, err))
		return false;
	list->items = arena_list_room(arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = lost;
	return true;
}

static bool find_changed(struct db *tracker, const struct artifact_write *write,
			 struct arena *arena, struct artifact_file_list *out, struct error *err)
{
	for (size_t i = 0; i < write->files->count; i++) {
		const struct artifact_file *file = &write->files->items[i];
		struct artifact_file old;
		enum artifact_kind kind;
		struct slice path;
		if (!artifact_path_join(write->base, file->path, arena, &path, err) ||
		    !artifact_tree_find(tracker, path, &kind, &old, err))
			return false;
		if (kind == ARTIFACT_FILE && !is_same(&old, file) &&
		    !add(out, SLICE(""), &old, arena, err))
			return false;
	}
	return true;
}

/* Goes along both lists. */
static bool find_changed_or_gone(struct db *tracker, const struct artifact_write *write,
				 struct arena *arena, struct artifact_file_list *out,
				 struct error *err)
{
	const struct artifact_file_list *files = write->files;
	struct artifact_file_list old;
	size_t next = 0;
	if (!artifact_tree_load(tracker, write->base, arena, &old, err))
		return false;
	for (size_t i = 0; i < old.count; i++) {
		const struct artifact_file *file = &old.items[i];
		while (next < files->count &&
		       slice_compare(files->items[next].path, file->path) < 0)
			next++;
		bool stays = next < files->count && slice_eq(files->items[next].path, file->path) &&
			     is_same(&files->items[next], file);
		if (!stays && !add(out, write->base, file, arena, err))
			return false;
	}
	return true;
}

bool artifact_losses_find(struct db *tracker, const struct artifact_write *write,
			  struct arena *arena, struct artifact_file_list *out, struct error *err)
{
	struct artifact_file_list list = {0};
	struct artifact_file file;
	enum artifact_kind kind;
	bool ok = true;
	ASSERT(write->base.len > 0);
	if (!artifact_tree_find(tracker, write->base, &kind, &file, err))
		return false;
	if (kind != ARTIFACT_NONE && !write->replaces)
		ok = find_changed(tracker, write, arena, &list, err);
	else if (kind == ARTIFACT_FILE)
		ok = add(&list, SLICE(""), &file, arena, err);
	else if (kind == ARTIFACT_DIRECTORY)
		ok = find_changed_or_gone(tracker, write, arena, &list, err);
	if (ok)
		*out = list;
	return ok;
}
