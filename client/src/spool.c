/* Owns the durable queue of one run: the open segment, what is confirmed, and who waits for
 * what. */
#include "src/spool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "src/name_table.h"
#include "src/segment.h"
#include "src/segment_file.h"
#include "src/spool_directory.h"
#include "src/spool_scan.h"
#include "src/status.h"

enum {
	HURRIED_PAUSE_MS = 500, /* the longest pause between attempts while someone waits */
	PAYLOAD_BYTES_MAX = SEGMENT_PAYLOAD_BYTES_MAX,
};

struct spool {
	struct spool_directory directory; /* cursor: the deliverer's; the rest does not change */
	struct spool_found found;
	char *url_or_null;
	uint64_t bytes_max;

	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t work;   /* for the deliverer */
	pthread_cond_t confirmed_changed;
	struct segment_file segment; /* the one being written; no bytes before the first append */
	size_t offset;		     /* in it, of the next record */
	struct name_table names;     /* of it */
	struct spool_end end;
	struct spool_segment *segments_or_null; /* on disk, ascending; the last is written to */
	size_t segments_count;
	size_t segments_capacity;
	uint64_t bytes; /* of all segments */
	uint32_t last_number;
	uint32_t synced_number; /* segments up to this one are on the disk whole */
	uint64_t last_file;
	uint64_t synced_file;	   /* files up to this one are on the disk */
	unsigned unfinished_files; /* being copied right now */
	uint64_t last_sequence;
	uint64_t confirmed;
	uint64_t accepted;
	uint64_t rejected;
	uint64_t wake_at; /* the deliverer waits for this sequence; UINT64_MAX: for none */
	unsigned waiters; /* threads in spool_wait_confirmed */
	bool is_open;	  /* of the run's life-cycle records the last is a start */
	bool is_stopped;
	enum spool_state state;
};

static void release(struct spool *s);
static bool init_waiting(struct spool *s);
static struct timespec deadline_after_ms(int64_t ms);
static char *reserve(struct spool *s, size_t payload_bytes, bool is_last_word, struct error *err);
static bool begin_segment(struct spool *s, size_t record_bytes, bool is_last_word,
			  struct error *err);
static void note_appended(struct spool *s, size_t payload_bytes);
static bool metric_payload(struct spool *s, const struct record_metric *metric, char *payload,
			   size_t *len_out, struct error *err);
static bool remove_confirmed_segment(struct spool *s, uint64_t sequence);

