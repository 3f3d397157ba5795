/* Owns the recovery of a spool: everything that is done once, when a folder with records in it is
 * opened. */
#include "src/spool_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/segment.h"
#include "src/segment_file.h"
#include "src/status.h"

static bool scan_segment(const struct spool_directory *d, uint32_t number, uint64_t confirmed,
			 struct spool_scan *scan, struct error *err);
static bool scan_records(struct segment_reader *r, struct spool_scan *scan, struct error *err);
static bool note_record(const struct record *record, struct spool_scan *scan, struct error *err);
static bool set_segment_aside(const struct spool_directory *d, const struct segment_file *file,
			      const struct segment_header *header, struct spool_scan *scan,
			      struct error *err);

bool spool_scan(const struct spool_directory *d, uint64_t confirmed, struct spool_scan *out,
		struct error *err)
{
	struct spool_scan scan = {NULL};
	uint32_t *numbers = NULL;
	size_t count = 0;
	if (!spool_directory_segments(d, &numbers, &count, err))
		return false;
	scan.last_sequence = 0;
	scan.segments_or_null = calloc(count + 1, sizeof *scan.segments_or_null);
	bool ok = scan.segments_or_null != NULL ||
		  error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	for (size_t i = 0; ok && i < count; i++)
		ok = scan_segment(d, numbers[i], confirmed, &scan, err);
	free(numbers);
	if (!ok) {
		spool_scan_deinit(&scan);
		return false;
	}
	scan.found.is_new = scan.last_sequence == 0 && confirmed == 0;
	/* Segments behind the cursor may be gone; new records must not take their sequences. */
	if (scan.last_sequence < confirmed)
		scan.last_sequence = confirmed;
	*out = scan;
	return true;
}

void spool_scan_deinit(struct spool_scan *scan)
{
	free(scan->segments_or_null);
	free(scan->url_or_null);
	memset(scan, 0, sizeof *scan);
}

static bool scan_segment(const struct spool_directory *d, uint32_t number, uint64_t confirmed,
			 struct spool_scan *scan, struct error *err)
{
	struct segment_file file;
	struct segment_reader r;
	struct segment_header header;
	if (!segment_file_map(d->fd, number, &file, NULL, err))
		return false;
	bool ok;
	if (!segment_reader_init(&r, slice_make(file.bytes_or_null, file.len), &header) ||
	    header.number != number || header.first_sequence <= scan->last_sequence) {
		ok = set_segment_aside(d, &file, &header, scan, err);
		segment_file_unmap(&file);
		return ok;
	}
	uint64_t expected = (scan->last_sequence > confirmed ? scan->last_sequence : confirmed) + 1;
	if (header.first_sequence > expected)
		scan->found.lost_count += header.first_sequence - expected;
	ok = scan_records(&r, scan, err);
	uint64_t sequence;
	struct slice payload;
	if (ok && segment_reader_next(&r, &sequence, &payload) == SEGMENT_TORN) {
		scan->found.was_torn = true;
		ok = segment_file_truncate(d->fd, number, r.offset, err);
	}
	if (ok) {
		scan->last_sequence = r.next_sequence - 1;
		scan->end = (struct spool_end){number, r.offset};
		scan->segments_or_null[scan->segments_count++] =
			(struct spool_segment){number, file.len, scan->last_sequence};
	}
	segment_file_unmap(&file);
	return ok;
}

static bool scan_records(struct segment_reader *r, struct spool_scan *scan, struct error *err)
{
	uint64_t sequence;
	struct slice payload;
	while (segment_reader_next(r, &sequence, &payload) == SEGMENT_RECORD) {
		struct record record;
		if (record_decode(payload, &record) && !note_record(&record, scan, err))
			return false;
	}
	return true;
}

static bool note_record(const struct record *record, struct spool_scan *scan, struct error *err)
{
	int64_t time_ms = 0;
	if (record->type == RECORD_METRIC || record->type == RECORD_METRIC_NAMED)
		time_ms = record->metric.time_ms;
	if (record->type == RECORD_END || record->type == RECORD_CLOSE)
		scan->found.is_open = false;
	if (record->type == RECORD_START) {
		time_ms = record->start.time_ms;
		scan->found.is_open = true;
		struct slice url = record->start.url;
		free(scan->url_or_null);
		scan->url_or_null = strndup(url.ptr == NULL ? "" : url.ptr, url.len);
		if (scan->url_or_null == NULL)
			return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	}
	if (time_ms > scan->found.last_time_ms)
		scan->found.last_time_ms = time_ms;
	return true;
}

/* A segment whose header never became whole holds nothing; one of another format must not be
 * touched. */
static bool set_segment_aside(const struct spool_directory *d, const struct segment_file *file,
			      const struct segment_header *header, struct spool_scan *scan,
			      struct error *err)
{
	if (header->format != 0 && header->format != SEGMENT_FORMAT)
		return error_set(err, ERR_DATA_LOSS,
				 "the spool has format %u; this library reads format %d",
				 header->format, SEGMENT_FORMAT);
	char name[SEGMENT_FILE_NAME_BYTES];
	char aside[SEGMENT_FILE_NAME_BYTES + 4];
	segment_file_name(file->number, name);
	(void)snprintf(aside, sizeof aside, "%s.bad", name);
	scan->found.was_torn = true;
	if (renameat(d->fd, name, d->fd, aside) != 0)
		return status_disk_error(err, errno,
					 "cannot set a damaged file of the spool aside");
	return true;
}
