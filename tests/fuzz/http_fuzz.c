/* Fuzzes the reading of requests: the first two bytes say where the stream is cut, the rest is the stream.
 *
 * Beyond not crashing: cutting the stream changes nothing, data never comes empty, and what was accepted keeps
 * the promises that handlers rely on. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "http/request_reader.h"
#include "http/target.h"
#include "limits.h"

enum { TARGET_ARENA_BYTES_MAX = 1 << 20 };

/* What the stream meant, for comparing. */
struct story {
	uint64_t hash;
	uint64_t data_bytes;
	unsigned requests;
	int refused;
	bool in_body;
};

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void hash_bytes(struct story *story, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		story->hash = (story->hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
}

static void check_text(struct slice text, unsigned char lowest)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		ASSERT((c >= lowest || c == '\t') && c != 0x7f);
	}
}

static void check_target(const struct http_request *request)
{
	struct arena arena;
	struct error err;
	struct slice decoded, name, value, rest = request->query;
	bool found = true;
	arena_init(&arena, TARGET_ARENA_BYTES_MAX);
	if (target_decode(request->path, false, &arena, &decoded, &err))
		ASSERT(slice_is_utf8(decoded) && memchr(decoded.ptr, '\0', decoded.len) == NULL);
	while (found && target_query_next(&rest, &arena, &name, &value, &found, &err)) {
		if (found)
			ASSERT(slice_is_utf8(name) && slice_is_utf8(value));
	}
	arena_deinit(&arena);
}

static void check_request(struct story *story, const struct request_reader *r)
{
	const struct http_request *request = &r->request;
	ASSERT(request->path.len > 0 && request->path.ptr[0] == '/');
	ASSERT(request->path.len < 2 || request->path.ptr[1] != '/');
	ASSERT(request->method != HTTP_OTHER && request->header_count <= HTTP_HEADERS_MAX);
	ASSERT(request->has_body == (request->content_length != 0));
	check_text(request->path, 0x21);
	check_text(request->query, 0x21);
	hash_bytes(story, request->path);
	hash_bytes(story, request->query);
	for (unsigned i = 0; i < request->header_count; i++) {
		ASSERT(request->headers[i].name.len > 0);
		check_text(request->headers[i].name, 0x21);
		check_text(request->headers[i].value, 0x20);
		hash_bytes(story, request->headers[i].name);
		hash_bytes(story, request->headers[i].value);
	}
	check_target(request);
	story->hash += (uint64_t)request->content_length + r->keep_alive + 2U * r->expects_continue;
	story->requests++;
}

/* False when nothing more can be read. */
static bool feed(struct request_reader *r, struct slice bytes, struct story *story)
{
	for (;;) {
		size_t before = bytes.len;
		struct slice data;
		switch (request_reader_next(r, &bytes, &data)) {
		case READER_MORE:
			ASSERT(bytes.len == 0);
			return true;
		case READER_HEAD:
			check_request(story, r);
			story->in_body = true;
			break;
		case READER_DATA:
			ASSERT(data.len > 0 && bytes.len < before);
			story->data_bytes += data.len;
			hash_bytes(story, data);
			break;
		case READER_END:
			story->in_body = false;
			request_reader_restart(r);
			break;
		case READER_ERROR:
			ASSERT(r->refusal.status >= 400 && r->refusal.message != NULL);
			story->refused = r->refusal.status;
			return false;
		}
	}
}

static struct story read_in_steps(struct slice bytes, size_t step)
{
	struct story story = {.hash = UINT64_C(0xcbf29ce484222325)};
	struct request_reader r;
	request_reader_init(&r);
	for (size_t at = 0; at < bytes.len; at += step) {
		if (!feed(&r, slice_first(slice_from(bytes, at), step), &story))
			break;
	}
	request_reader_deinit(&r);
	return story;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	if (len < 3)
		return 0;
	size_t step = 1 + input[0] + 256U * (input[1] % 16U);
	struct slice bytes = slice_make((const char *)input + 2, len - 2);
	struct story whole = read_in_steps(bytes, bytes.len);
	struct story cut = read_in_steps(bytes, step);
	ASSERT(whole.hash == cut.hash && whole.data_bytes == cut.data_bytes);
	ASSERT(whole.requests == cut.requests && whole.refused == cut.refused);
	ASSERT(whole.in_body == cut.in_body);
	return 0;
}
