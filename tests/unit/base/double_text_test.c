/* Tests that doubles are printed shortest, in Python's form, and read back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/double_text.h"
#include "base/random_id.h"
#include "base/slice.h"
#include "support/death.h"

static void known_doubles_have_known_texts(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{0.0, "0.0"},
		{-0.0, "-0.0"},
		{1.0, "1.0"},
		{5.0, "5.0"},
		{-5.0, "-5.0"},
		{0.1, "0.1"},
		{0.5, "0.5"},
		{100.0, "100.0"},
		{1.5, "1.5"},
		{0.30000000000000004, "0.30000000000000004"},
		{1.0 / 3.0, "0.3333333333333333"},
		{2.0 / 3.0, "0.6666666666666666"},
		{3.141592653589793, "3.141592653589793"},
		{123456.789, "123456.789"},
		{0.0001, "0.0001"},
		{0.00012345, "0.00012345"},
		{0.00001, "1e-05"},
		{1.5e-7, "1.5e-07"},
		{1e-10, "1e-10"},
		{9.9999999999e-11, "9.9999999999e-11"},
		{1e14 + 0.5, "100000000000000.5"},
		{999999999999999.0, "999999999999999.0"},
		{1e15, "1000000000000000.0"},
		{9007199254740991.0, "9007199254740991.0"},
		{9007199254740992.0, "9007199254740992.0"},
		{9999999999999998.0, "9999999999999998.0"},
		{1e16, "1e+16"},
		{1e22, "1e+22"},
		{1e23, "1e+23"},
		{123456789012345680.0, "1.2345678901234568e+17"},
		{1e100, "1e+100"},
		{5e-324, "5e-324"},
		{1e-323, "1e-323"},
		{7.473324481773e-311, "7.473324481773e-311"},
		{1.234e-310, "1.234e-310"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{2.225073858507201e-308, "2.225073858507201e-308"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{-DBL_MAX, "-1.7976931348623157e+308"},
		{4503599627370495.5, "4503599627370495.5"},
		{(double)0.1f, "0.10000000149011612"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char text[DOUBLE_TEXT_BYTES_MAX + 1];
		text[double_text(rows[i].value, text)] = '\0';
		assert_string_equal(text, rows[i].text);
	}
}

static unsigned significant_digits(const char *text)
{
	unsigned count = 0, zeros = 0;
	for (; *text != '\0' && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
			continue;
		zeros = *text == '0' ? zeros + 1 : 0;
		count++;
	}
	return count - zeros;
}

static unsigned fewest_digits(double value)
{
	for (int digits = 1;; digits++) {
		char text[40];
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
		if (strtod(text, NULL) == value)
			return (unsigned)digits;
	}
}

/* Every kind of mantissa at every kind of magnitude: uniform bits, neighbours of powers of two and
 * of decimal numbers, single-precision values. */
static double random_double(unsigned kind)
{
	uint64_t bits;
	double value;
	random_bytes(&bits, sizeof(bits));
	bits &= UINT64_C(0x7FFFFFFFFFFFFFFF);
	switch (kind % 5) {
	case 0: /* the whole range */
		break;
	case 4: /* subnormal: fewer bits */
		bits = (bits & UINT64_C(0xFFFFFFFFFFFFF)) >> random_below(52);
		break;
	case 1: /* the range of metrics */
		bits = (bits & UINT64_C(0xFFFFFFFFFFFFF)) | (980 + random_below(110)) << 52;
		break;
	case 2: /* around powers of two */
		bits = ((980 + random_below(110)) << 52) + random_below(3) - 1;
		break;
	default: /* around short decimals */
		value = (double)random_below(1000000) / pow(10, (double)random_below(12)) + 1e-9;
		memcpy(&bits, &value, sizeof(bits));
		bits += random_below(3) - 1;
	}
	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : 1.0;
}

static void random_doubles_read_back_and_have_the_fewest_digits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		double value = i % 7 == 0 ? (double)(float)random_double(1) : random_double(i);
		char text[DOUBLE_TEXT_BYTES_MAX + 1];
		size_t len = double_text(value, text);
		assert_true(len <= DOUBLE_TEXT_BYTES_MAX);
		text[len] = '\0';
		if (strtod(text, NULL) != value)
			fail_msg("%.17g was printed as %s", value, text);
		if (value != 0 && significant_digits(text) > fewest_digits(value))
			fail_msg("%.17g was printed as %s, longer than needed", value, text);
	}
}

static void print_nan(void *argument)
{
	char text[DOUBLE_TEXT_BYTES_MAX];
	(void)double_text(*(double *)argument, text);
}

static void what_is_not_finite_asserts(void **state)
{
	(void)state;
	double values[] = {(double)NAN, (double)INFINITY};
	assert_true(dies_of_assertion(print_nan, &values[0]));
	assert_true(dies_of_assertion(print_nan, &values[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_doubles_have_known_texts),
		cmocka_unit_test(random_doubles_read_back_and_have_the_fewest_digits),
		cmocka_unit_test(what_is_not_finite_asserts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
