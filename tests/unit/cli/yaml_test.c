/* Tests that what the writer writes is what the reader reads, and what the reader refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "cli/yaml_reader.h"
#include "cli/yaml_writer.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static void texts_come_back_as_texts(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",	    " ",    "~",    "null", "yes", "No",     "0",    "-1",	   "1.5",
		"1e3",	    ".inf", ".nan", "0x1F", "0b1", "017",    "1:30", "2020-01-02", "=",
		"<<",	    "- a",  "a: b", "a #b", "#b",  "'",	     "\"",   "{a}",	   "[a",
		"&a",	    "*a",   "!a",   "%a",   "@a",  "a\nb\n", "\n\n", "\t",	   "a ",
		"\x1b[31m", "ünï",  "日本", "---",  "...", "? x",    "| x",  "trailing\\",
	};
	struct yaml_writer *w;
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES);
	assert_true(yaml_writer_new(&w, &err));
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct json_value *tree;
		struct slice document;
		yaml_writer_begin(w);
		yaml_put_string(w, "text", slice_from_cstr(texts[i]));
		assert_true(yaml_writer_end(w, &document, &err));
		assert_true(yaml_read(document, &arena, &tree, &err));
		const struct json_value *value = json_tree_get(tree, "text");
		assert_non_null(value);
		assert_int_equal(value->kind, JSON_KIND_STRING);
		assert_true(slice_eq_cstr(value->text, texts[i]));
	}
	yaml_writer_free(w);
	arena_deinit(&arena);
}

static void a_document_looks_as_pyyaml_writes_it(void **state)
{
	(void)state;
	static const char expected[] = "absent: null\n"
				       "empty: {}\n"
				       "list: []\n"
				       "map:\n"
				       "  a: '1'\n"
				       "  b: x\n"
				       "number: -5\n"
				       "word: plain\n";
	struct yaml_writer *w;
	struct slice document;
	struct error err;
	assert_true(yaml_writer_new(&w, &err));
	yaml_writer_begin(w); /* given up: the next begin forgets it */
	yaml_put_string(w, "key", SLICE("value"));
	yaml_writer_begin(w);
	yaml_put_string(w, "absent", (struct slice){0});
	yaml_map_begin(w, "empty", true);
	yaml_map_end(w);
	yaml_put_empty_list(w, "list");
	yaml_map_begin(w, "map", false);
	yaml_put_pair(w, SLICE("a"), SLICE("1"));
	yaml_put_pair(w, SLICE("b"), SLICE("x"));
	yaml_map_end(w);
	yaml_put_int(w, "number", -5);
	yaml_put_string(w, "word", SLICE("plain"));
	assert_true(yaml_writer_end(w, &document, &err));
	assert_true(slice_eq_cstr(document, expected));
	yaml_writer_free(w);
}

static void texts_that_are_not_utf8_fail_and_the_next_document_does_not(void **state)
{
	(void)state;
	struct yaml_writer *w;
	struct slice document;
	struct error err;
	assert_true(yaml_writer_new(&w, &err));
	yaml_writer_begin(w);
	yaml_put_string(w, "key", SLICE("\xff\xfe"));
	yaml_put_string(w, "next", SLICE("good"));
	assert_false(yaml_writer_end(w, &document, &err));
	yaml_writer_begin(w);
	yaml_put_string(w, "key", SLICE("good"));
	assert_true(yaml_writer_end(w, &document, &err));
	assert_true(slice_eq_cstr(document, "key: good\n"));
	yaml_writer_free(w);
}

static void plain_words_are_what_yaml_1_1_says(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		enum json_kind kind;
	} rows[] = {
		{"", JSON_KIND_NULL},
		{"~", JSON_KIND_NULL},
		{"null", JSON_KIND_NULL},
		{"true", JSON_KIND_BOOL},
		{"off", JSON_KIND_BOOL},
		{"12", JSON_KIND_NUMBER},
		{"-1.5", JSON_KIND_NUMBER},
		{"1e3", JSON_KIND_STRING},
		{"nan", JSON_KIND_STRING},
		{"'12'", JSON_KIND_STRING},
		{"\"~\"", JSON_KIND_STRING},
		{"a b", JSON_KIND_STRING},
		{"[]", JSON_KIND_ARRAY},
		{"{a: 1}", JSON_KIND_OBJECT},
		{"2020-01-02", JSON_KIND_STRING},
	};
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_value *tree;
		struct slice text = arena_printf(&arena, "key: %s\n", rows[i].word);
		assert_true(yaml_read(text, &arena, &tree, &err));
		assert_int_equal(json_tree_get(tree, "key")->kind, rows[i].kind);
	}
	arena_deinit(&arena);
}

static void nesting_ends_at_its_limit(void **state)
{
	(void)state;
	struct arena arena;
	struct error err;
	char text[2 * YAML_READER_DEPTH_MAX + 3];
	arena_init(&arena, ARENA_BYTES);
	for (size_t depth = YAML_READER_DEPTH_MAX; depth <= YAML_READER_DEPTH_MAX + 1; depth++) {
		struct json_value *tree;
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		bool ok = yaml_read(slice_make(text, 2 * depth), &arena, &tree, &err);
		assert_int_equal(ok, depth == YAML_READER_DEPTH_MAX);
	}
	assert_non_null(strstr(err.message, "nested too deeply"));
	arena_deinit(&arena);
}

static void what_could_be_used_against_us_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{"a: &x 1\nb: *x\n", "line 1: anchors and tags"},
		{"a: 1\nb: *x\n", "line 2: anchors and tags"},
		{"a: !!python/object:os.system x\n", "anchors and tags"},
		{"a: !own x\n", "anchors and tags"},
		{"a: &x {b: 1}\n", "anchors and tags"},
		{"[a]: 1\n", "a key is a list"},
		{"a: \"cut", "line 1"},
		{"a: 1\n b: 2\n", "line 2"},
		{"a: \xff\n", "line 1"},
	};
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct json_value *tree = NULL;
		assert_false(yaml_read(slice_from_cstr(rows[i].text), &arena, &tree, &err));
		assert_null(tree);
		assert_non_null(strstr(err.message, rows[i].reason));
	}
	arena_deinit(&arena);
}

static void an_empty_text_is_null_and_the_first_document_counts(void **state)
{
	(void)state;
	struct json_value *tree;
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES);
	assert_true(yaml_read(SLICE(""), &arena, &tree, &err));
	assert_int_equal(tree->kind, JSON_KIND_NULL);
	assert_true(yaml_read(SLICE("a: 1\na: 2\n---\na: 3\n"), &arena, &tree, &err));
	assert_int_equal(json_tree_i64(json_tree_get(tree, "a"), 0), 1);
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_come_back_as_texts),
		cmocka_unit_test(a_document_looks_as_pyyaml_writes_it),
		cmocka_unit_test(texts_that_are_not_utf8_fail_and_the_next_document_does_not),
		cmocka_unit_test(plain_words_are_what_yaml_1_1_says),
		cmocka_unit_test(nesting_ends_at_its_limit),
		cmocka_unit_test(what_could_be_used_against_us_is_refused),
		cmocka_unit_test(an_empty_text_is_null_and_the_first_document_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
