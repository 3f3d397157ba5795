#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "src/status.h"

static void test_every_status_has_a_text_of_its_own(void **state)
{
	(void)state;
	for (int i = TRK_OK; i <= TRK_SYSTEM; i++) {
		assert_string_not_equal(trk_strerror((enum trk_status)i), "unknown status");
		for (int k = TRK_OK; k < i; k++)
			assert_string_not_equal(trk_strerror((enum trk_status)i),
						trk_strerror((enum trk_status)k));
	}
	assert_string_equal(trk_strerror((enum trk_status)(TRK_SYSTEM + 1)), "unknown status");
}

static void test_system_errors_become_sentences(void **state)
{
	(void)state;
	struct error err;
	assert_false(status_disk_error(&err, ENOSPC, "cannot write"));
	assert_string_equal(err.message, "cannot write: No space left on device");
	assert_int_equal(status_of_error(&err), TRK_DISK);
	assert_false(status_file_error(&err, ENOENT, "open", "a\nb"));
	assert_string_equal(err.message, "cannot open a?b: No such file or directory");
	assert_int_equal(status_of_error(&err), TRK_FILE);
}

static void test_texts_are_cut_to_fit(void **state)
{
	(void)state;
	char text[4] = "xyz";
	status_copy_text("abcdef", text, sizeof text);
	assert_string_equal(text, "abc");
	status_copy_text("abcdef", NULL, 0);
	status_copy_text("abcdef", text, 0);
	assert_string_equal(text, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_status_has_a_text_of_its_own),
		cmocka_unit_test(test_system_errors_become_sentences),
		cmocka_unit_test(test_texts_are_cut_to_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
