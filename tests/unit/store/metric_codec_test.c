/* Tests of the bytes of metric points: what goes in comes out, and damage is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/metric_codec.h"

#define NAN_ ((double)NAN)
#define INF  ((double)INFINITY)

struct codec {
	struct arena arena;
	struct error err;
};

static int setup(void **state)
{
	struct codec *c = calloc(1, sizeof(*c));
	assert_non_null(c);
	arena_init(&c->arena, (size_t)64 << 20);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct codec *c = *state;
	arena_deinit(&c->arena);
	free(c);
	return 0;
}

static void assert_same_samples(const struct metric_samples *a, const struct metric_samples *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->items, b->items, a->count * sizeof(a->items[0]));
}

static void check_chunk(struct codec *c, struct metric_samples samples)
{
	struct metric_samples read = {
		ARENA_NEW(&c->arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
	struct slice data = metric_chunk_encode(&samples, &c->arena);
	assert_true(metric_chunk_decode(data, (int64_t)samples.count, &read, &c->arena, &c->err));
	assert_same_samples(&read, &samples);
}

/* Rows of samples, each ascending. */
static const struct metric_sample one[] = {{0, 0, 0.0}};
static const struct metric_sample special[] = {{5, 5, -INF},   {5, 5, -1.0},
					       {5, 5, 0.0},    {5, 5, NAN_},
					       {5, 5, 5e-324}, {5, 5, 1.7976931348623157e308},
					       {5, 5, INF}};
static const struct metric_sample extremes[] = {{INT64_MIN, INT64_MIN, 1.0},
						{INT64_MIN, INT64_MAX, 1.0},
						{-1, 0, 1.0},
						{0, INT64_MIN, 1.0},
						{0, -1, 1.0},
						{1, 1, 1.0},
						{INT64_MAX, INT64_MIN, 1.0},
						{INT64_MAX, INT64_MAX, 1.0}};
static const struct {
	const struct metric_sample *samples;
	size_t count;
} rows[] = {
	{one, ARRAY_COUNT(one)},
	{special, ARRAY_COUNT(special)},
	{extremes, ARRAY_COUNT(extremes)},
};

static struct metric_samples row_copy(struct codec *c, size_t row)
{
	struct metric_samples samples = {
		ARENA_NEW(&c->arena, struct metric_sample, rows[row].count), rows[row].count};
	memcpy(samples.items, rows[row].samples, samples.count * sizeof(samples.items[0]));
	return samples;
}

static struct metric_samples regular(struct codec *c, size_t count)
{
	struct metric_samples samples = {ARENA_NEW(&c->arena, struct metric_sample, count), count};
	for (size_t i = 0; i < count; i++)
		samples.items[i] = (struct metric_sample){1700000000000 + 97 * (int64_t)i,
							  10 * (int64_t)i, 1.0 / (double)(i + 1)};
	return samples;
}

static void test_a_chunk_reads_back_exactly_what_was_written(void **state)
{
	struct codec *c = *state;
	for (size_t row = 0; row < ARRAY_COUNT(rows); row++)
		check_chunk(c, row_copy(c, row));
	const size_t counts[] = {
		1, 2, 200, 250, METRIC_CHUNK_SAMPLES_MAX - 1, METRIC_CHUNK_SAMPLES_MAX};
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
		check_chunk(c, regular(c, counts[i]));
}

static void test_a_regular_chunk_packs_its_times_away(void **state)
{
	struct codec *c = *state;
	struct metric_samples samples = regular(c, METRIC_CHUNK_SAMPLES_MAX);
	struct slice data = metric_chunk_encode(&samples, &c->arena);
	assert_true(data.len < 8 * METRIC_CHUNK_SAMPLES_MAX);
}

static void test_a_chunk_is_refused_when_its_row_counts_otherwise(void **state)
{
	struct codec *c = *state;
	struct metric_samples samples = regular(c, 3),
			      read = {ARENA_NEW(&c->arena, struct metric_sample,
						METRIC_CHUNK_SAMPLES_MAX),
				      0};
	struct slice data = metric_chunk_encode(&samples, &c->arena);
	const int64_t wrong[] = {-1, 0, 2, 4, METRIC_CHUNK_SAMPLES_MAX + 1, INT64_MAX};
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		assert_false(metric_chunk_decode(data, wrong[i], &read, &c->arena, &c->err));
		assert_int_equal(c->err.code, ERR_DATA_LOSS);
		assert_int_equal(read.count, 0);
	}
}

