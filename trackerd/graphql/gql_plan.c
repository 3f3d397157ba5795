/* Owns the resolving of a document into a plan. */
#include "graphql/gql_plan.h"

#include "base/buffer.h"
#include "base/json_writer.h"

enum { INPUT_BYTES_MAX = 16 * 1024 * 1024 };

/* One brace of the document whose fields go into the same object. */
struct brace {
	const struct gql_selection *selections;
	struct brace *next_or_null;
};

/* A field of the reply while its selection is collected. */
struct collected {
	struct gql_plan *plan;
	const struct gql_selection *selection; /* the first of that key */
	struct brace *braces_or_null;	       /* of all of that key */
	struct collected *next_or_null;
};

struct planner {
	const struct gql_document *document;
	const struct gql_operation *operation;
	struct json_node variables;
	struct arena *arena;
	struct error *err;
	size_t field_count;
};

/* A selection while it is collected. */
struct collection {
	const struct gql_type *type;
	struct collected *first_or_null;
	size_t alias_count;
};

static bool collect(struct planner *p, const struct gql_selection *selections,
		    struct collection *into, unsigned depth);

/* "Unknown fragment 'x'." for fail(p, "Unknown fragment", x, ""). */
static bool fail(struct planner *p, const char *before, struct slice name, const char *after)
{
	char quoted[100];
	return error_set(p->err, ERR_INVALID_PARAMETER_VALUE, "%s '%s'%s.", before,
			 error_quote(name, quoted, sizeof(quoted)), after);
}

/* "Cannot query field 'x' on type 'Query'." */
static bool fail_type(struct planner *p, const char *before, struct slice name, const char *between,
		      const struct gql_type *type)
{
	char quoted[100];
	return error_set(p->err, ERR_INVALID_PARAMETER_VALUE, "%s '%s' %s '%s'.", before,
			 error_quote(name, quoted, sizeof(quoted)), between, type->name);
}

/* ---- values ------------------------------------------------------------------------------------- */

static const struct gql_variable *find_variable(const struct planner *p, struct slice name)
{
	const struct gql_variable *variable = p->operation->variables_or_null;
	while (variable != NULL && !slice_eq(variable->name, name))
		variable = variable->next_or_null;
	return variable;
}

/* Variables of the operation that must have a value and have none. */
static bool check_variables(struct planner *p)
{
	const struct gql_variable *variable = p->operation->variables_or_null;
	for (; variable != NULL; variable = variable->next_or_null) {
		enum json_type type =
			json_node_type(json_node_member(p->variables, variable->name));
		bool is_given = type != JSON_TYPE_ABSENT && type != JSON_TYPE_NULL;
		if (variable->is_required && variable->default_or_null == NULL && !is_given)
			return fail(p, "No value for the required variable", variable->name, "");
	}
	return true;
}

static bool write_value(struct planner *p, const struct gql_value *value, struct json_writer *w)
{
	switch (value->kind) {
	case GQL_VALUE_NUMBER:
	case GQL_VALUE_BOOL:
		json_raw(w, value->text);
		return true;
	case GQL_VALUE_STRING:
	case GQL_VALUE_ENUM:
		json_string(w, value->text);
		return true;
	case GQL_VALUE_NULL:
		json_null(w);
		return true;
	case GQL_VALUE_VARIABLE:
		break;
	case GQL_VALUE_LIST:
	case GQL_VALUE_OBJECT: {
		bool is_list = value->kind == GQL_VALUE_LIST;
		if (is_list)
			json_array_begin(w);
		else
			json_object_begin(w);
		const struct gql_value *item = value->first_child_or_null;
		for (; item != NULL; item = item->next_or_null) {
			if (!is_list)
				json_key_slice(w, item->name);
			if (!write_value(p, item, w))
				return false;
		}
		if (is_list)
			json_array_end(w);
		else
			json_object_end(w);
		return true;
	}
	}
	const struct gql_variable *variable = find_variable(p, value->text);
	struct json_node given = json_node_member(p->variables, value->text);
	if (variable == NULL)
		return fail(p, "There is no variable", value->text, " in the operation");
	if (json_node_type(given) != JSON_TYPE_ABSENT)
		json_raw(w, json_node_print(given, p->arena, INPUT_BYTES_MAX));
	else if (variable->default_or_null != NULL)
		return write_value(p, variable->default_or_null, w);
	else
		json_null(w);
	return true;
}

