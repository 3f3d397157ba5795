/* Tests the form of log lines, levels and that lines of threads do not mix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char captured[256 * 1024];

/* Standard error goes to a file between begin and end, and what was written to `captured`. */
struct capture {
	int file;
	int saved;
};

static struct capture capture_begin(void)
{
	char path[] = "/tmp/trackerd-log-XXXXXX";
	struct capture c = {.file = mkstemp(path), .saved = dup(STDERR_FILENO)};
	assert_true(c.file >= 0 && c.saved >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(dup2(c.file, STDERR_FILENO), STDERR_FILENO);
	return c;
}

static void capture_end(struct capture c)
{
	assert_int_equal(dup2(c.saved, STDERR_FILENO), STDERR_FILENO);
	/* The file's position is shared with the descriptor that was written to. */
	ssize_t got = pread(c.file, captured, sizeof(captured) - 1, 0);
	assert_true(got >= 0);
	captured[got] = '\0';
	assert_int_equal(close(c.file), 0);
	assert_int_equal(close(c.saved), 0);
}

static unsigned count_lines(void)
{
	unsigned count = 0;
	for (const char *at = captured; *at != '\0'; at++)
		count += *at == '\n';
	return count;
}

/* Behind "time=2026-03-01T12:00:00.123Z ". */
static const char *after_time(const char *line)
{
	assert_memory_equal(line, "time=", 5);
	assert_int_equal(line[29], ' ');
	assert_int_equal(line[28], 'Z');
	return line + 30;
}

static void a_line_has_time_level_event_and_fields(void **state)
{
	(void)state;
	struct capture c = capture_begin();
	log_event(LOG_INFO, "group_committed", "jobs=%d fsync_us=%lld", 32, 410LL);
	capture_end(c);
	assert_string_equal(after_time(captured),
			    "level=info event=group_committed jobs=32 fsync_us=410\n");
	c = capture_begin();
	log_event(LOG_ERROR, "stopped", "%s", "");
	capture_end(c);
	assert_string_equal(after_time(captured), "level=error event=stopped \n");
}

static void lines_below_the_level_are_dropped(void **state)
{
	(void)state;
	struct capture c = capture_begin();
	log_event(LOG_DEBUG, "hidden", "a=%d", 1);
	log_level_set(LOG_WARN);
	log_event(LOG_INFO, "hidden", "a=%d", 1);
	assert_false(log_is_enabled(LOG_INFO));
	assert_true(log_is_enabled(LOG_WARN));
	log_level_set(LOG_DEBUG);
	log_event(LOG_DEBUG, "shown", "a=%d", 1);
	log_level_set(LOG_INFO);
	capture_end(c);
	assert_int_equal(count_lines(), 1);
	assert_non_null(strstr(captured, "level=debug event=shown a=1\n"));
}

static void lines_are_cut_at_their_limit_and_cannot_be_forged(void **state)
{
	(void)state;
	struct capture c = capture_begin();
	log_event(LOG_INFO, "long", "a=%*s", 5000, "x");
	capture_end(c);
	assert_int_equal(count_lines(), 1);
	assert_true(strlen(captured) < LOG_LINE_BYTES_MAX);
	assert_true(strlen(captured) >= LOG_LINE_BYTES_MAX - 2);
	c = capture_begin();
	log_event(LOG_INFO, "forged", "a=%s", "x\ntime=0 level=error\x1B[0m");
	capture_end(c);
	assert_int_equal(count_lines(), 1);
	assert_non_null(strstr(captured, "a=x time=0 level=error [0m\n"));
}

static void warnings_are_held_back_but_info_is_not(void **state)
{
	(void)state;
	struct capture c = capture_begin();
	for (int i = 0; i < LOG_REPEAT_MAX + 5; i++)
		log_event(LOG_WARN, "repeated_warning", "i=%d", i);
	capture_end(c);
	assert_int_equal(count_lines(), LOG_REPEAT_MAX);
	c = capture_begin();
	for (int i = 0; i < LOG_REPEAT_MAX + 5; i++)
		log_event(LOG_INFO, "repeated_info", "i=%d", i);
	capture_end(c);
	assert_int_equal(count_lines(), LOG_REPEAT_MAX + 5);
}

static void values_are_quoted_when_they_need_it(void **state)
{
	(void)state;
	static const struct {
		struct slice value;
		unsigned long bytes;
		const char *quoted;
	} rows[] = {
		{{"abc-1.5/x", 9}, 32, "abc-1.5/x"},
		{{"", 0}, 32, "\"\""},
		{{NULL, 0}, 32, "\"\""},
		{{"a b", 3}, 32, "\"a b\""},
		{{"a=b", 3}, 32, "\"a=b\""},
		{{" ab", 3}, 32, "\" ab\""},
		{{"a\"b\\c", 5}, 32, "\"a\\\"b\\\\c\""},
		{{"a\n\r\t\0\x1B\x7F", 7}, 32, "\"a\\n\\r\\t\\u0000\\u001b\\u007f\""},
		{{"\xC3\xA4\xFF", 3}, 32, "\"\xC3\xA4?\""},
		{{"abcdef", 6}, 7, "abcdef"},
		{{"abcdef", 6}, 6, "\"abc\""},
		{{"ab \xE2\x82\xAC", 6}, 8, "\"ab \""},
		{{"a\xE2\x82\xAC", 3}, 32, "\"a??\""}, /* the slice ends inside a code point */
		{{"a b", 3}, 3, "\"\""},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char quoted[40];
		memset(quoted, 'Q', sizeof(quoted));
		assert_ptr_equal(log_quote(rows[i].value, quoted, rows[i].bytes), quoted);
		assert_string_equal(quoted, rows[i].quoted);
		assert_int_equal(quoted[rows[i].bytes], 'Q');
	}
}

static void levels_have_names(void **state)
{
	(void)state;
	static const char *const names[] = {"debug", "info", "warn", "error"};
	enum log_level level = LOG_ERROR;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		assert_true(log_level_parse(slice_from_cstr(names[i]), &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse(SLICE("Info"), &level));
	assert_false(log_level_parse(SLICE(""), &level));
	assert_int_equal(level, LOG_ERROR);
}

enum { THREADS = 8, LINES_PER_THREAD = 200 };

static void *write_lines(void *argument)
{
	for (int i = 0; i < LINES_PER_THREAD; i++) {
		log_event(LOG_INFO, "threaded", "text=%s", "0123456789012345678901234567890123456789");
		log_event(LOG_WARN, "threaded_warning", "text=%s", "abc");
	}
	return argument;
}

static void lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	struct capture c = capture_begin();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	capture_end(c);
	unsigned infos = 0, warnings = 0;
	char *rest = captured, *line;
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		const char *text = after_time(line);
		infos += strcmp(text, "level=info event=threaded "
				      "text=0123456789012345678901234567890123456789") == 0;
		warnings += strcmp(text, "level=warn event=threaded_warning text=abc") == 0;
	}
	assert_int_equal(infos, THREADS * LINES_PER_THREAD);
	assert_int_equal(warnings, LOG_REPEAT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_time_level_event_and_fields),
		cmocka_unit_test(lines_below_the_level_are_dropped),
		cmocka_unit_test(lines_are_cut_at_their_limit_and_cannot_be_forged),
		cmocka_unit_test(warnings_are_held_back_but_info_is_not),
		cmocka_unit_test(values_are_quoted_when_they_need_it),
		cmocka_unit_test(levels_have_names),
		cmocka_unit_test(lines_of_threads_do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