/* Each bit flipped, each prefix: DATA_LOSS, outputs untouched. */
static void check_damage(struct codec *c, struct slice data,
			 bool (*decode)(struct codec *c, struct slice data))
{
	for (size_t bit = 0; bit < 8 * data.len; bit++) {
		char *copy = malloc(data.len);
		assert_non_null(copy);
		memcpy(copy, data.ptr, data.len);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		assert_false(decode(c, slice_make(copy, data.len)));
		assert_int_equal(c->err.code, ERR_DATA_LOSS);
		free(copy);
	}
	for (size_t len = 0; len < data.len; len++) {
		char *copy = malloc(len + 1); /* so that reading on is noticed, also at length 0 */
		assert_non_null(copy);
		memcpy(copy, data.ptr, len);
		char *exact = realloc(copy, len > 0 ? len : 1);
		assert_non_null(exact);
		assert_false(decode(c, slice_make(exact, len)));
		assert_int_equal(c->err.code, ERR_DATA_LOSS);
		free(exact);
	}
}

static bool decode_chunk(struct codec *c, struct slice data)
{
	struct arena_mark mark = arena_mark(&c->arena);
	struct metric_samples read = {
		ARENA_NEW(&c->arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
	bool ok = metric_chunk_decode(data, 250, &read, &c->arena, &c->err);
	arena_rewind(&c->arena, mark);
	return ok;
}

static bool decode_tail(struct codec *c, struct slice data)
{
	struct arena_mark mark = arena_mark(&c->arena);
	struct metric_samples read = {
		ARENA_NEW(&c->arena, struct metric_sample, METRIC_TAIL_SAMPLES_MAX), 0};
	struct metric_tail_reader reader;
	bool found = true, ok = metric_tail_open(data, &reader, &c->err);
	while (ok && found) {
		ok = metric_tail_next(&reader, &found, &c->err);
		if (ok && found)
			ok = metric_tail_read(&reader, &read, &c->err);
	}
	arena_rewind(&c->arena, mark);
	return ok;
}

static void test_every_damaged_bit_and_cut_of_a_chunk_is_found(void **state)
{
	struct codec *c = *state;
	struct metric_samples samples = regular(c, 250);
	struct slice data = metric_chunk_encode(&samples, &c->arena);
	assert_true(decode_chunk(c, data));
	check_damage(c, data, decode_chunk);
}

static void test_every_damaged_bit_and_cut_of_a_tail_is_found(void **state)
{
	struct codec *c = *state;
	const struct metric_group groups[] = {{1, regular(c, 3)}, {7, row_copy(c, 1)}};
	struct slice data = metric_tail_encode(groups, ARRAY_COUNT(groups), &c->arena);
	assert_true(decode_tail(c, data));
	check_damage(c, data, decode_tail);
}

static void test_a_tail_gives_its_groups_in_order(void **state)
{
	struct codec *c = *state;
	const struct metric_group groups[] = {{1, row_copy(c, 0)},
					      {2, row_copy(c, 1)},
					      {300, row_copy(c, 2)},
					      {INT64_MAX, regular(c, 50)}};
	struct slice data = metric_tail_encode(groups, ARRAY_COUNT(groups), &c->arena);
	/* Whatever groups are skipped, the others come out whole. */
	for (unsigned skipped = 0; skipped < 1U << ARRAY_COUNT(groups); skipped++) {
		struct metric_tail_reader reader;
		bool found = false;
		assert_true(metric_tail_open(data, &reader, &c->err));
		for (size_t g = 0; g < ARRAY_COUNT(groups); g++) {
			assert_true(metric_tail_next(&reader, &found, &c->err));
			assert_true(found);
			assert_int_equal(reader.name_pk, groups[g].name_pk);
			assert_int_equal(reader.count, groups[g].samples.count);
			struct metric_samples read = {
				ARENA_NEW(&c->arena, struct metric_sample, reader.count), 0};
			if ((skipped & 1U << g) != 0) {
				assert_true(metric_tail_skip(&reader, &c->err));
				continue;
			}
			assert_true(metric_tail_read(&reader, &read, &c->err));
			assert_same_samples(&read, &groups[g].samples);
		}
		assert_true(metric_tail_next(&reader, &found, &c->err));
		assert_false(found);
	}
}

static void test_a_tail_holds_the_most_points_it_may(void **state)
{
	struct codec *c = *state;
	const struct metric_group group = {9, regular(c, METRIC_TAIL_SAMPLES_MAX)};
	assert_true(decode_tail(c, metric_tail_encode(&group, 1, &c->arena)));
}

static void test_one_point_takes_few_bytes(void **state)
{
	struct codec *c = *state;
	const struct metric_group group = {9, regular(c, 1)};
	assert_true(metric_tail_encode(&group, 1, &c->arena).len <= 28);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_chunk_reads_back_exactly_what_was_written),
		TEST(test_a_regular_chunk_packs_its_times_away),
		TEST(test_a_chunk_is_refused_when_its_row_counts_otherwise),
		TEST(test_every_damaged_bit_and_cut_of_a_chunk_is_found),
		TEST(test_every_damaged_bit_and_cut_of_a_tail_is_found),
		TEST(test_a_tail_gives_its_groups_in_order),
		TEST(test_a_tail_holds_the_most_points_it_may),
		TEST(test_one_point_takes_few_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
