#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_server_helper.h"
#include "src/crc32c.h"
#include "src/segment.h"
#include "src/spool.h"
#include "src/spool_reader.h"

struct fixture {
	char *folder;
	char path[200];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->folder = temporary_folder();
	snprintf(f->path, sizeof f->path, "%s/run", f->folder);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	temporary_folder_remove(f->folder);
	free(f);
	return 0;
}

static struct spool *open_at(const char *path)
{
	struct spool *s;
	struct error err;
	const struct spool_options options = {.directory = path, .bytes_max = UINT64_MAX};
	if (!spool_open(&options, &s, &err))
		fail_msg("%s", err.message);
	return s;
}

static void append_start(struct spool *s)
{
	struct error err;
	const struct record start = {
		.type = RECORD_START,
		.start = {.time_ms = 5, .url = SLICE("http://x"), .experiment = SLICE("e")},
	};
	assert_true(spool_append(s, &start, &err));
}

static void append_points(struct spool *s, int from, int to)
{
	struct error err;
	for (int i = from; i < to; i++) {
		char name[24];
		int len = snprintf(name, sizeof name, "m%d", i % 5);
		const struct record_metric metric = {0, i * 0.5, i, 1000 + i,
						     slice_make(name, (size_t)len)};
		assert_true(spool_append_metric(s, &metric, &err));
	}
}

/* Reads all there is and checks that the points are m[from], m[from+1], …; returns how many. */
static int read_points(struct spool *s, int from)
{
	struct spool_reader r;
	struct record record;
	struct error err;
	int count = 0;
	enum spool_read outcome;
	spool_reader_init(&r, s);
	while ((outcome = spool_reader_next(&r, &record, &err)) != SPOOL_READ_NONE) {
		if (outcome == SPOOL_READ_BOUNDARY) {
			assert_true(spool_reader_advance(&r, &err));
			continue;
		}
		assert_int_equal(outcome, SPOOL_READ_RECORD);
		if (record.type != RECORD_METRIC && record.type != RECORD_METRIC_NAMED)
			continue;
		char name[24];
		snprintf(name, sizeof name, "m%d", (from + count) % 5);
		assert_true(slice_eq_cstr(record.metric.name, name));
		assert_int_equal(record.metric.step, from + count);
		count++;
	}
	spool_reader_deinit(&r);
	return count;
}

static void test_what_was_appended_is_read_back_across_segments(void **state)
{
	struct fixture *f = *state;
	struct spool *s = open_at(f->path);
	assert_true(spool_found(s)->is_new);
	append_start(s);
	append_points(s, 0, 60000); /* some 3 MB: four segments */
	assert_int_equal(read_points(s, 0), 60000);
	struct spool_counts counts;
	spool_counts(s, &counts);
	assert_int_equal(counts.waiting, 60001);
	assert_true(spool_end(s).segment >= 4);
	spool_close(s);
	s = open_at(f->path);
	assert_false(spool_found(s)->is_new);
	assert_true(spool_found(s)->is_open);
	assert_int_equal(spool_found(s)->last_time_ms, 1000 + 59999);
	assert_string_equal(spool_url(s), "http://x");
	assert_int_equal(read_points(s, 0), 60000);
	append_points(s, 60000, 60010);
	assert_int_equal(read_points(s, 0), 60010);
	spool_close(s);
}

static void test_confirmed_records_are_not_read_again_and_their_segments_go(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct stat info;
	char path[300];
	struct spool *s = open_at(f->path);
	append_start(s);
	append_points(s, 0, 60000);
	assert_true(spool_confirm(s, 10001, 0, &err));
	assert_int_equal(read_points(s, 10000), 50000);
	assert_true(spool_confirm(s, 50001, 0, &err));
	assert_int_equal(read_points(s, 50000), 10000);
	snprintf(path, sizeof path, "%s/000001.seg", f->path);
	assert_int_equal(stat(path, &info), 0); /* says where to send */
	snprintf(path, sizeof path, "%s/000002.seg", f->path);
	assert_int_equal(stat(path, &info), -1);
	spool_close(s);
	s = open_at(f->path);
	assert_int_equal(spool_found(s)->lost_count, 0);
	assert_string_equal(spool_url(s), "http://x");
	assert_int_equal(spool_confirmed(s), 50001);
	assert_int_equal(read_points(s, 50000), 10000);
	spool_close(s);
}

static void test_a_delivered_and_ended_spool_vanishes(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct stat info;
	const struct record end = {.type = RECORD_END, .end = {1, SLICE("FINISHED")}};
	struct spool *s = open_at(f->path);
	append_start(s);
	assert_true(spool_confirm(s, 1, 0, &err));
	spool_close(s);
	assert_int_equal(stat(f->path, &info), 0); /* confirmed, but not ended */
	s = open_at(f->path);
	assert_true(spool_append(s, &end, &err));
	spool_close(s);
	assert_int_equal(stat(f->path, &info), 0); /* ended, but not confirmed */
	s = open_at(f->path);
	assert_false(spool_found(s)->is_open);
	assert_true(spool_confirm(s, 2, 0, &err));
	spool_close(s);
	assert_int_equal(stat(f->path, &info), -1);
}