bool spool_open(const struct spool_options *options, struct spool **out, struct error *err)
{
	struct spool *s = calloc(1, sizeof *s);
	if (s == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	struct spool_scan scan;
	if (!spool_directory_open(options->directory, options->must_exist, &s->directory, err)) {
		free(s);
		return false;
	}
	s->confirmed = spool_directory_load_cursor(&s->directory);
	if (!spool_scan(&s->directory, s->confirmed, &scan, err)) {
		spool_directory_close(&s->directory);
		free(s);
		return false;
	}
	s->found = scan.found;
	s->is_open = scan.found.is_open;
	s->url_or_null = scan.url_or_null;
	s->segments_or_null = scan.segments_or_null;
	s->segments_count = scan.segments_count;
	s->segments_capacity = scan.segments_count;
	s->end = scan.end;
	s->last_number = scan.end.segment;
	s->last_sequence = scan.last_sequence;
	for (size_t i = 0; i < s->segments_count; i++)
		s->bytes += s->segments_or_null[i].bytes;
	s->last_file = spool_directory_last_file(&s->directory);
	s->bytes_max = options->bytes_max;
	s->wake_at = UINT64_MAX;
	name_table_init(&s->names);
	if (!init_waiting(s)) {
		release(s);
		return error_set(err, ERR_INTERNAL_ERROR, "the system has no more locks");
	}
	*out = s;
	return true;
}

const struct spool_found *spool_found(const struct spool *s)
{
	return &s->found;
}

const char *spool_url(const struct spool *s)
{
	return s->url_or_null == NULL ? "" : s->url_or_null;
}

const char *spool_path(const struct spool *s)
{
	return s->directory.path_or_null;
}

int spool_directory_fd(const struct spool *s)
{
	return s->directory.fd;
}

void spool_close(struct spool *s)
{
	struct error ignored;
	bool is_delivered = s->confirmed >= s->last_sequence && !s->is_open;
	/* Reserved room that was not used goes back; if that fails, the zeros at the end do no
	 * harm. */
	if (s->segment.bytes_or_null != NULL && !is_delivered)
		(void)!segment_file_truncate(s->directory.fd, s->segment.number, s->offset,
					     &ignored);
	segment_file_unmap(&s->segment);
	if (is_delivered)
		spool_directory_remove(&s->directory);
	(void)pthread_cond_destroy(&s->work);
	(void)pthread_cond_destroy(&s->confirmed_changed);
	(void)pthread_mutex_destroy(&s->mutex);
	release(s);
}

void spool_abandon(struct spool *s)
{
	/* The locks may be held by threads that were not forked: they are not touched. */
	segment_file_unmap(&s->segment);
	release(s);
}

bool spool_append(struct spool *s, const struct record *record, struct error *err)
{
	struct buffer payload;
	buffer_init(&payload, PAYLOAD_BYTES_MAX);
	record_encode(record, &payload);
	if (!buffer_check(&payload, "the value", err)) {
		buffer_deinit(&payload);
		return false;
	}
	struct slice bytes = buffer_slice(&payload);
	(void)pthread_mutex_lock(&s->mutex);
	bool is_last_word = record->type == RECORD_END || record->type == RECORD_CLOSE;
	char *at = reserve(s, bytes.len, is_last_word, err);
	if (at != NULL) {
		segment_write_record(at, s->last_sequence + 1, bytes);
		note_appended(s, bytes.len);
		if (record->type == RECORD_START)
			s->is_open = true;
		if (is_last_word)
			s->is_open = false;
	}
	(void)pthread_mutex_unlock(&s->mutex);
	buffer_deinit(&payload);
	return at != NULL;
}

bool spool_append_metric(struct spool *s, const struct record_metric *metric, struct error *err)
{
	char payload[RECORD_METRIC_BYTES + RECORD_NAME_BYTES_MAX];
	size_t len = 0;
	(void)pthread_mutex_lock(&s->mutex);
	bool ok = metric_payload(s, metric, payload, &len, err);
	if (ok) {
		/* The room is reserved: metric_payload would have failed. */
		segment_write_record(s->segment.bytes_or_null + s->offset, s->last_sequence + 1,
				     slice_make(payload, len));
		note_appended(s, len);
	}
	(void)pthread_mutex_unlock(&s->mutex);
	return ok;
}

uint64_t spool_file_begin(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	uint64_t number = ++s->last_file;
	s->unfinished_files++;
	(void)pthread_mutex_unlock(&s->mutex);
	return number;
}

void spool_file_end(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	ASSERT(s->unfinished_files > 0);
	s->unfinished_files--;
	(void)pthread_mutex_unlock(&s->mutex);
}

bool spool_sync_to_disk(struct spool *s, struct error *err)
{
	(void)pthread_mutex_lock(&s->mutex);
	uint32_t number = s->synced_number + 1;
	uint32_t last_number = s->last_number;
	uint64_t file = s->synced_file + 1;
	uint64_t last_file = s->last_file;
	bool files_are_whole = s->unfinished_files == 0;
	(void)pthread_mutex_unlock(&s->mutex);

	for (uint32_t n = number; n <= last_number; n++) {
		char name[SEGMENT_FILE_NAME_BYTES];
		segment_file_name(n, name);
		if (!segment_file_sync(s->directory.fd, name, err))
			return false;
	}
	for (uint64_t n = file; n <= last_file; n++) {
		char name[32];
		(void)snprintf(name, sizeof name, "file-%llu", (unsigned long long)n);
		if (!segment_file_sync(s->directory.fd, name, err))
			return false;
	}
	if (!spool_directory_sync(&s->directory, err))
		return false;

	(void)pthread_mutex_lock(&s->mutex);
	/* The last one is still being written. */
	if (last_number > 0 && last_number - 1 > s->synced_number)
		s->synced_number = last_number - 1;
	if (files_are_whole && last_file > s->synced_file)
		s->synced_file = last_file;
	(void)pthread_mutex_unlock(&s->mutex);
	return true;
}

enum spool_wait spool_wait_confirmed(struct spool *s, uint64_t sequence, int64_t timeout_ms)
{
	struct timespec deadline = deadline_after_ms(timeout_ms < 0 ? 0 : timeout_ms);
	int failed = 0;
	(void)pthread_mutex_lock(&s->mutex);
	s->waiters++;
	(void)pthread_cond_signal(&s->work);
	while (s->confirmed < sequence && s->state != SPOOL_REFUSED && !s->is_stopped &&
	       failed == 0) {
		if (timeout_ms < 0)
			failed = pthread_cond_wait(&s->confirmed_changed, &s->mutex);
		else
			failed =
				pthread_cond_timedwait(&s->confirmed_changed, &s->mutex, &deadline);
	}
	enum spool_wait outcome = s->confirmed >= sequence    ? SPOOL_CONFIRMED
				  : s->state == SPOOL_REFUSED ? SPOOL_WAIT_REFUSED
							      : SPOOL_TIMED_OUT;
	s->waiters--;
	(void)pthread_mutex_unlock(&s->mutex);
	return outcome;
}

void spool_counts(struct spool *s, struct spool_counts *out)
{
	(void)pthread_mutex_lock(&s->mutex);
	*out = (struct spool_counts){
		.accepted = s->accepted,
		.waiting = s->last_sequence - s->confirmed,
		.rejected = s->rejected,
		.last_sequence = s->last_sequence,
		.is_away = s->state == SPOOL_AWAY,
	};
	(void)pthread_mutex_unlock(&s->mutex);
}

bool spool_wait_for_records(struct spool *s, uint64_t sequence, int64_t linger_ms)
{
	(void)pthread_mutex_lock(&s->mutex);
	while (!s->is_stopped && s->last_sequence <= sequence) {
		s->wake_at = sequence + 1;
		(void)pthread_cond_wait(&s->work, &s->mutex);
	}
	struct timespec deadline = deadline_after_ms(linger_ms);
	int failed = 0;
	while (!s->is_stopped && s->waiters == 0 && failed == 0 &&
	       s->last_sequence < sequence + SPOOL_BATCH_RECORDS) {
		s->wake_at = sequence + SPOOL_BATCH_RECORDS;
		failed = pthread_cond_timedwait(&s->work, &s->mutex, &deadline);
	}
	s->wake_at = UINT64_MAX;
	bool goes_on = !s->is_stopped;
	(void)pthread_mutex_unlock(&s->mutex);
	return goes_on;
}

bool spool_pause(struct spool *s, int64_t pause_ms, bool may_hurry)
{
	int64_t until_ms = clock_monotonic_ms(clock_system()) + pause_ms;
	int64_t hurried_ms = -1; /* until when, once someone waits */
	(void)pthread_mutex_lock(&s->mutex);
	while (!s->is_stopped) {
		int64_t now_ms = clock_monotonic_ms(clock_system());
		if (may_hurry && s->waiters > 0 && hurried_ms < 0)
			hurried_ms = now_ms + HURRIED_PAUSE_MS;
		if (hurried_ms >= 0 && hurried_ms < until_ms)
			until_ms = hurried_ms;
		if (now_ms >= until_ms)
			break;
		struct timespec deadline = deadline_after_ms(until_ms - now_ms);
		(void)pthread_cond_timedwait(&s->work, &s->mutex,
					     &deadline); /* either way: look again */
	}
	bool goes_on = !s->is_stopped;
	(void)pthread_mutex_unlock(&s->mutex);
	return goes_on;
}

void spool_stop(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->is_stopped = true;
	(void)pthread_cond_broadcast(&s->work);
	(void)pthread_cond_broadcast(&s->confirmed_changed);
	(void)pthread_mutex_unlock(&s->mutex);
}

bool spool_confirm(struct spool *s, uint64_t sequence, uint64_t rejected, struct error *err)
{
	if (!spool_directory_store_cursor(&s->directory, sequence, err))
		return false;
	(void)pthread_mutex_lock(&s->mutex);
	ASSERT(sequence >= s->confirmed && sequence <= s->last_sequence);
	s->confirmed = sequence;
	s->rejected += rejected;
	s->state = SPOOL_FLOWING;
	(void)pthread_cond_broadcast(&s->confirmed_changed);
	(void)pthread_mutex_unlock(&s->mutex);
	while (remove_confirmed_segment(s, sequence))
		;
	return true;
}

uint64_t spool_confirmed(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	uint64_t confirmed = s->confirmed;
	(void)pthread_mutex_unlock(&s->mutex);
	return confirmed;
}

void spool_set_state(struct spool *s, enum spool_state state)
{
	(void)pthread_mutex_lock(&s->mutex);
	s->state = state;
	(void)pthread_cond_broadcast(&s->confirmed_changed);
	(void)pthread_mutex_unlock(&s->mutex);
}

struct spool_end spool_end(struct spool *s)
{
	(void)pthread_mutex_lock(&s->mutex);
	struct spool_end end = s->end;
	(void)pthread_mutex_unlock(&s->mutex);
	return end;
}

static void release(struct spool *s)
{
	spool_directory_close(&s->directory);
	name_table_deinit(&s->names);
	free(s->segments_or_null);
	free(s->url_or_null);
	free(s);
}

static bool init_waiting(struct spool *s)
{
	pthread_condattr_t attributes;
	if (pthread_mutex_init(&s->mutex, NULL) != 0)
		return false;
	if (pthread_condattr_init(&attributes) != 0) {
		(void)pthread_mutex_destroy(&s->mutex);
		return false;
	}
	(void)pthread_condattr_setclock(&attributes,
					CLOCK_MONOTONIC); /* a known clock cannot fail */
	bool has_work = pthread_cond_init(&s->work, &attributes) == 0;
	bool has_confirmed = has_work && pthread_cond_init(&s->confirmed_changed, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	if (!has_confirmed) {
		if (has_work)
			(void)pthread_cond_destroy(&s->work);
		(void)pthread_mutex_destroy(&s->mutex);
	}
	return has_confirmed;
}

static struct timespec deadline_after_ms(int64_t ms)
{
	enum { YEAR_S = 366 * 24 * 3600 };
	struct timespec deadline;
	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	int64_t seconds = ms / 1000 < YEAR_S ? ms / 1000 : YEAR_S;
	deadline.tv_sec += (time_t)seconds;
	deadline.tv_nsec += (long)(ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	return deadline;
}

/* Where a record of that payload goes, with the mutex held; makes the next segment when the open
 * one is full. The end of a run is not bound by bytes_max: it must not count as crashed because its
 * spool was full. */
static char *reserve(struct spool *s, size_t payload_bytes, bool is_last_word, struct error *err)
{
	size_t record_bytes = segment_record_bytes(payload_bytes);
	if (s->segment.bytes_or_null == NULL || record_bytes > s->segment.len - s->offset) {
		if (!begin_segment(s, record_bytes, is_last_word, err))
			return NULL;
	}
	return s->segment.bytes_or_null + s->offset;
}

static bool begin_segment(struct spool *s, size_t record_bytes, bool is_last_word,
			  struct error *err)
{
	size_t len = SPOOL_SEGMENT_BYTES_FIRST;
	if (s->segment.bytes_or_null != NULL && !is_last_word)
		len = s->segment.len * 2 < SPOOL_SEGMENT_BYTES_MAX ? s->segment.len * 2
								   : SPOOL_SEGMENT_BYTES_MAX;
	while (len < SEGMENT_HEADER_BYTES + record_bytes)
		len *= 2;
	if (!is_last_word && (s->bytes > s->bytes_max || s->bytes_max - s->bytes < len))
		return error_set(err, ERR_REQUEST_LIMIT_EXCEEDED,
				 "the spool has reached its limit of %llu bytes",
				 (unsigned long long)s->bytes_max);
	if (s->segments_count == s->segments_capacity) {
		size_t capacity = s->segments_capacity * 2 + 8;
		struct spool_segment *bigger =
			reallocarray(s->segments_or_null, capacity, sizeof *bigger);
		if (bigger == NULL)
			return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
		s->segments_or_null = bigger;
		s->segments_capacity = capacity;
	}
	struct segment_file next;
	if (!segment_file_create(s->directory.fd, s->last_number + 1, len, &next, err))
		return false;
	segment_write_header(next.bytes_or_null, next.number, s->last_sequence + 1);
	segment_file_unmap(&s->segment);
	name_table_clear(&s->names);
	s->segment = next;
	s->offset = SEGMENT_HEADER_BYTES;
	s->last_number = next.number;
	s->bytes += len;
	s->end = (struct spool_end){next.number, s->offset};
	s->segments_or_null[s->segments_count++] =
		(struct spool_segment){next.number, len, s->last_sequence};
	return true;
}

static void note_appended(struct spool *s, size_t payload_bytes)
{
	s->offset += segment_record_bytes(payload_bytes);
	s->end.offset = s->offset;
	s->last_sequence++;
	s->accepted++;
	s->segments_or_null[s->segments_count - 1].last_sequence = s->last_sequence;
	if (s->last_sequence >= s->wake_at) {
		s->wake_at = UINT64_MAX;
		(void)pthread_cond_signal(&s->work);
	}
}

/* Encodes a point and reserves its room, with the mutex held. A new segment forgets the names, so
 * then again. */
static bool metric_payload(struct spool *s, const struct record_metric *metric, char *payload,
			   size_t *len_out, struct error *err)
{
	for (;;) {
		struct record_metric numbered = *metric;
		bool is_known = name_table_find(&s->names, metric->name, &numbered.name_number);
		size_t len = RECORD_METRIC_BYTES + (is_known ? 0 : metric->name.len);
		if (!is_known && !record_check_name(metric->name, err))
			return false;
		uint32_t segment_number = s->segment.number;
		if (reserve(s, len, false, err) == NULL)
			return false;
		if (s->segment.number != segment_number)
			continue;
		if (!is_known) {
			numbered.name_number = s->names.count;
			if (!name_table_add(&s->names, metric->name))
				return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
			memcpy(payload + RECORD_METRIC_BYTES, metric->name.ptr, metric->name.len);
		}
		record_encode_metric(is_known ? RECORD_METRIC : RECORD_METRIC_NAMED, &numbered,
				     payload);
		*len_out = len;
		return true;
	}
}

/* Takes one delivered segment off the disk; false when there is none. The first and the open one
 * stay. */
static bool remove_confirmed_segment(struct spool *s, uint64_t sequence)
{
	char name[SEGMENT_FILE_NAME_BYTES];
	(void)pthread_mutex_lock(&s->mutex);
	bool is_found = s->segments_count > 2 && s->segments_or_null[1].last_sequence <= sequence;
	if (is_found) {
		segment_file_name(s->segments_or_null[1].number, name);
		s->bytes -= s->segments_or_null[1].bytes;
		s->segments_count--;
		memmove(&s->segments_or_null[1], &s->segments_or_null[2],
			(s->segments_count - 1) * sizeof s->segments_or_null[0]);
	}
	(void)pthread_mutex_unlock(&s->mutex);
	if (is_found)
		(void)unlinkat(s->directory.fd, name,
			       0); /* what stays is skipped later: the cursor is past it */
	return is_found;
}
