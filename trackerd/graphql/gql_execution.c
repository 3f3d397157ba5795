/* Owns the writing of GraphQL replies. */
#include "graphql/gql_execution.h"

#include <math.h>

enum { NUMBER_BYTES_MAX = 64 };

struct message {
	struct slice text;
	struct message *next_or_null;
};

struct execution {
	const struct gql_resolver *resolver;
	struct arena *arena;
	struct json_writer *w;
	struct message *errors_or_null;
};

static void write_object(struct execution *e, const struct gql_plan *plan, struct json_node object);

static void add_error(struct execution *e, const struct error *err)
{
	struct message **link = &e->errors_or_null;
	while (*link != NULL)
		link = &(*link)->next_or_null;
	*link = ARENA_NEW(e->arena, struct message, 1);
	(*link)->text = arena_copy(e->arena, slice_from_cstr(err->message));
}

static void write_text(struct execution *e, struct json_node value)
{
	struct slice text = json_node_string(value);
	json_string(e->w, slice_is_present(text) ? text : SLICE(""));
}

/* NaN and infinities, which GraphQL's Float cannot be, are strings in our JSON. */
static void write_double(struct execution *e, struct json_node value)
{
	double number = json_node_double(value);
	if (json_node_type(value) == JSON_TYPE_STRING || !isfinite(number))
		json_null(e->w);
	else
		json_double(e->w, number);
}

static void write_one(struct execution *e, const struct gql_plan *plan, struct json_node value)
{
	enum json_type type = json_node_type(value);
	switch (plan->field_or_null->kind) {
	case GQL_TEXT:
		write_text(e, value);
		return;
	case GQL_LONG:
		json_string(e->w, type == JSON_TYPE_NUMBER
					  ? json_node_print(value, e->arena, NUMBER_BYTES_MAX)
					  : SLICE("0"));
		return;
	case GQL_DOUBLE:
		write_double(e, value);
		return;
	case GQL_BOOL:
		json_bool(e->w, type == JSON_TYPE_BOOL && json_node_bool(value));
		return;
	case GQL_ENUM:
		if (type == JSON_TYPE_STRING)
			write_text(e, value);
		else
			json_null(e->w);
		return;
	case GQL_OBJECT:
		write_object(e, plan->children_or_null, value);
		return;
	case GQL_NOTHING:
		break;
	}
	json_null(e->w);
}

static void write_field(struct execution *e, const struct gql_plan *plan, struct json_node parent)
{
	const struct gql_field *field = plan->field_or_null;
	struct json_node value = {NULL};
	struct error err;
	if (field->is_resolved) {
		if (!e->resolver->resolve(e->resolver->ctx, field, plan->input, parent, &value,
					  &err)) {
			add_error(e, &err);
			json_null(e->w);
			return;
		}
	} else {
		value = json_node_member(parent, slice_from_cstr(field->name));
	}
	if (!field->is_list) {
		write_one(e, plan, value);
		return;
	}
	json_array_begin(e->w);
	struct json_node item = json_node_first(value);
	for (; json_node_type(item) != JSON_TYPE_ABSENT; item = json_node_next(item))
		write_one(e, plan, item);
	json_array_end(e->w);
}

static void write_object(struct execution *e, const struct gql_plan *plan, struct json_node object)
{
	json_object_begin(e->w);
	for (; plan != NULL; plan = plan->next_or_null) {
		json_key_slice(e->w, plan->response_key);
		if (plan->field_or_null == NULL)
			json_string(e->w, slice_from_cstr(plan->parent_type->name));
		else
			write_field(e, plan, object);
	}
	json_object_end(e->w);
}

static void write_errors(struct json_writer *w, const struct message *errors_or_null)
{
	json_key(w, "errors");
	if (errors_or_null == NULL) {
		json_null(w);
		return;
	}
	json_array_begin(w);
	for (; errors_or_null != NULL; errors_or_null = errors_or_null->next_or_null)
		json_string(w, errors_or_null->text);
	json_array_end(w);
}

void gql_execute(const struct gql_plan *plan, const struct gql_resolver *resolver,
		 struct arena *arena, struct json_writer *w)
{
	struct execution e = {.resolver = resolver, .arena = arena, .w = w};
	json_object_begin(w);
	json_key(w, "data");
	write_object(&e, plan, (struct json_node){NULL});
	write_errors(w, e.errors_or_null);
	json_object_end(w);
}

void gql_refuse(const struct error *err, struct json_writer *w)
{
	const struct message message = {slice_from_cstr(err->message), NULL};
	json_object_begin(w);
	json_key(w, "data");
	json_null(w);
	write_errors(w, &message);
	json_object_end(w);
}
