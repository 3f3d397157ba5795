/* The shapes of requests, and the line that each becomes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json_scanner.h"
#include "serve/inputs.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

static const struct {
	const char *body, *line; /* without {"id":7, and } */
} taken[] = {
	{"{\"dataframe_split\":{\"columns\":[\"a\",\"b\"],\"data\":[[1,\"x\"],[2.50,null]]}}",
	 "\"records\":[{\"a\":1,\"b\":\"x\"},{\"a\":2.50,\"b\":null}]"},
	{"{\"dataframe_split\":{\"data\":[],\"index\":[],\"columns\":[]}}", "\"records\":[]"},
	{"{\"dataframe_split\":{\"data\":[[],[]],\"columns\":[]}}", "\"records\":[{},{}]"},
	{"{\"dataframe_split\":{\"columns\":[0,-1,\"q\\\"\"],\"data\":[[[1,{}],true,false]]}}",
	 "\"records\":[{\"0\":[1,{}],\"-1\":true,\"q\\\"\":false}]"},
	{"{\"dataframe_records\":[{\"a\":1},{\"b\":[2]}]}", "\"records\":[{\"a\":1},{\"b\":[2]}]"},
	{"{\"dataframe_records\":[]}", "\"records\":[]"},
	{"{\"instances\":[{\"a\":1}]}", "\"records\":[{\"a\":1}]"},
	{"{\"instances\":[{\"a\":1},2]}", "\"inputs\":[{\"a\":1},2]"},
	{"{\"instances\":[]}", "\"inputs\":[]"},
	{"{\"inputs\":[[1.0,2e3]]}", "\"inputs\":[[1.0,2e3]]"},
	{"{\"inputs\":[{\"a\":1}]}", "\"records\":[{\"a\":1}]"},
	{"{\"inputs\":{\"a\":[1,2],\"b\":[\"x\",[3]]}}",
	 "\"records\":[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":[3]}]"},
	{"{\"inputs\":{\"a\":[]}}", "\"records\":[]"},
	{"{\"inputs\":{\"a\":[1],\"b\":[]}}", "\"inputs\":{\"a\":[1],\"b\":[]}"},
	{"{\"inputs\":{\"a\":[1],\"b\":2}}", "\"inputs\":{\"a\":[1],\"b\":2}"},
	{"{\"inputs\":{}}", "\"inputs\":{}"},
	{"{\"inputs\":\"text\"}", "\"inputs\":\"text\""},
	{"{\"inputs\":null}", "\"inputs\":null"},
	{" {\n\"inputs\" :\r\n [ 1 ,\n\t2 ] } ", "\"inputs\":[ 1 , \t2 ]"},
	{"{\"inputs\":[1],\"params\":{\"k\":1}}", "\"inputs\":[1],\"params\":{\"k\":1}"},
	{"{\"params\":{},\"inputs\":[1],\"other\":[{}]}", "\"inputs\":[1],\"params\":{}"},
	{"{\"inputs\":NaN}", "\"inputs\":null"},
	{"{\"inputs\":[[NaN,-Infinity],\"NaN\"],\"params\":{\"NaN\":Infinity}}",
	 "\"inputs\":[[null,-1e999],\"NaN\"],\"params\":{\"NaN\":1e999}"},
	{"{\"dataframe_split\":{\"columns\":[\"a\",\"b\"],\"data\":[[NaN,1e999]]}}",
	 "\"records\":[{\"a\":null,\"b\":1e999}]"},
	{"{\"inputs\":{\"a\":[NaN,1],\"b\":[Infinity,2]}}",
	 "\"records\":[{\"a\":null,\"b\":1e999},{\"a\":1,\"b\":2}]"},
};

static const struct {
	const char *body, *said;
} refused[] = {
	{"", "not JSON"},
	{"{", "not JSON"},
	{"{\"inputs\":1}}", "not JSON"},
	{"{\"inputs\":nan}", "not JSON: a value was expected, at byte 10"},
	{"{\"inputs\":[NaN,NaN,x]}", "not JSON: a value was expected, at byte 19"},
	{"{\"dataframe_split\":{\"columns\":[NaN],\"data\":[]}}",
	 "Column 0 of dataframe_split has no name"},
	{"{\"inputs\":\"\xff\"}", "not JSON: not UTF-8, at byte 11"},
	{"[]", "must be a JSON object"},
	{"1", "must be a JSON object"},
	{"{}", "it has 0 of them"},
	{"{\"Inputs\":1}", "it has 0 of them"},
	{"{\"inputs\":1,\"instances\":[]}", "it has 2 of them"},
	{"{\"inputs\":1,\"inputs\":2}", "\"inputs\" twice"},
	{"{\"inputs\":1,\"params\":[]}", "params must be an object"},
	{"{\"instances\":{}}", "instances must be a list"},
	{"{\"dataframe_records\":{}}", "dataframe_records must be a list"},
	{"{\"dataframe_records\":[{},1,{}]}", "Item 1 of dataframe_records is no object"},
	{"{\"dataframe_split\":[]}", "must be an object with columns and data"},
	{"{\"dataframe_split\":{\"data\":[]}}", "must have the lists columns and data"},
	{"{\"dataframe_split\":{\"columns\":[]}}", "must have the lists columns and data"},
	{"{\"dataframe_split\":{\"columns\":[null],\"data\":[]}}",
	 "Column 0 of dataframe_split has no name"},
	{"{\"dataframe_split\":{\"columns\":[\"a\"],\"data\":[[1],2]}}",
	 "Row 1 of dataframe_split is no list"},
	{"{\"dataframe_split\":{\"columns\":[\"a\"],\"data\":[[1],[]]}}",
	 "Row 1 of dataframe_split has 0 cells"},
	{"{\"dataframe_split\":{\"columns\":[\"a\"],\"data\":[[1,2]]}}",
	 "has more than the 1 cells"},
};

