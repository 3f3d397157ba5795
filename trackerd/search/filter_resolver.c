/* Gives meaning to the names in filters and orders, and words what is wrong with them. */
#include "search/filter_resolver.h"

#include <stdio.h>

#include "search/filter_lexer.h"

enum { VALID_TEXT_BYTES = 512, QUOTE_BYTES = 128, WHERE_BYTES = 48 };

/* Names joined by ", " for a message; cut where they do not fit. */
struct name_list {
	char text[VALID_TEXT_BYTES];
	size_t len;
};

static bool resolve_comparison(const struct search_table *table, struct slice text,
			       struct filter_comparison *c, struct error *err);
static const struct search_field *field_of_operator(const struct filter_comparison *c);
static bool check_value(struct slice text, const struct filter_comparison *c, struct error *err);
static bool check_number(const struct filter_comparison *c, const char *where, struct error *err);
static bool check_text(const struct filter_comparison *c, const char *where, struct error *err);
static bool check_operator(struct slice text, const struct filter_comparison *c, struct error *err);
static bool fail_entity(const struct search_table *table, struct slice entity, const char *where,
			struct error *err);
static bool fail_key(const struct search_family *family, struct slice key, bool for_order,
		     const char *where, struct error *err);
static bool can_be_used(const struct search_field *field, bool for_order);
static void name_list_add(struct name_list *list, const char *quote, const char *name);
static const char *where_text(struct slice text, size_t offset, char where[WHERE_BYTES]);

/* Depth is bounded: the parser checked it. */
bool filter_resolve(const struct search_table *table, struct slice text, struct filter_node *root,
		    struct error *err)
{
	if (root->kind == FILTER_COMPARISON)
		return resolve_comparison(table, text, &root->comparison, err);
	struct filter_node *child = root->first_child_or_null;
	for (; child != NULL; child = child->next_sibling_or_null) {
		if (!filter_resolve(table, text, child, err))
			return false;
	}
	return true;
}

bool filter_resolve_identifier(const struct search_table *table, struct slice entity,
			       struct slice key, bool for_order, const char *where,
			       const struct search_family **family_out,
			       const struct search_field **field_out, struct error *err)
{
	const struct search_family *family = &table->families[0];
	if (slice_is_present(entity))
		family = search_table_family(table, entity);
	if (family == NULL)
		return fail_entity(table, entity, where, err);
	const struct search_field *field = search_family_field(family, key);
	if (field == NULL || (family->kind != FAMILY_KEYED && !can_be_used(field, for_order)))
		return fail_key(family, key, for_order, where, err);
	*family_out = family;
	*field_out = field;
	return true;
}

static bool resolve_comparison(const struct search_table *table, struct slice text,
			       struct filter_comparison *c, struct error *err)
{
	char where[WHERE_BYTES];
	if (!filter_resolve_identifier(table, c->entity, c->key, false,
				       where_text(text, c->offset, where), &c->family, &c->field,
				       err))
		return false;
	c->field = field_of_operator(c);
	return check_value(text, c, err) && check_operator(text, c, err);
}

/* Under one key of a KEYED family there may be a text and a number. */
static const struct search_field *field_of_operator(const struct filter_comparison *c)
{
	if (c->family->kind != FAMILY_KEYED || !c->is_operator_known)
		return c->field;
	for (size_t i = 0; i < c->family->field_count; i++) {
		if ((c->family->fields[i].operators & SEARCH_BIT(c->op)) != 0)
			return &c->family->fields[i];
	}
	return c->field;
}

static bool check_value(struct slice text, const struct filter_comparison *c, struct error *err)
{
	char where[WHERE_BYTES];
	(void)where_text(text, c->value.offset, where);
	if (c->value.kind == FILTER_VALUE_NONE)
		return true;
	if (c->field->type == SEARCH_TEXT)
		return check_text(c, where, err);
	return check_number(c, where, err);
}

