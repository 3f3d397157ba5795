#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/segment.h"

enum { BYTES = 4096, RECORDS = 20, FIRST = 41 };

static size_t payload_len(int i)
{
	return (size_t)(i * 7) % 23 + 1;
}

/* A segment of RECORDS records; ends[i] is where record i ends. */
static size_t fill(char *bytes, size_t ends[RECORDS])
{
	memset(bytes, 0, BYTES);
	segment_write_header(bytes, 3, FIRST);
	size_t offset = SEGMENT_HEADER_BYTES;
	for (int i = 0; i < RECORDS; i++) {
		char payload[32];
		memset(payload, 'a' + i, sizeof payload);
		segment_write_record(bytes + offset, FIRST + (uint64_t)i,
				     slice_make(payload, payload_len(i)));
		offset += segment_record_bytes(payload_len(i));
		ends[i] = offset;
	}
	return offset;
}

static int count_records(const char *bytes, size_t len, enum segment_read *last)
{
	struct segment_reader r;
	struct segment_header header;
	uint64_t sequence;
	struct slice payload;
	int count = 0;
	if (!segment_reader_init(&r, slice_make(bytes, len), &header)) {
		*last = SEGMENT_TORN;
		return 0;
	}
	while ((*last = segment_reader_next(&r, &sequence, &payload)) == SEGMENT_RECORD) {
		assert_int_equal(sequence, FIRST + count);
		assert_int_equal(payload.len, payload_len(count));
		assert_int_equal(payload.ptr[payload.len - 1], 'a' + count);
		count++;
	}
	return count;
}

static void test_records_come_back_in_order(void **state)
{
	(void)state;
	char bytes[BYTES];
	size_t ends[RECORDS];
	enum segment_read last;
	(void)fill(bytes, ends);
	assert_int_equal(count_records(bytes, BYTES, &last), RECORDS);
	assert_int_equal(last, SEGMENT_END);
}

static void test_a_file_cut_at_any_byte_gives_exactly_the_whole_records_before(void **state)
{
	(void)state;
	char bytes[BYTES];
	size_t ends[RECORDS];
	enum segment_read last;
	size_t used = fill(bytes, ends);
	for (size_t cut = 0; cut <= used; cut++) {
		/* A heap copy of exactly that size: a read beyond it is an error of the
		 * sanitizer. */
		char *copy = malloc(cut + 1);
		assert_non_null(copy);
		char *exact = realloc(copy, cut == 0 ? 1 : cut);
		assert_non_null(exact);
		memcpy(exact, bytes, cut);
		int whole = 0;
		while (whole < RECORDS && ends[whole] <= cut)
			whole++;
		assert_int_equal(count_records(exact, cut, &last), whole);
		bool is_clean =
			cut == SEGMENT_HEADER_BYTES || (whole > 0 && ends[whole - 1] == cut);
		assert_int_equal(last, is_clean ? SEGMENT_END : SEGMENT_TORN);
		free(exact);
	}
}

static void test_a_record_written_up_to_any_byte_is_no_record(void **state)
{
	(void)state;
	char bytes[BYTES];
	char partial[BYTES];
	size_t ends[RECORDS];
	enum segment_read last;
	(void)fill(bytes, ends);
	/* The last record's bytes from `cut` on are still the zeros of a fresh file. */
	size_t begin = ends[RECORDS - 2];
	size_t content_end = begin + SEGMENT_RECORD_HEADER_BYTES + payload_len(RECORDS - 1);
	for (size_t cut = begin; cut < content_end; cut++) {
		memcpy(partial, bytes, sizeof bytes);
		memset(partial + cut, 0, BYTES - cut);
		assert_int_equal(count_records(partial, BYTES, &last), RECORDS - 1);
	}
}

static void test_any_flipped_bit_is_noticed(void **state)
{
	(void)state;
	char bytes[BYTES];
	size_t ends[RECORDS];
	enum segment_read last;
	(void)fill(bytes, ends);
	size_t begin = ends[3];
	size_t content_end = begin + SEGMENT_RECORD_HEADER_BYTES + payload_len(4);
	for (size_t i = 0; i < content_end - begin; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[begin + i] = (char)(bytes[begin + i] ^ (1 << bit));
			assert_int_equal(count_records(bytes, BYTES, &last), 4);
			assert_int_equal(last, SEGMENT_TORN);
			bytes[begin + i] = (char)(bytes[begin + i] ^ (1 << bit));
		}
	}
	for (size_t i = 0; i < SEGMENT_HEADER_BYTES; i++) {
		bytes[i] = (char)(bytes[i] ^ 1);
		assert_int_equal(count_records(bytes, BYTES, &last), 0);
		bytes[i] = (char)(bytes[i] ^ 1);
	}
}

static void test_records_of_an_earlier_use_are_not_read(void **state)
{
	(void)state;
	char bytes[BYTES];
	size_t ends[RECORDS];
	enum segment_read last;
	(void)fill(bytes, ends);
	/* Whole, but not the next number. */
	segment_write_record(bytes + ends[RECORDS - 1], FIRST + RECORDS + 5, SLICE("late"));
	assert_int_equal(count_records(bytes, BYTES, &last), RECORDS);
	assert_int_equal(last, SEGMENT_TORN);
}

static void test_the_longest_payload_fits_and_one_more_is_refused(void **state)
{
	(void)state;
	size_t room = SEGMENT_HEADER_BYTES + segment_record_bytes(SEGMENT_PAYLOAD_BYTES_MAX);
	char *bytes = calloc(1, room);
	char *payload = calloc(1, SEGMENT_PAYLOAD_BYTES_MAX);
	struct segment_reader r;
	struct segment_header header;
	uint64_t sequence;
	struct slice got;
	assert_true(bytes != NULL && payload != NULL);
	segment_write_header(bytes, 1, 1);
	segment_write_record(bytes + SEGMENT_HEADER_BYTES, 1,
			     slice_make(payload, SEGMENT_PAYLOAD_BYTES_MAX));
	assert_true(segment_reader_init(&r, slice_make(bytes, room), &header));
	assert_int_equal(segment_reader_next(&r, &sequence, &got), SEGMENT_RECORD);
	assert_int_equal(got.len, SEGMENT_PAYLOAD_BYTES_MAX);
	const uint32_t too_long = SEGMENT_PAYLOAD_BYTES_MAX + 1;
	memcpy(bytes + SEGMENT_HEADER_BYTES + 4, &too_long, sizeof too_long);
	assert_true(segment_reader_init(&r, slice_make(bytes, room), &header));
	assert_int_equal(segment_reader_next(&r, &sequence, &got), SEGMENT_TORN);
	free(bytes);
	free(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_come_back_in_order),
		cmocka_unit_test(
			test_a_file_cut_at_any_byte_gives_exactly_the_whole_records_before),
		cmocka_unit_test(test_a_record_written_up_to_any_byte_is_no_record),
		cmocka_unit_test(test_any_flipped_bit_is_noticed),
		cmocka_unit_test(test_records_of_an_earlier_use_are_not_read),
		cmocka_unit_test(test_the_longest_payload_fits_and_one_more_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
