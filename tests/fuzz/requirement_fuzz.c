/* Requirements from strangers: what parses has one spelling, which parses to the same, and whatever figures it is
 * checked against, the sentence is text. */
#include <math.h>
#include <stdint.h>

#include "search/requirement_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static void check_all(const struct requirement *r, struct arena *arena)
{
	static const double numbers[] = {0, -1.5, 1e300, (double)INFINITY, (double)NAN};
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		struct requirement_figure own = {
			.is_known = true, .number = numbers[i], .text = r->wanted, .origin = "run"};
		struct requirement_figure holder = own;
		struct requirement_check out;
		holder.number = numbers[ARRAY_COUNT(numbers) - 1 - i];
		requirement_check(r, &own, &holder, 1, arena, &out);
		ASSERT(slice_is_utf8(out.text) && slice_is_utf8(out.value) &&
		       slice_is_utf8(out.limit));
		ASSERT(!isnan(numbers[i]) || !out.ok || r->kind > REQUIREMENT_FILES);
		requirement_check(r, &own, NULL, 0, arena, &out);
		ASSERT(slice_is_utf8(out.text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make((const char *)data, size);
	struct requirement r, again;
	struct error err;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	if (requirement_parse(text, &arena, &r, &err)) {
		ASSERT(slice_is_utf8(r.text));
		ASSERT(requirement_parse(r.text, &arena, &again, &err));
		ASSERT(slice_eq(r.text, again.text) && slice_eq(r.key, again.key));
		ASSERT(r.kind == again.kind && r.relation == again.relation);
		ASSERT(r.number == again.number && slice_eq(r.alias, again.alias));
		check_all(&r, &arena);
	} else {
		ASSERT(err.code == ERR_INVALID_PARAMETER_VALUE);
		ASSERT(slice_is_utf8(slice_from_cstr(err.message)));
	}
	arena_deinit(&arena);
	return 0;
}
