/* The filter language, row by row: tests/data/filter_cases.txt. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "limits.h"
#include "search/experiment_fields.h"
#include "search/run_fields.h"
#include "unit/search/filter_text_helper.h"

enum { ARENA_BYTES = 16 * 1024 * 1024, ROW_BYTES = 4096, ROWS_AT_LEAST = 150 };

struct fixture {
	struct arena arena;
	struct error err;
	struct filter filter;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){0};
	arena_init(&f.arena, ARENA_BYTES);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_deinit(&f->arena);
	return 0;
}

static const struct search_table *table_named(struct slice name)
{
	if (slice_eq_cstr(name, "runs"))
		return &run_search_table;
	assert_true(slice_eq_cstr(name, "experiments"));
	return &experiment_search_table;
}

/* \n, \t, \r, \0, \\ and \xHH. */
static struct slice unescape(struct slice text, struct arena *arena)
{
	char *out = ARENA_NEW(arena, char, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\\') {
			out[len++] = text.ptr[i];
			continue;
		}
		char hex[3] = {0};
		switch (text.ptr[++i]) {
		case 'n':
			out[len++] = '\n';
			break;
		case 't':
			out[len++] = '\t';
			break;
		case 'r':
			out[len++] = '\r';
			break;
		case '0':
			out[len++] = '\0';
			break;
		case 'x':
			memcpy(hex, text.ptr + i + 1, 2);
			out[len++] = (char)strtol(hex, NULL, 16);
			i += 2;
			break;
		default:
			out[len++] = text.ptr[i];
			break;
		}
	}
	return slice_make(out, len);
}

/* Cuts off what is before " | ". */
static struct slice next_column(struct slice *rest)
{
	for (size_t i = 0; i + 3 <= rest->len; i++) {
		if (memcmp(rest->ptr + i, " | ", 3) == 0) {
			struct slice column = slice_first(*rest, i);
			*rest = slice_from(*rest, i + 3);
			return column;
		}
	}
	fail_msg("a row has too few columns: %.*s", SLICE_FMT(*rest));
	return *rest;
}

/* Counts a failure instead of stopping at it, so that one run shows all rows that are wrong. */
static unsigned check_row(struct fixture *f, unsigned line, struct slice row)
{
	struct slice rest = row;
	const struct search_table *table = table_named(next_column(&rest));
	struct slice filter = unescape(next_column(&rest), &f->arena);
	struct slice expected = rest;
	bool wants_error = slice_starts_with(expected, SLICE("! "));
	struct slice got;
	if (wants_error)
		expected = slice_from(expected, 2);
	else
		expected = unescape(expected, &f->arena);
	if (filter_compile(table, filter, &f->arena, &f->filter, &f->err)) {
		got = slice_from_cstr(filter_text(&f->filter, &f->arena));
		if (!wants_error && slice_eq(got, expected))
			return 0;
	} else {
		got = slice_from_cstr(f->err.message);
		if (wants_error && f->err.code == ERR_INVALID_PARAMETER_VALUE &&
		    slice_starts_with(got, expected))
			return 0;
	}
	print_error("line %u: %.*s\n  expected %.*s\n  got      %.*s\n", line, SLICE_FMT(row),
		    SLICE_FMT(expected), SLICE_FMT(got));
	return 1;
}

static void test_every_row_compiles_to_its_tree_or_fails_with_its_error(void **state)
{
	struct fixture *f = *state;
	char text[ROW_BYTES];
	unsigned line = 0, rows = 0, wrong = 0;
	FILE *file = fopen(TESTS_DIR "/data/filter_cases.txt", "r");
	assert_non_null(file);
	while (fgets(text, sizeof(text), file) != NULL) {
		size_t len = strcspn(text, "\n");
		line++;
		if (len == 0 || text[0] == '#')
			continue;
		rows++;
		wrong += check_row(f, line, slice_make(text, len));
	}
	assert_int_equal(fclose(file), 0);
	assert_true(rows >= ROWS_AT_LEAST);
	assert_int_equal(wrong, 0);
}

static void test_an_absent_filter_matches_everything(void **state)
{
	struct fixture *f = *state;
	assert_true(filter_compile(&run_search_table, (struct slice){NULL, 0}, &f->arena,
				   &f->filter, &f->err));
	assert_null(f->filter.root_or_null);
}

static void test_an_error_leaves_the_output_untouched(void **state)
{
	struct fixture *f = *state;
	struct filter_node node = {.kind = FILTER_NOT};
	f->filter.root_or_null = &node;
	assert_false(
		filter_compile(&run_search_table, SLICE("oops"), &f->arena, &f->filter, &f->err));
	assert_ptr_equal(f->filter.root_or_null, &node);
}

/* `count` times `part`, then `end`. */
static struct slice repeated(struct arena *arena, const char *part, size_t count, const char *end)
{
	size_t part_len = strlen(part), end_len = strlen(end);
	char *text = ARENA_NEW(arena, char, part_len *count + end_len + 1);
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * part_len, part, part_len);
	memcpy(text + part_len * count, end, end_len);
	return slice_make(text, part_len * count + end_len);
}

static bool compiles(struct fixture *f, struct slice text)
{
	return filter_compile(&run_search_table, text, &f->arena, &f->filter, &f->err);
}