static void copy_file(const char *from, const char *to, size_t bytes)
{
	char *content = malloc(bytes + 1);
	assert_non_null(content);
	int fd = open(from, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, content, bytes), bytes);
	close(fd);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, bytes), bytes);
	close(fd);
	free(content);
}

static void test_a_segment_cut_at_every_byte_opens_and_goes_on(void **state)
{
	struct fixture *f = *state;
	enum { POINTS = 12 };
	char from[300];
	char to[300];
	char copy[220];
	struct spool *s = open_at(f->path);
	append_start(s);
	append_points(s, 0, POINTS);
	size_t used = spool_end(s).offset;
	spool_close(s);
	snprintf(from, sizeof from, "%s/000001.seg", f->path);
	snprintf(copy, sizeof copy, "%s/copy", f->folder);
	snprintf(to, sizeof to, "%s/000001.seg", copy);
	int most = 0;
	for (size_t cut = 0; cut <= used; cut++) {
		assert_int_equal(mkdir(copy, 0700), 0);
		copy_file(from, to, cut);
		s = open_at(copy);
		int points = read_points(s, 0);
		assert_true(points >= most && points <= POINTS);
		most = points;
		assert_int_equal(spool_found(s)->lost_count, 0);
		/* What comes now is not confused with what was torn. */
		append_points(s, points, points + 3);
		assert_int_equal(read_points(s, 0), points + 3);
		spool_close(s);
		s = open_at(copy);
		assert_int_equal(read_points(s, 0), points + 3);
		assert_false(spool_found(s)->was_torn);
		spool_close(s);
		temporary_folder_remove(strdup(copy));
	}
	assert_int_equal(most, POINTS);
}

static void test_a_hole_in_the_middle_is_counted_and_the_rest_is_read(void **state)
{
	struct fixture *f = *state;
	char path[300];
	struct spool *s = open_at(f->path);
	append_start(s);
	append_points(s, 0, 30000);
	spool_close(s);
	snprintf(path, sizeof path, "%s/000002.seg", f->path);
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "garbage", 7, 4096), 7);
	close(fd);
	s = open_at(f->path);
	assert_true(spool_found(s)->was_torn);
	assert_true(spool_found(s)->lost_count > 1000);
	struct spool_reader r;
	struct record record;
	struct error err;
	uint64_t count = 0;
	enum spool_read outcome;
	spool_reader_init(&r, s);
	while ((outcome = spool_reader_next(&r, &record, &err)) != SPOOL_READ_NONE) {
		if (outcome == SPOOL_READ_BOUNDARY)
			assert_true(spool_reader_advance(&r, &err));
		else
			count++;
	}
	spool_reader_deinit(&r);
	assert_int_equal(count + spool_found(s)->lost_count, 30001);
	spool_close(s);
}

