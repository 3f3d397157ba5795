/* Owns the reading of the server's JSON replies. */
#include "src/reply.h"

#include <setjmp.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_scanner.h"

enum { SCRATCH_BYTES_MAX = 1024 * 1024 };

static bool enter_member(struct json_scanner *s, struct slice name);
static bool copy_text(const struct json_scanner *s, char *text, size_t text_bytes);

bool reply_text(struct slice body, const char *path, char *text, size_t text_bytes)
{
	struct json_scanner s;
	struct slice rest = slice_from_cstr(path);
	struct slice name;
	text[0] = '\0';
	json_scanner_init(&s, body);
	while (slice_next(&rest, '.', &name)) {
		if (json_scan_next(&s) != JSON_OBJECT_BEGIN || !enter_member(&s, name))
			return false;
	}
	enum json_token token = json_scan_next(&s);
	return (token == JSON_STRING || token == JSON_NUMBER) && copy_text(&s, text, text_bytes);
}

/* Stands before the value of member `name` when it returns true. */
static bool enter_member(struct json_scanner *s, struct slice name)
{
	while (json_scan_next(s) == JSON_KEY) {
		if (slice_eq(s->raw, name))
			return true;
		if (!json_scan_skip(s))
			return false;
	}
	return false;
}

static bool copy_text(const struct json_scanner *s, char *text, size_t text_bytes)
{
	struct arena arena;
	jmp_buf guard;
	arena_init(&arena, SCRATCH_BYTES_MAX);
	if (setjmp(guard) != 0) {
		arena_deinit(&arena);
		return false;
	}
	arena_guard_set(&arena, &guard);
	struct slice value = json_scan_text(s, &arena);
	size_t len = value.len < text_bytes ? value.len : text_bytes - 1;
	memcpy(text, value.ptr, len);
	text[len] = '\0';
	arena_deinit(&arena);
	return true;
}