static bool value_json(struct planner *p, const struct gql_value *value, struct slice *out)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, p->arena, INPUT_BYTES_MAX);
	json_writer_init(&w, &text);
	if (!write_value(p, value, &w) || !buffer_check(&text, "An argument", p->err))
		return false;
	*out = buffer_slice(&text);
	return true;
}

static const struct gql_value *find_argument(const struct gql_value *arguments, const char *name)
{
	while (arguments != NULL && !slice_eq_cstr(arguments->name, name))
		arguments = arguments->next_or_null;
	return arguments;
}

/* @skip(if:) and @include(if:); other directives say nothing to us. */
static bool is_wanted(struct planner *p, const struct gql_selection *selection, bool *wanted_out)
{
	*wanted_out = true;
	const struct gql_directive *directive = selection->directives_or_null;
	for (; directive != NULL; directive = directive->next_or_null) {
		bool is_skip = slice_eq_cstr(directive->name, "skip");
		if (!is_skip && !slice_eq_cstr(directive->name, "include"))
			continue;
		const struct gql_value *condition =
			find_argument(directive->arguments_or_null, "if");
		struct slice json;
		if (condition == NULL)
			return fail(p, "Directive", directive->name, " needs the argument 'if'");
		if (!value_json(p, condition, &json))
			return false;
		if (!slice_eq_cstr(json, "true") && !slice_eq_cstr(json, "false"))
			return fail(p, "The argument 'if' of directive", directive->name,
				    " is not a boolean");
		if (slice_eq_cstr(json, "true") == is_skip)
			*wanted_out = false;
	}
	return true;
}

/* ---- collecting --------------------------------------------------------------------------------- */

static bool set_input(struct planner *p, const struct gql_selection *selection,
		      struct gql_plan *plan)
{
	const struct gql_value *argument = selection->arguments_or_null;
	plan->input = SLICE("{}");
	for (; argument != NULL; argument = argument->next_or_null) {
		bool is_input = plan->field_or_null != NULL && plan->field_or_null->is_resolved &&
				slice_eq_cstr(argument->name, "input");
		if (!is_input)
			return fail_type(p, "Unknown argument", argument->name,
					 "on a field of type", plan->parent_type);
		if (!value_json(p, argument, &plan->input))
			return false;
	}
	return true;
}

static bool add_field(struct planner *p, const struct gql_selection *selection,
		      struct collection *into)
{
	struct collected **link = &into->first_or_null;
	while (*link != NULL && !slice_eq((*link)->plan->response_key, selection->response_key))
		link = &(*link)->next_or_null;
	if (*link == NULL) {
		struct gql_plan *plan = ARENA_NEW(p->arena, struct gql_plan, 1);
		plan->response_key = selection->response_key;
		plan->parent_type = into->type;
		plan->field_or_null = gql_type_field(into->type, selection->name);
		if (plan->field_or_null == NULL && !slice_eq_cstr(selection->name, "__typename"))
			return fail_type(p, "Cannot query field", selection->name, "on type",
					 into->type);
		*link = ARENA_NEW(p->arena, struct collected, 1);
		**link = (struct collected){.plan = plan, .selection = selection};
		if (!set_input(p, selection, plan))
			return false;
	} else if (!slice_eq((*link)->selection->name, selection->name)) {
		return fail(p, "Two different fields have the key", selection->response_key,
			    "; give one an alias");
	}
	if (selection->selections_or_null != NULL) {
		struct brace **last = &(*link)->braces_or_null;
		while (*last != NULL)
			last = &(*last)->next_or_null;
		*last = ARENA_NEW(p->arena, struct brace, 1);
		(*last)->selections = selection->selections_or_null;
	}
	if (!slice_eq(selection->response_key, selection->name) &&
	    ++into->alias_count > GQL_ALIASES_MAX)
		return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
				 "GraphQL queries should have at most %d aliases.",
				 GQL_ALIASES_MAX);
	return true;
}

