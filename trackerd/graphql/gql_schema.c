/* Finds fields of types by the names that GraphQL gives them. */
#include "graphql/gql_schema.h"

#include <stddef.h>

const char *gql_field_name(const struct gql_field *field, char out[64])
{
	size_t len = 0;
	bool is_capital = false;
	for (const char *from = field->name; *from != '\0' && len < 63; from++) {
		if (*from == '_') {
			is_capital = true;
			continue;
		}
		out[len++] = is_capital ? (char)(*from - 'a' + 'A') : *from;
		is_capital = false;
	}
	out[len] = '\0';
	return out;
}

const struct gql_field *gql_type_field(const struct gql_type *type, struct slice name)
{
	char camel[64];
	for (const struct gql_field *field = type->fields; field->name != NULL; field++) {
		if (slice_eq_cstr(name, gql_field_name(field, camel)))
			return field;
	}
	return NULL;
}
