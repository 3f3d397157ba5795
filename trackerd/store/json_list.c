/* Makes JSON lists in tags longer. */
#include "store/json_list.h"

#include "json/json_reader.h"

struct slice json_list_append(struct slice list_or_absent, struct slice item, struct arena *arena)
{
	struct slice list = slice_trim(list_or_absent);
	struct arena_mark mark = arena_mark(arena);
	struct json_node root = {NULL};
	struct error ignored;
	bool is_list = list.len > 0 && json_read(list, arena, &root, &ignored) &&
		       json_node_type(root) == JSON_TYPE_ARRAY;
	bool is_empty = !is_list || json_node_count(root) == 0;
	arena_rewind(arena, mark);
	if (is_empty)
		return arena_printf(arena, "[%.*s]", SLICE_FMT(item));
	return arena_printf(arena, "%.*s, %.*s]", SLICE_FMT(slice_first(list, list.len - 1)),
			    SLICE_FMT(item));
}
