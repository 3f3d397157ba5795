/* Page tokens: round trips, and everything that must be refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "search/page_token.h"
#include "search/run_fields.h"

enum { TERMS = 6 };

struct fixture {
	struct arena arena;
	struct error err;
	struct order_by order;
	struct order_key keys[TERMS];
	uint64_t query;
	struct slice token;
	const struct order_key *got;
};

static int set_up(void **state)
{
	static struct fixture f;
	const struct slice clauses[] = {
		SLICE("metrics.a"),
		SLICE("metrics.b"),
		SLICE("tags.c"),
		SLICE("end_time"),
	};
	f = (struct fixture){0};
	arena_init(&f.arena, 4 * 1024 * 1024);
	assert_true(order_by_compile(&run_search_table, clauses, 4, &f.arena, &f.order, &f.err));
	assert_int_equal(f.order.count, TERMS);
	const struct order_key keys[TERMS] = {
		{.kind = ORDER_KEY_REAL, .real = -0.1},
		{.kind = ORDER_KEY_NULL},
		{.kind = ORDER_KEY_MISSING},
		{.kind = ORDER_KEY_INTEGER, .integer = INT64_MIN},
		{.kind = ORDER_KEY_INTEGER, .integer = INT64_MAX},
		{.kind = ORDER_KEY_TEXT,
		 .text = SLICE("\x01\xff"
			       "abc")},
	};
	memcpy(f.keys, keys, sizeof(keys));
	f.query = page_query_text(page_query_begin("runs"), SLICE("a filter"));
	f.token = page_token_encode(f.query, f.keys, TERMS, &f.arena);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	arena_deinit(&f->arena);
	return 0;
}

static bool decode(struct fixture *f, struct slice token, uint64_t query)
{
	return page_token_decode(token, query, &f->order, &f->arena, &f->got, &f->err);
}

static void test_keys_come_back_exactly(void **state)
{
	struct fixture *f = *state;
	assert_true(decode(f, f->token, f->query));
	for (size_t i = 0; i < TERMS; i++) {
		assert_int_equal(f->got[i].kind, f->keys[i].kind);
		assert_true(f->got[i].integer == f->keys[i].integer);
		assert_memory_equal(&f->got[i].real, &f->keys[i].real, sizeof(double));
		assert_true(slice_eq(f->got[i].text, f->keys[i].text));
	}
}

static void test_infinities_come_back(void **state)
{
	struct fixture *f = *state;
	f->keys[0].real = -(double)INFINITY;
	assert_true(decode(f, page_token_encode(f->query, f->keys, TERMS, &f->arena), f->query));
	assert_true(isinf(f->got[0].real) && f->got[0].real < 0);
}

static void test_a_token_is_safe_in_a_query_string(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < f->token.len; i++)
		assert_non_null(
			strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			       f->token.ptr[i]));
}

static void test_no_token_is_the_first_page(void **state)
{
	struct fixture *f = *state;
	assert_true(decode(f, (struct slice){NULL, 0}, f->query));
	assert_null(f->got);
	assert_true(decode(f, SLICE(""), f->query));
	assert_null(f->got);
}

static void test_a_token_of_another_query_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_false(decode(f, f->token, f->query + 1));
	assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
	assert_non_null(strstr(f->err.message, "Invalid page token"));
}

static void test_a_token_of_another_order_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct slice clause = SLICE("metrics.a");
	struct order_by other;
	assert_true(order_by_compile(&run_search_table, &clause, 1, &f->arena, &other, &f->err));
	assert_false(page_token_decode(f->token, f->query, &other, &f->arena, &f->got, &f->err));
	/* Well made, but of kinds that this order does not have. */
	struct slice token = page_token_encode(f->query, f->keys + 3, 3, &f->arena);
	assert_false(page_token_decode(token, f->query, &other, &f->arena, &f->got, &f->err));
}

static void test_every_cut_token_is_refused(void **state)
{
	struct fixture *f = *state;
	for (size_t len = 1; len < f->token.len; len++)
		assert_false(decode(f, slice_first(f->token, len), f->query));
}

static void test_every_altered_token_is_refused(void **state)
{
	struct fixture *f = *state;
	char *copy = arena_cstr(&f->arena, f->token);
	for (size_t i = 0; i < f->token.len; i++) {
		char was = copy[i];
		static const char others[] = "A_z0+/= \n\x80";
		for (size_t n = 0; n < sizeof(others); n++) {
			copy[i] = others[n];
			if (others[n] != was)
				assert_false(decode(f, slice_make(copy, f->token.len), f->query));
		}
		copy[i] = was;
	}
	assert_true(decode(f, slice_make(copy, f->token.len), f->query));
}

static void test_rubbish_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct slice rows[] = {
		SLICE("A"),
		SLICE("x y"),
		SLICE("eyJvZmZzZXQiOiAxMDB9"),
		SLICE("AAAAAAAAAAA"),
		SLICE("\xff\xfe\xfd"),
		SLICE("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		SLICE("../../etc/passwd"),
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		assert_false(decode(f, rows[i], f->query));
}

static void test_parts_of_a_query_cannot_run_into_each_other(void **state)
{
	(void)state;
	uint64_t begin = page_query_begin("runs");
	const struct slice ab[] = {SLICE("a"), SLICE("b")};
	const struct slice one[] = {SLICE("ab")};
	const uint64_t digests[] = {
		begin,
		page_query_begin("experiments"),
		page_query_text(begin, SLICE("")),
		page_query_text(begin, (struct slice){NULL, 0}),
		page_query_text(page_query_text(begin, SLICE("ab")), SLICE("")),
		page_query_text(page_query_text(begin, SLICE("a")), SLICE("b")),
		page_query_texts(begin, ab, 2),
		page_query_texts(begin, one, 1),
		page_query_texts(begin, NULL, 0),
		page_query_i64(begin, 1),
		page_query_i64(begin, 2),
	};
	for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
		for (size_t n = 0; n < i; n++)
			assert_true(digests[i] != digests[n]);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys_come_back_exactly),
		TEST(test_infinities_come_back),
		TEST(test_a_token_is_safe_in_a_query_string),
		TEST(test_no_token_is_the_first_page),
		TEST(test_a_token_of_another_query_is_refused),
		TEST(test_a_token_of_another_order_is_refused),
		TEST(test_every_cut_token_is_refused),
		TEST(test_every_altered_token_is_refused),
		TEST(test_rubbish_is_refused),
		TEST(test_parts_of_a_query_cannot_run_into_each_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
