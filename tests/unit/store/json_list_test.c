/* Lists in tags: appended to, whatever stood there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/json_list.h"

#include "json/json_reader.h"

struct row {
	const char *list_or_null, *wanted;
};

static const struct row rows[] = {
	{NULL, "[{\"a\": 1}]"},		  {"", "[{\"a\": 1}]"},
	{"[]", "[{\"a\": 1}]"},		  {" [ ] ", "[{\"a\": 1}]"},
	{"[1]", "[1, {\"a\": 1}]"},	  {"[\"x\", [2]] ", "[\"x\", [2], {\"a\": 1}]"},
	{"{\"a\": 2}", "[{\"a\": 1}]"},	  {"\"text\"", "[{\"a\": 1}]"},
	{"[1", "[{\"a\": 1}]"},		  {"]", "[{\"a\": 1}]"},
	{"[1] trailing", "[{\"a\": 1}]"},
};

static void an_item_is_appended_to_what_is_a_list(void **state)
{
	(void)state;
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct slice list = slice_from_cstr(rows[i].list_or_null);
		struct slice longer = json_list_append(list, SLICE("{\"a\": 1}"), &arena);
		assert_string_equal(arena_cstr(&arena, longer), rows[i].wanted);
	}
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_is_appended_to_what_is_a_list),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