static void test_nesting_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct slice close = repeated(&f->arena, ")", FILTER_NESTING_MAX, "");
	struct slice at_limit = arena_concat(
		&f->arena, repeated(&f->arena, "(", FILTER_NESTING_MAX, "metrics.a > 1"), close);
	assert_true(compiles(f, at_limit));
	assert_false(compiles(f, arena_concat(&f->arena, SLICE("("),
					      arena_concat(&f->arena, at_limit, SLICE(")")))));
	assert_string_equal(f->err.message,
			    "Invalid clause(s) in filter string: NOT and parentheses are "
			    "nested too deeply at position 32");
	assert_true(compiles(f, repeated(&f->arena, "NOT ", FILTER_NESTING_MAX, "metrics.a > 1")));
	assert_false(
		compiles(f, repeated(&f->arena, "NOT ", FILTER_NESTING_MAX + 1, "metrics.a > 1")));
	assert_false(
		compiles(f, repeated(&f->arena, "(NOT ", FILTER_NESTING_MAX, "metrics.a > 1")));
	/* Depth, not number, is bounded. */
	assert_true(
		compiles(f, repeated(&f->arena, "NOT (metrics.a > 1) OR ", 150, "metrics.a > 1")));
}

static void test_the_number_of_comparisons_is_bounded(void **state)
{
	struct fixture *f = *state;
	assert_true(compiles(f, repeated(&f->arena, "metrics.a > 1 AND ",
					 FILTER_COMPARISONS_MAX - 1, "metrics.b > 2")));
	assert_false(compiles(f, repeated(&f->arena, "metrics.a > 1 AND ", FILTER_COMPARISONS_MAX,
					  "metrics.b > 2")));
	assert_string_equal(f->err.message,
			    "Invalid clause(s) in filter string: it has too many comparisons "
			    "at position 3600");
}

static void test_the_length_is_bounded(void **state)
{
	struct fixture *f = *state;
	assert_true(compiles(f, repeated(&f->arena, " ", FILTER_BYTES_MAX - 13, "metrics.a > 1")));
	assert_false(compiles(f, repeated(&f->arena, " ", FILTER_BYTES_MAX - 12, "metrics.a > 1")));
	assert_string_equal(f->err.message,
			    "Invalid clause(s) in filter string: it is longer than 65536 bytes");
}

static void test_a_list_may_be_long(void **state)
{
	struct fixture *f = *state;
	struct slice list =
		repeated(&f->arena, "'0123456789abcdef0123456789abcdef',", 1000, "'x')");
	assert_true(compiles(f, arena_concat(&f->arena, SLICE("run_id IN ("), list)));
	const struct filter_value *value = &f->filter.root_or_null->comparison.value;
	assert_int_equal(value->item_count, 1001);
	assert_true(slice_eq_cstr(value->items[999], "0123456789abcdef0123456789abcdef"));
	assert_true(slice_eq_cstr(value->items[1000], "x"));
}

static void test_every_cut_of_a_filter_is_refused_or_accepted_cleanly(void **state)
{
	struct fixture *f = *state;
	struct slice whole =
		SLICE("NOT (metrics.`a b` >= -1.5e3 OR run_id NOT IN ('ü', \"y\",)) AND "
		      "params.\"x\" ILIKE '%' AND tags.t IS NOT NULL");
	for (size_t len = 0; len <= whole.len; len++) {
		/* A copy of the very size, so that a read behind its end is seen. */
		char *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy, whole.ptr, len);
		struct slice text = slice_make(realloc(copy, len == 0 ? 1 : len), len);
		assert_non_null(text.ptr);
		bool ok = compiles(f, text);
		assert_true(ok || f->err.message[0] != '\0');
		if (len == whole.len)
			assert_true(ok);
		free((void *)(uintptr_t)text.ptr);
	}
}

static void test_mentions_finds_a_key_anywhere_in_its_family_only(void **state)
{
	struct fixture *f = *state;
	assert_true(
		compiles(f, SLICE("metrics.a > 1 AND NOT (params.p = 'x' OR tags.`t u` = 'y')")));
	assert_true(filter_mentions(&f->filter, "tag", "t u"));
	assert_true(filter_mentions(&f->filter, "metric", "a"));
	assert_false(filter_mentions(&f->filter, "tag", "p"));
	assert_false(filter_mentions(&f->filter, "tag", "t"));
	assert_true(compiles(f, SLICE("")));
	assert_false(filter_mentions(&f->filter, "tag", "t"));
}

static void test_a_message_stays_bounded_and_printable(void **state)
{
	struct fixture *f = *state;
	assert_false(compiles(f, repeated(&f->arena, "x\xc3\xbc", 5000, ".key = 'v'")));
	assert_true(strlen(f->err.message) < 400);
	assert_true(slice_is_utf8(slice_from_cstr(f->err.message)));
	assert_false(compiles(f, SLICE("metrics.a = 'a\x1b[31m'")));
	assert_null(strchr(f->err.message, '\x1b'));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_row_compiles_to_its_tree_or_fails_with_its_error),
		TEST(test_an_absent_filter_matches_everything),
		TEST(test_an_error_leaves_the_output_untouched),
		TEST(test_nesting_is_bounded),
		TEST(test_the_number_of_comparisons_is_bounded),
		TEST(test_the_length_is_bounded),
		TEST(test_a_list_may_be_long),
		TEST(test_every_cut_of_a_filter_is_refused_or_accepted_cleanly),
		TEST(test_mentions_finds_a_key_anywhere_in_its_family_only),
		TEST(test_a_message_stays_bounded_and_printable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
