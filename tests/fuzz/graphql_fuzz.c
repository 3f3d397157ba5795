/* GraphQL documents from strangers: whatever is accepted must come to valid JSON.
 *
 * The resolver answers each root with nothing, so that every field shows its default. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json_scanner.h"
#include "graphql/gql_execution.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 64 * 1024 * 1024, REPLY_BYTES = 16 * 1024 * 1024 };

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_reader_setup();
	return 0;
}

static bool resolve_nothing(void *ctx, const struct gql_field *field, struct slice input,
			    struct json_node parent, struct json_node *out, struct error *err)
{
	struct json_node node;
	(void)field;
	(void)parent;
	*out = (struct json_node){NULL};
	return json_read(input, ctx, &node, err); /* what was made of an argument is JSON */
}

static void check_json(struct slice text)
{
	struct json_scanner scanner;
	enum json_token token;
	json_scanner_init(&scanner, text);
	do {
		token = json_scan_next(&scanner);
	} while (token != JSON_END && token != JSON_ERROR);
	ASSERT(token == JSON_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct gql_document document;
	struct gql_request request = {.document = &document};
	struct gql_plan *plan;
	struct error err;
	struct slice text = slice_make((const char *)data, size);
	if (size > 64 * 1024 || !slice_is_utf8(text))
		return 0;
	arena_init(&arena, ARENA_BYTES);
	const struct gql_resolver resolver = {.ctx = &arena, .resolve = resolve_nothing};
	struct buffer reply;
	struct json_writer w;
	buffer_init_in_arena(&reply, &arena, REPLY_BYTES);
	json_writer_init(&w, &reply);
	if (json_read(SLICE("{\"a\":{\"b\":[1]},\"t\":true}"), &arena, &request.variables, &err) &&
	    gql_parse(text, &arena, &document, &err) &&
	    gql_plan_make(&request, &arena, &plan, &err))
		gql_execute(plan, &resolver, &arena, &w);
	else
		gql_refuse(&err, &w);
	if (!reply.failed)
		check_json(buffer_slice(&reply));
	arena_deinit(&arena);
	return 0;
}
