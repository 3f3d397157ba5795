/* Fuzzes the spans of a traces.json, which clients store: what is given of them is JSON, as deep as a reply has it. */
#include <stdint.h>

#include "api/span_json.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 256 * 1024 * 1024, REPLY_BYTES_MAX = 64 * 1024 * 1024, TEXT_BYTES_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json_value *spans = NULL;
	struct json_value *again = NULL;
	struct arena arena;
	struct buffer reply;
	struct json_writer w;
	struct error err;
	if (size > TEXT_BYTES_MAX)
		return 0;
	arena_init(&arena, ARENA_BYTES);
	if (!span_json_parse(slice_make((const char *)data, size), &arena, &spans, &err)) {
		ASSERT(spans == NULL && err.code == ERR_BAD_REQUEST);
		arena_deinit(&arena);
		return 0;
	}
	buffer_init(&reply, REPLY_BYTES_MAX);
	json_writer_init(&w, &reply);
	/* {"traces": [{"spans": …: as the reply of several traces has it. */
	json_object_begin(&w);
	json_key(&w, "traces");
	json_array_begin(&w);
	json_object_begin(&w);
	span_json_put(&w, spans, &arena);
	json_object_end(&w);
	json_array_end(&w);
	json_object_end(&w);
	ASSERT(json_writer_is_complete(&w) && !reply.failed);
	bool ok = json_tree_parse(buffer_slice(&reply), &arena, &again, &err);
	ASSERT(ok);
	buffer_deinit(&reply);
	arena_deinit(&arena);
	return 0;
}
