/* Gives meaning to the names in filters and orders, and words what is wrong with them. */
#include "search/filter_resolver.h"

#include <stdio.h>

#include "db/regex.h"
#include "search/filter_lexer.h"

enum { VALID_TEXT_BYTES = 512, QUOTE_BYTES = 128, WHERE_BYTES = 48 };

/* Names joined by ", " for a message; cut where they do not fit. */
struct name_list {
	char text[VALID_TEXT_BYTES];
	size_t len;
};

static bool resolve_comparison(const struct search_table *table, struct slice text,
			       struct filter_comparison *c, struct error *err);
static const struct search_field *field_of_operator(const struct filter_target *target,
						    const struct filter_comparison *c);
static bool resolve_key(const struct search_family *family, const struct filter_name *name,
			const char *where, struct filter_target *out, struct error *err);
static bool check_value(struct slice text, const struct filter_comparison *c, struct error *err);
static bool check_number(const struct filter_comparison *c, const char *where, struct error *err);
static bool check_text(const struct filter_comparison *c, const char *where, struct error *err);
static bool check_operator(struct slice text, const struct filter_comparison *c, struct error *err);
static bool check_pattern(const struct filter_comparison *c, struct error *err);
static bool fail_entity(const struct search_table *table, struct slice entity, const char *where,
			struct error *err);
static bool fail_key(const struct search_family *family, struct slice key, bool for_order,
		     const char *where, struct error *err);
static bool fail_statistic(const struct search_family *family, struct slice statistic,
			   const char *where, struct error *err);
static const struct search_field *usable_field(const struct search_family *family, struct slice key,
					       bool for_order);
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

bool filter_resolve_identifier(const struct search_table *table, const struct filter_name *name,
			       bool for_order, const char *where, struct filter_target *out,
			       struct error *err)
{
	const struct search_family *family = &table->families[0];
	if (slice_is_present(name->entity))
		family = search_table_family(table, name->entity);
	if (family == NULL)
		return fail_entity(table, name->entity, where, err);
	if (family->kind == FAMILY_KEYED)
		return resolve_key(family, name, where, out, err);
	const struct search_field *field = usable_field(family, name->key, for_order);
	if (field == NULL || slice_is_present(name->statistic))
		return fail_key(family, name->key, for_order, where, err);
	*out = (struct filter_target){family, field, name->key};
	return true;
}

/* Takes the statistic off: what stands behind a quoted key, or the last part of one without quotes. */
static bool resolve_key(const struct search_family *family, const struct filter_name *name,
			const char *where, struct filter_target *out, struct error *err)
{
	*out = (struct filter_target){family, &family->fields[0], name->key};
	if (slice_is_present(name->statistic)) {
		out->field = search_family_statistic(family, name->statistic);
		return out->field != NULL || fail_statistic(family, name->statistic, where, err);
	}
	size_t dot = name->key.len;
	while (dot > 0 && name->key.ptr[dot - 1] != '.')
		dot--;
	if (name->is_key_quoted || dot < 2)
		return true;
	const struct search_field *field =
		search_family_statistic(family, slice_from(name->key, dot));
	if (field != NULL)
		*out = (struct filter_target){family, field, slice_first(name->key, dot - 1)};
	return true;
}

static bool resolve_comparison(const struct search_table *table, struct slice text,
			       struct filter_comparison *c, struct error *err)
{
	char where[WHERE_BYTES];
	struct filter_target target;
	if (!filter_resolve_identifier(table, &c->name, false, where_text(text, c->offset, where),
				       &target, err))
		return false;
	c->family = target.family;
	c->key = target.key;
	c->field = field_of_operator(&target, c);
	return check_value(text, c, err) && check_operator(text, c, err) && check_pattern(c, err);
}

/* Under one key of a KEYED family there may be a text and a number. */
static const struct search_field *field_of_operator(const struct filter_target *target,
						    const struct filter_comparison *c)
{
	const struct search_family *family = target->family;
	if (family->kind != FAMILY_KEYED || !c->is_operator_known || target->field->name != NULL)
		return target->field;
	for (size_t i = 0; i < family->field_count; i++) {
		if ((family->fields[i].operators & SEARCH_BIT(c->op)) != 0)
			return &family->fields[i];
	}
	return target->field;
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

/* A regular expression must be one before any row is compared. */
static bool check_pattern(const struct filter_comparison *c, struct error *err)
{
	struct regex *regex = NULL;
	if (c->op != SEARCH_RLIKE)
		return true;
	bool ok = regex_new(c->value.text, &regex, err);
	regex_free(regex);
	return ok;
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

static bool fail_statistic(const struct search_family *family, struct slice statistic,
			   const char *where, struct error *err)
{
	struct name_list valid = {.len = 0};
	for (size_t i = 0; i < family->statistic_count; i++)
		name_list_add(&valid, "", family->statistics_or_null[i].name);
	char quoted[QUOTE_BYTES];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid statistic '%s' of a %s. Valid ones are '{%s}'%s",
			 error_quote(statistic, quoted, sizeof(quoted)), family->names[0],
			 valid.text, where);
}

/* A name may have two fields: one to compare with, one to order by. */
static const struct search_field *usable_field(const struct search_family *family, struct slice key,
					       bool for_order)
{
	const struct search_field *named = search_family_field(family, key);
	const struct search_field *end = family->fields + family->field_count;
	for (const struct search_field *field = named; field != NULL && field < end; field++) {
		if (strcmp(field->name, named->name) == 0 && can_be_used(field, for_order))
			return field;
	}
	return NULL;
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
