/* Writes compiled filters as text. */
#include "unit/search/filter_text_helper.h"

static struct slice node_text(const struct filter_node *node, struct arena *arena);
static struct slice comparison_text(const struct filter_comparison *c, struct arena *arena);
static struct slice value_text(const struct filter_value *value, struct arena *arena);

const char *filter_text(const struct filter *filter, struct arena *arena)
{
	if (filter->root_or_null == NULL)
		return "everything";
	return arena_cstr(arena, node_text(filter->root_or_null, arena));
}

static struct slice node_text(const struct filter_node *node, struct arena *arena)
{
	static const char *const names[] = {
		[FILTER_AND] = "(and", [FILTER_OR] = "(or", [FILTER_NOT] = "(not"};
	if (node->kind == FILTER_COMPARISON)
		return comparison_text(&node->comparison, arena);
	struct slice text = slice_from_cstr(names[node->kind]);
	const struct filter_node *child = node->first_child_or_null;
	for (; child != NULL; child = child->next_sibling_or_null) {
		text = arena_concat(arena, text, SLICE(" "));
		text = arena_concat(arena, text, node_text(child, arena));
	}
	return arena_concat(arena, text, SLICE(")"));
}

static struct slice comparison_text(const struct filter_comparison *c, struct arena *arena)
{
	bool is_keyed = c->family->kind == FAMILY_KEYED;
	struct slice key = is_keyed ? c->key : slice_from_cstr(c->field->name);
	struct slice text = arena_printf(arena, "(%s %s '%.*s'", search_operator_text(c->op),
					 c->family->names[0], SLICE_FMT(key));
	if (is_keyed && c->field->name != NULL)
		text = arena_concat(arena, text, arena_printf(arena, ".%s", c->field->name));
	return arena_concat(arena, text, value_text(&c->value, arena));
}

static struct slice value_text(const struct filter_value *value, struct arena *arena)
{
	struct slice text = SLICE(" [");
	switch (value->kind) {
	case FILTER_VALUE_NUMBER:
		if (value->is_integer)
			return arena_printf(arena, " %lld)", (long long)value->integer);
		return arena_printf(arena, " %.15g)", value->real);
	case FILTER_VALUE_TEXT:
		return arena_printf(arena, " '%.*s')", SLICE_FMT(value->text));
	case FILTER_VALUE_LIST:
		for (size_t i = 0; i < value->item_count; i++)
			text = arena_concat(arena, text,
					    arena_printf(arena, "%s'%.*s'", i == 0 ? "" : " ",
							 SLICE_FMT(value->items[i])));
		return arena_concat(arena, text, SLICE("])"));
	case FILTER_VALUE_NONE:
		return SLICE(")");
	case FILTER_VALUE_WORD:
	default:
		return SLICE(" ?)");
	}
}
