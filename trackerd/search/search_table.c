/* Looks things up in search tables. */
#include "search/search_table.h"

const char *search_operator_text(enum search_operator op)
{
	static const char *const texts[SEARCH_OPERATOR_COUNT] = {
		[SEARCH_EQ] = "=",
		[SEARCH_NE] = "!=",
		[SEARCH_LT] = "<",
		[SEARCH_LE] = "<=",
		[SEARCH_GT] = ">",
		[SEARCH_GE] = ">=",
		[SEARCH_LIKE] = "LIKE",
		[SEARCH_ILIKE] = "ILIKE",
		[SEARCH_RLIKE] = "RLIKE",
		[SEARCH_IN] = "IN",
		[SEARCH_NOT_IN] = "NOT IN",
		[SEARCH_IS_NULL] = "IS NULL",
		[SEARCH_IS_NOT_NULL] = "IS NOT NULL",
	};
	ASSERT((unsigned)op < SEARCH_OPERATOR_COUNT);
	return texts[op];
}

const struct search_family *search_table_family(const struct search_table *table, struct slice name)
{
	for (size_t i = 0; i < table->family_count; i++) {
		const struct search_family *family = &table->families[i];
		for (size_t n = 0; n < ARRAY_COUNT(family->names) && family->names[n] != NULL;
		     n++) {
			if (slice_eq_cstr(name, family->names[n]))
				return family;
		}
	}
	return NULL;
}

const struct search_field *search_family_field(const struct search_family *family,
					       struct slice name)
{
	if (family->kind == FAMILY_KEYED)
		return &family->fields[0];
	for (size_t i = 0; i < family->field_count; i++) {
		const struct search_field *field = &family->fields[i];
		if (slice_eq_cstr(name, field->name))
			return field;
		for (size_t n = 0; n < ARRAY_COUNT(field->aliases) && field->aliases[n] != NULL;
		     n++) {
			if (slice_eq_cstr(name, field->aliases[n]))
				return field;
		}
	}
	return NULL;
}

const struct search_field *search_family_statistic(const struct search_family *family,
						   struct slice name)
{
	for (size_t i = 0; i < family->statistic_count; i++) {
		if (slice_eq_cstr(name, family->statistics_or_null[i].name))
			return &family->statistics_or_null[i];
	}
	return NULL;
}

struct slice search_family_default(const struct search_family *family, struct slice key)
{
	const struct search_default *row = family->defaults_or_null;
	for (; row != NULL && row->key != NULL; row++) {
		if (slice_eq_cstr(key, row->key))
			return slice_from_cstr(row->value);
	}
	return (struct slice){NULL, 0};
}