static void test_a_spool_of_another_format_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct spool *s = open_at(f->path);
	append_start(s);
	spool_close(s);
	char path[300];
	char header[SEGMENT_HEADER_BYTES];
	snprintf(path, sizeof path, "%s/000001.seg", f->path);
	int fd = open(path, O_RDWR);
	assert_int_equal(pread(fd, header, sizeof header, 0), sizeof header);
	header[8] = 2;
	uint32_t crc = crc32c(0, header, SEGMENT_HEADER_BYTES - sizeof crc);
	memcpy(header + SEGMENT_HEADER_BYTES - sizeof crc, &crc, sizeof crc);
	assert_int_equal(pwrite(fd, header, sizeof header, 0), sizeof header);
	const struct spool_options options = {.directory = f->path, .bytes_max = UINT64_MAX};
	struct error err;
	assert_false(spool_open(&options, &s, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	/* With a wrong checksum it is damage, and set aside. */
	header[9] = 1;
	assert_int_equal(pwrite(fd, header, sizeof header, 0), sizeof header);
	close(fd);
	s = open_at(f->path);
	assert_true(spool_found(s)->is_new);
	assert_true(spool_found(s)->was_torn);
	spool_close(s);
}

static void test_two_handles_cannot_share_a_spool(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct spool *second;
	struct spool *s = open_at(f->path);
	append_start(s);
	const struct spool_options options = {.directory = f->path, .bytes_max = UINT64_MAX};
	assert_false(spool_open(&options, &second, &err));
	assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
	pid_t child = fork();
	if (child == 0) {
		struct error child_err;
		struct spool *other;
		_exit(!spool_open(&options, &other, &child_err) &&
				      child_err.code == ERR_RESOURCE_CONFLICT
			      ? 0
			      : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	spool_close(s);
	s = open_at(f->path);
	spool_close(s);
}

static void test_opening_what_must_exist_makes_nothing(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct spool *s;
	struct stat info;
	const struct spool_options options = {
		.directory = f->path, .must_exist = true, .bytes_max = UINT64_MAX};
	assert_false(spool_open(&options, &s, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	assert_int_equal(stat(f->path, &info), -1);
}

static void test_a_value_up_to_the_limit_is_kept_and_one_more_byte_refused(void **state)
{
	struct fixture *f = *state;
	struct error err;
	/* Type, two lengths, a key of one byte. */
	size_t fits = SEGMENT_PAYLOAD_BYTES_MAX - 10;
	char *value = calloc(1, fits + 1);
	assert_non_null(value);
	struct spool *s = open_at(f->path);
	append_start(s);
	struct record tag = {.type = RECORD_TAG, .pair = {SLICE("k"), slice_make(value, fits)}};
	assert_true(spool_append(s, &tag, &err));
	tag.pair.value.len++;
	assert_false(spool_append(s, &tag, &err));
	assert_int_equal(err.code, ERR_REQUEST_TOO_LARGE);
	append_points(s, 0, 10);
	assert_int_equal(read_points(s, 0), 10);
	spool_close(s);
	free(value);
}

static void test_flushing_covers_all_segments(void **state)
{
	struct fixture *f = *state;
	struct error err;
	struct spool *s = open_at(f->path);
	append_start(s);
	append_points(s, 0, 20000);
	assert_true(spool_sync_to_disk(s, &err));
	append_points(s, 20000, 40000);
	assert_true(spool_confirm(s, 30000, 0, &err));
	assert_true(spool_sync_to_disk(s, &err));
	spool_close(s);
}

static void *append_many(void *context)
{
	struct error err;
	for (int i = 0; i < 20000; i++) {
		const struct record_metric metric = {0, i, i, 1, SLICE("shared")};
		assert_true(spool_append_metric(context, &metric, &err));
	}
	return NULL;
}

/* One thread reads and confirms while four append. */
static void test_a_reader_sees_every_record_of_many_writers(void **state)
{
	struct fixture *f = *state;
	enum { WRITERS = 4 };
	pthread_t threads[WRITERS];
	struct spool *s = open_at(f->path);
	struct spool_reader r;
	struct record record;
	struct error err;
	append_start(s);
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_many, s), 0);
	spool_reader_init(&r, s);
	uint64_t expected = 1;
	while (expected <= 1 + WRITERS * 20000) {
		enum spool_read outcome = spool_reader_next(&r, &record, &err);
		if (outcome == SPOOL_READ_BOUNDARY) {
			assert_true(spool_confirm(s, expected - 1, 0, &err));
			assert_true(spool_reader_advance(&r, &err));
		} else if (outcome == SPOOL_READ_NONE) {
			assert_true(spool_wait_for_records(s, expected - 1, 1));
		} else {
			assert_int_equal(outcome, SPOOL_READ_RECORD);
			assert_int_equal(record.sequence, expected);
			expected++;
		}
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	spool_reader_deinit(&r);
	assert_true(spool_confirm(s, expected - 1, 0, &err));
	assert_int_equal(spool_wait_confirmed(s, expected - 1, 0), SPOOL_CONFIRMED);
	spool_close(s);
}

static void test_waiting_ends_at_the_deadline_and_when_refused(void **state)
{
	struct fixture *f = *state;
	struct spool *s = open_at(f->path);
	append_start(s);
	assert_int_equal(spool_wait_confirmed(s, 1, 0), SPOOL_TIMED_OUT);
	assert_int_equal(spool_wait_confirmed(s, 1, 20), SPOOL_TIMED_OUT);
	spool_set_state(s, SPOOL_REFUSED);
	assert_int_equal(spool_wait_confirmed(s, 1, -1), SPOOL_WAIT_REFUSED);
	assert_true(spool_pause(s, 10, true));
	spool_stop(s);
	assert_false(spool_pause(s, 60000, true));
	assert_false(spool_wait_for_records(s, 1, 60000));
	spool_close(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_appended_is_read_back_across_segments),
		TEST(test_confirmed_records_are_not_read_again_and_their_segments_go),
		TEST(test_a_delivered_and_ended_spool_vanishes),
		TEST(test_a_segment_cut_at_every_byte_opens_and_goes_on),
		TEST(test_a_hole_in_the_middle_is_counted_and_the_rest_is_read),
		TEST(test_a_spool_of_another_format_is_left_alone),
		TEST(test_two_handles_cannot_share_a_spool),
		TEST(test_opening_what_must_exist_makes_nothing),
		TEST(test_a_value_up_to_the_limit_is_kept_and_one_more_byte_refused),
		TEST(test_flushing_covers_all_segments),
		TEST(test_a_reader_sees_every_record_of_many_writers),
		TEST(test_waiting_ends_at_the_deadline_and_when_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