static bool make_line(const char *body, size_t line_bytes_max, struct buffer *out,
		      struct error *err)
{
	buffer_init(out, line_bytes_max);
	/* In memory of its own, so that a byte too far is seen. */
	size_t len = strlen(body);
	char *copy = malloc(len + 1);
	assert_non_null(copy);
	memcpy(copy, body, len);
	bool ok = inputs_from_json(slice_make(copy, len), 7, out, err);
	free(copy);
	return ok;
}

static void test_shapes_become_records_or_inputs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(taken); i++) {
		struct buffer line;
		struct error err;
		char wanted[512];
		(void)snprintf(wanted, sizeof(wanted), "{\"id\":7,%s}\n", taken[i].line);
		if (!make_line(taken[i].body, LINE_BYTES_MAX, &line, &err))
			fail_msg("%s: %s", taken[i].body, err.message);
		buffer_append_byte(&line, '\0');
		assert_string_equal(line.ptr_or_null, wanted);
		buffer_deinit(&line);
	}
}

static void test_what_is_no_request_is_refused_with_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		struct buffer line;
		struct error err;
		if (make_line(refused[i].body, LINE_BYTES_MAX, &line, &err))
			fail_msg("%s was taken", refused[i].body);
		assert_int_equal(err.code, ERR_BAD_REQUEST);
		if (strstr(err.message, refused[i].said) == NULL)
			fail_msg("%s: %s", refused[i].body, err.message);
		buffer_deinit(&line);
	}
}

/* Cut anywhere, a request is refused. */
static void test_a_part_of_a_request_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(taken); i++) {
		char body[512];
		size_t len = strlen(slice_trim(slice_from_cstr(taken[i].body)).ptr);
		while (taken[i].body[len - 1] != '}')
			len--;
		for (size_t cut = 0; cut < len - 1; cut++) {
			struct buffer line;
			struct error err;
			(void)snprintf(body, sizeof(body), "%.*s", (int)cut, taken[i].body);
			assert_false(make_line(body, LINE_BYTES_MAX, &line, &err));
			buffer_deinit(&line);
		}
	}
}

static void test_a_line_may_have_so_many_bytes_and_no_more(void **state)
{
	(void)state;
	const char *body =
		"{\"dataframe_split\":{\"columns\":[\"abcdefgh\"],\"data\":[[1],[2],[3]]}}";
	size_t bytes = strlen(
		"{\"id\":7,\"records\":[{\"abcdefgh\":1},{\"abcdefgh\":2},{\"abcdefgh\":3}]}\n");
	struct buffer line;
	struct error err;
	assert_true(make_line(body, bytes, &line, &err));
	assert_int_equal(line.len, bytes);
	buffer_deinit(&line);
	assert_false(make_line(body, bytes - 1, &line, &err));
	assert_int_equal(err.code, ERR_REQUEST_TOO_LARGE);
	buffer_deinit(&line);
}

static void check_columns(size_t count, bool is_split, bool are_records)
{
	struct buffer body, line;
	struct error err;
	buffer_init(&body, (size_t)16 * 1024 * 1024);
	buffer_init(&line, (size_t)64 * 1024 * 1024);
	buffer_append_cstr(&body,
			   is_split ? "{\"dataframe_split\":{\"columns\":[" : "{\"inputs\":{");
	for (size_t i = 0; i < count; i++)
		buffer_printf(&body, is_split ? "%s%zu" : "%s\"%zu\":[1]", i > 0 ? "," : "", i);
	buffer_append_cstr(&body, is_split ? "],\"data\":[]}}" : "}}");
	bool ok = inputs_from_json(buffer_slice(&body), 1, &line, &err);
	assert_int_equal(ok, are_records || !is_split);
	if (ok)
		assert_int_equal(
			slice_starts_with(buffer_slice(&line), SLICE("{\"id\":1,\"records\":")),
			are_records);
	buffer_deinit(&line);
	buffer_deinit(&body);
}

static void test_there_may_be_so_many_columns_and_no_more(void **state)
{
	(void)state;
	check_columns(INPUTS_COLUMNS_MAX, true, true);
	check_columns(INPUTS_COLUMNS_MAX + 1, true, false);
	check_columns(INPUTS_COLUMNS_MAX, false, true);
	check_columns(INPUTS_COLUMNS_MAX + 1, false, false); /* then it is passed on as it came */
}

static void test_the_probe_is_a_line_of_json(void **state)
{
	(void)state;
	struct buffer line;
	buffer_init(&line, 100);
	inputs_probe(UINT64_MAX, &line);
	assert_true(slice_eq_cstr(buffer_slice(&line),
				  "{\"id\":18446744073709551615,\"probe\":true}\n"));
	buffer_deinit(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes_become_records_or_inputs),
		cmocka_unit_test(test_what_is_no_request_is_refused_with_a_sentence),
		cmocka_unit_test(test_a_part_of_a_request_is_refused),
		cmocka_unit_test(test_a_line_may_have_so_many_bytes_and_no_more),
		cmocka_unit_test(test_there_may_be_so_many_columns_and_no_more),
		cmocka_unit_test(test_the_probe_is_a_line_of_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
