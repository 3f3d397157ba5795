/* Prints the routing table as JSON, one object a row: for the test that compares it with schema/openapi.yaml. */
#include <stdio.h>

#include "api/router.h"
#include "base/json_writer.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

static const char *const method_names[] = {
	[HTTP_GET] = "get",     [HTTP_HEAD] = "head",     [HTTP_POST] = "post",       [HTTP_PUT] = "put",
	[HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete", [HTTP_OPTIONS] = "options", [HTTP_OTHER] = "other",
};
static const char *const type_names[] = {
	[FIELD_TYPE_TEXT] = "string",  [FIELD_TYPE_I64] = "integer",  [FIELD_TYPE_DOUBLE] = "number",
	[FIELD_TYPE_BOOL] = "boolean", [FIELD_TYPE_ENUM] = "enum",    [FIELD_TYPE_TEXTS] = "strings",
	[FIELD_TYPE_OBJECT] = "object", [FIELD_TYPE_OBJECTS] = "objects",
	[FIELD_TYPE_MAP] = "map",      [FIELD_TYPE_RAW] = "raw",
};

static void put_fields(struct json_writer *w, const struct field *fields)
{
	json_key(w, "fields");
	json_array_begin(w);
	for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
		json_object_begin(w);
		json_put_cstr(w, "name", f->name);
		json_put_cstr(w, "type", type_names[f->type]);
		json_put_bool(w, "required", (f->flags & FIELD_REQUIRED) != 0);
		if (f->enums_or_null != NULL) {
			json_key(w, "enum");
			json_array_begin(w);
			for (const struct field_enum *e = f->enums_or_null; e->name != NULL; e++)
				json_string(w, slice_from_cstr(e->name));
			json_array_end(w);
		}
		if (f->nested_or_null != NULL)
			put_fields(w, f->nested_or_null);
		json_object_end(w);
	}
	json_array_end(w);
}

int main(void)
{
	for (size_t i = 0; i < routes_count; i++) {
		struct buffer line;
		struct json_writer w;
		buffer_init(&line, LINE_BYTES_MAX);
		json_writer_init(&w, &line);
		json_object_begin(&w);
		json_put_cstr(&w, "method", method_names[routes[i].method]);
		json_put_cstr(&w, "path", routes[i].path);
		json_put_cstr(&w, "summary", routes[i].endpoint->summary);
		json_put_bool(&w, "takes_over", routes[i].endpoint->kind == ENDPOINT_TAKE_OVER);
		put_fields(&w, routes[i].endpoint->fields_or_null);
		json_object_end(&w);
		printf("%.*s\n", SLICE_FMT(buffer_slice(&line)));
		buffer_deinit(&line);
	}
	return 0;
}
