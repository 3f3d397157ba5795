/* Signatures, against values computed elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "outgoing/signature.h"

#include "base/assert.h"

static void signatures_are_those_of_others(void **state)
{
	// clang-format off
	static const struct { const char *secret, *content, *signature; } rows[] = {
		{"key", "The quick brown fox jumps over the lazy dog", "v1,97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="},
		{"", "", "v1,thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0="},
	};
	// clang-format on
	char signature[SIGNATURE_BYTES];
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		signature_make(slice_from_cstr(rows[i].secret), slice_from_cstr(rows[i].content),
			       signature);
		assert_string_equal(signature, rows[i].signature);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(signatures_are_those_of_others)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
