/* Word characters of Unicode: the ends of ranges and what is between them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/unicode_word.h"

#include "base/assert.h"

static void letters_marks_and_numbers_are_words(void **state)
{
	static const uint32_t words[] = {'a',	'z',   'A',    'Z',    '0',    '9',	'_',
					 0xAA,	0xB2,  0xDF,   0x3B1,  0x301,  0x430,	0x5D0,
					 0x915, 0x94D, 0x4E00, 0x9FFF, 0xAC00, 0x20000, 0xE01EF};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (!unicode_is_word(words[i]))
			fail_msg("U+%04X", words[i]);
	}
}

static void the_rest_is_not(void **state)
{
	static const uint32_t others[] = {0,	  ' ',	  '-',	  '.',	   '/',	    '@',     '[',
					  '`',	  '{',	  0x7F,	  0x80,	   0x9F,    0xA0,    0xA9,
					  0xAB,	  0xD7,	  0xF7,	  0x2028,  0x200B,  0x2026,  0x2603,
					  0x3000, 0xE000, 0xFFFD, 0x1F600, 0xE01F0, 0x10FFFF};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		if (unicode_is_word(others[i]))
			fail_msg("U+%04X", others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_marks_and_numbers_are_words),
		cmocka_unit_test(the_rest_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