static bool add_fragment(struct planner *p, const struct gql_selection *selection,
			 struct collection *into, unsigned depth)
{
	const struct gql_selection *selections = selection->selections_or_null;
	struct slice type = selection->name;
	if (selection->kind == GQL_SELECTION_SPREAD) {
		const struct gql_fragment *fragment = p->document->fragments_or_null;
		while (fragment != NULL && !slice_eq(fragment->name, selection->name))
			fragment = fragment->next_or_null;
		if (fragment == NULL)
			return fail(p, "Unknown fragment", selection->name, "");
		selections = fragment->selections;
		type = fragment->type;
	}
	if (slice_is_present(type) && !slice_eq_cstr(type, into->type->name))
		return true;
	if (depth >= GQL_DEPTH_MAX)
		return fail(p, "Nested too deeply, or in itself: fragment", selection->name, "");
	return collect(p, selections, into, depth + 1);
}

static bool collect(struct planner *p, const struct gql_selection *selections,
		    struct collection *into, unsigned depth)
{
	for (; selections != NULL; selections = selections->next_or_null) {
		bool is_one_wanted;
		if (++p->field_count > GQL_FIELDS_MAX)
			return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
					 "Query exceeds maximum total selections of %d",
					 GQL_FIELDS_MAX);
		if (!is_wanted(p, selections, &is_one_wanted))
			return false;
		if (!is_one_wanted)
			continue;
		if (!(selections->kind == GQL_SELECTION_FIELD
			      ? add_field(p, selections, into)
			      : add_fragment(p, selections, into, depth)))
			return false;
	}
	return true;
}

/* ---- the tree ----------------------------------------------------------------------------------- */

static bool plan_type(struct planner *p, const struct gql_type *type, const struct brace *braces,
		      unsigned depth, struct gql_plan **out);

static bool plan_children(struct planner *p, const struct collected *one, unsigned depth)
{
	const struct gql_field *field = one->plan->field_or_null;
	const struct gql_type *type = field == NULL ? NULL : field->type_or_null;
	if (type == NULL && one->braces_or_null != NULL)
		return fail(p, "Field", one->selection->name,
			    " must not have a selection since its type has no subfields");
	if (type != NULL && one->braces_or_null == NULL)
		return fail(p, "Field", one->selection->name,
			    " must have a selection of subfields");
	return type == NULL ||
	       plan_type(p, type, one->braces_or_null, depth + 1, &one->plan->children_or_null);
}

static bool plan_type(struct planner *p, const struct gql_type *type, const struct brace *braces,
		      unsigned depth, struct gql_plan **out)
{
	struct collection collection = {.type = type};
	if (depth > GQL_SELECTION_DEPTH_MAX)
		return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
				 "Query exceeds maximum depth of %d", GQL_SELECTION_DEPTH_MAX);
	for (; braces != NULL; braces = braces->next_or_null) {
		if (!collect(p, braces->selections, &collection, 0))
			return false;
	}
	size_t count = 0;
	const struct collected *one = collection.first_or_null;
	for (; one != NULL; one = one->next_or_null) {
		if (!plan_children(p, one, depth))
			return false;
		*out = one->plan;
		out = &one->plan->next_or_null;
		count++;
	}
	if (depth == 1 && count > GQL_ROOT_FIELDS_MAX)
		return error_set(
			p->err, ERR_INVALID_PARAMETER_VALUE,
			"GraphQL queries should have at most %d root fields, got %zu root fields.",
			GQL_ROOT_FIELDS_MAX, count);
	return true;
}

static bool find_operation(struct planner *p, struct slice name)
{
	const struct gql_operation *operation = p->document->operations;
	if (name.len == 0) {
		if (operation->next_or_null != NULL)
			return error_set(p->err, ERR_INVALID_PARAMETER_VALUE,
					 "Must provide operation name if query contains multiple "
					 "operations.");
		p->operation = operation;
		return true;
	}
	while (operation != NULL && !slice_eq(operation->name, name))
		operation = operation->next_or_null;
	p->operation = operation;
	return operation != NULL || fail(p, "Unknown operation named", name, "");
}

bool gql_plan_make(const struct gql_request *request, struct arena *arena, struct gql_plan **out,
		   struct error *err)
{
	struct planner p = {.document = request->document,
			    .variables = request->variables,
			    .arena = arena,
			    .err = err};
	if (!find_operation(&p, request->operation_name) || !check_variables(&p))
		return false;
	const struct gql_type *root =
		p.operation->kind == GQL_MUTATION ? &mlflow_mutation_type : &mlflow_query_type;
	const struct brace brace = {.selections = p.operation->selections};
	*out = NULL;
	return plan_type(&p, root, &brace, 1, out);
}