static bool check_number(const struct filter_comparison *c, const char *where, struct error *err)
{
	char quoted[QUOTE_BYTES];
	if (c->value.kind == FILTER_VALUE_NUMBER)
		return true;
	(void)error_quote(c->value.source, quoted, sizeof(quoted));
	if (c->family->kind == FAMILY_KEYED)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Expected numeric value type for %s. Found %s%s",
				 c->family->names[0], quoted, where);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Expected numeric value type for numeric %s: %s. Found %s%s",
			 c->family->names[0], c->field->name, quoted, where);
}

static bool check_text(const struct filter_comparison *c, const char *where, struct error *err)
{
	char quoted[QUOTE_BYTES];
	bool wants_list = c->is_operator_known && (c->op == SEARCH_IN || c->op == SEARCH_NOT_IN);
	if (c->value.kind == (wants_list ? FILTER_VALUE_LIST : FILTER_VALUE_TEXT))
		return true;
	(void)error_quote(c->value.source, quoted, sizeof(quoted));
	if (c->value.kind == FILTER_VALUE_WORD)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Parameter value is either not quoted or unidentified quote types "
				 "used for string value %s. Use either single or double quotes.%s",
				 quoted, where);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Expected a quoted string value for %s (e.g. 'my-value'). Got value %s%s",
			 c->family->names[0], quoted, where);
}

static bool check_operator(struct slice text, const struct filter_comparison *c, struct error *err)
{
	if (c->is_operator_known && (c->field->operators & SEARCH_BIT(c->op)) != 0)
		return true;
	struct name_list valid = {.len = 0};
	for (unsigned op = 0; op < SEARCH_OPERATOR_COUNT; op++) {
		if ((c->field->operators & SEARCH_BIT(op)) != 0)
			name_list_add(&valid, "", search_operator_text((enum search_operator)op));
	}
	char quoted[QUOTE_BYTES];
	char where[WHERE_BYTES];
	const char *found = c->is_operator_known
				    ? search_operator_text(c->op)
				    : error_quote(c->operator_source, quoted, sizeof(quoted));
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid comparator '%s' not one of '{%s}'%s", found, valid.text,
			 where_text(text, c->operator_offset, where));
}

static bool fail_entity(const struct search_table *table, struct slice entity, const char *where,
			struct error *err)
{
	struct name_list valid = {.len = 0};
	for (size_t i = 0; i < table->family_count; i++)
		name_list_add(&valid, "'", table->families[i].names[0]);
	char quoted[QUOTE_BYTES];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid entity type '%s'. Valid values are [%s]%s",
			 error_quote(entity, quoted, sizeof(quoted)), valid.text, where);
}

static bool fail_key(const struct search_family *family, struct slice key, bool for_order,
		     const char *where, struct error *err)
{
	struct name_list valid = {.len = 0};
	for (size_t i = 0; i < family->field_count; i++) {
		if (can_be_used(&family->fields[i], for_order))
			name_list_add(&valid, "", family->fields[i].name);
	}
	char quoted[QUOTE_BYTES];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid %s key '%s' specified. Valid keys are '{%s}'%s", family->names[0],
			 error_quote(key, quoted, sizeof(quoted)), valid.text, where);
}

static bool can_be_used(const struct search_field *field, bool for_order)
{
	/* Families that cannot be ordered by at all are refused in other words, by order_by.c. */
	return for_order ? field->is_orderable || field->linked_from.text != NULL
			 : field->operators != 0;
}

static void name_list_add(struct name_list *list, const char *quote, const char *name)
{
	size_t room = sizeof(list->text) - list->len;
	int written = snprintf(list->text + list->len, room, "%s%s%s%s", list->len == 0 ? "" : ", ",
			       quote, name, quote);
	if (written > 0 && (size_t)written < room)
		list->len += (size_t)written;
	else
		list->text[list->len] = '\0';
}

/* " at position 3" */
static const char *where_text(struct slice text, size_t offset, char where[WHERE_BYTES])
{
	(void)snprintf(where, WHERE_BYTES, " at position %zu", filter_position(text, offset));
	return where;
}
