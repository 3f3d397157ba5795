/* Fuzzes the reading of an mlruns folder's texts: a meta.yaml, and the lines of a metric file. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "cli/cli.h"
#include "cli/mlruns.h"
#include "cli/yaml_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 * 1024 * 1024, TEXT_BYTES_MAX = 64 * 1024 };

/* Of the program's main, which is not here. */
bool cli_is_interrupted(void)
{
	return false;
}

/* Counts are true, links come to an end, texts are UTF-8. Depth is the reader's. */
static void check_tree(const struct json_value *value, unsigned depth)
{
	size_t count = 0;
	ASSERT(depth <= YAML_READER_DEPTH_MAX);
	ASSERT(slice_is_utf8(value->text) && slice_is_utf8(value->key));
	for (const struct json_value *child = value->first_child_or_null; child != NULL;
	     child = child->next_sibling_or_null) {
		check_tree(child, depth + 1);
		count++;
	}
	ASSERT(count == value->child_count);
}

/* What the import asks of a meta.yaml. */
static void check_questions(const struct json_value *root, struct arena *arena)
{
	static const char *const keys[] = {"name", "run_id", "start_time", "lifecycle_stage", "tags"};
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
		struct slice text = mlruns_text(root, keys[i]);
		ASSERT(!slice_is_present(text) || slice_is_utf8(text));
		ASSERT(mlruns_time(root, keys[i]) >= -1);
		struct import_pairs pairs = mlruns_map(json_tree_get(root, keys[i]), arena);
		mlruns_sort(pairs);
	}
}

static void check_points(struct slice text)
{
	while (text.len > 0) {
		size_t end = slice_find_byte(text, '\n', 0);
		struct slice line = slice_first(text, end), rest;
		struct import_point point;
		if (mlruns_parse_point(line, &point, &rest))
			ASSERT(rest.len <= line.len);
		text = slice_from(text, end + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct json_value *root = NULL;
	struct arena arena;
	struct error err;
	if (size > TEXT_BYTES_MAX)
		return 0;
	arena_init(&arena, ARENA_BYTES);
	if (yaml_read(text, &arena, &root, &err)) {
		check_tree(root, 0);
		check_questions(root, &arena);
	} else {
		ASSERT(root == NULL && err.code == ERR_BAD_REQUEST);
	}
	check_points(text);
	arena_deinit(&arena);
	return 0;
}
