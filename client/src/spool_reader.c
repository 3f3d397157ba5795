/* Owns the walk over a spool's segments, and the names that points refer to by number. */
#include "src/spool_reader.h"

#include <stdlib.h>
#include <string.h>

static bool has_bytes_left(const struct spool_reader *r);
static bool learn_name(struct spool_reader *r, const struct record_metric *metric,
		       struct error *err);
static enum spool_read resolve(struct spool_reader *r, struct record *record, bool is_decoded,
			       struct error *err);

void spool_reader_init(struct spool_reader *r, struct spool *s)
{
	memset(r, 0, sizeof *r);
	r->spool = s;
	r->after = spool_confirmed(s);
}

void spool_reader_deinit(struct spool_reader *r)
{
	segment_file_unmap(&r->file);
	free(r->names_or_null);
	memset(r, 0, sizeof *r);
}

enum spool_read spool_reader_next(struct spool_reader *r, struct record *out, struct error *err)
{
	for (;;) {
		if (!has_bytes_left(r)) {
			r->end = spool_end(r->spool);
			if (!has_bytes_left(r))
				return r->file.number < r->end.segment ? SPOOL_READ_BOUNDARY
								       : SPOOL_READ_NONE;
		}
		/* The open segment ends where the last whole record does; older ones know their own
		 * end. */
		r->segment.bytes.len =
			r->file.number == r->end.segment && r->end.offset < r->file.len
				? r->end.offset
				: r->file.len;
		uint64_t sequence;
		struct slice payload;
		if (segment_reader_next(&r->segment, &sequence, &payload) != SEGMENT_RECORD)
			return r->file.number < r->end.segment ? SPOOL_READ_BOUNDARY
							       : SPOOL_READ_NONE;
		bool is_decoded = record_decode(payload, out);
		enum spool_read outcome = resolve(r, out, is_decoded, err);
		out->sequence = sequence;
		if (outcome == SPOOL_READ_FAILED) {
			r->segment.offset -= segment_record_bytes(payload.len);
			r->segment.next_sequence = sequence;
			return SPOOL_READ_FAILED;
		}
		if (sequence > r->after)
			return outcome;
	}
}

bool spool_reader_advance(struct spool_reader *r, struct error *err)
{
	r->end = spool_end(r->spool);
	for (uint32_t number = r->file.number + 1; number <= r->end.segment; number++) {
		struct segment_file next;
		struct segment_reader segment;
		struct segment_header header;
		bool is_missing;
		if (!segment_file_map(spool_directory_fd(r->spool), number, &next, &is_missing,
				      err)) {
			if (is_missing)
				continue; /* delivered and removed */
			return false;
		}
		if (!segment_reader_init(&segment, slice_make(next.bytes_or_null, next.len),
					 &header)) {
			/* Opening the spool set such files aside; this one came later. */
			segment_file_unmap(&next);
			continue;
		}
		segment_file_unmap(&r->file);
		r->file = next;
		r->segment = segment;
		r->names_count = 0;
		return true;
	}
	/* Nothing readable up to the end: whatever was there is gone, so stand at the end. */
	segment_file_unmap(&r->file);
	r->file.number = r->end.segment;
	r->segment.offset = r->end.offset;
	return true;
}

static bool has_bytes_left(const struct spool_reader *r)
{
	if (r->file.number < r->end.segment)
		return r->file.number != 0 && r->segment.offset < r->file.len;
	return r->segment.offset < r->end.offset;
}

/* Gives a decoded point its name. */
static enum spool_read resolve(struct spool_reader *r, struct record *record, bool is_decoded,
			       struct error *err)
{
	if (!is_decoded)
		return SPOOL_READ_UNREADABLE;
	if (record->type == RECORD_METRIC_NAMED) {
		if (record->metric.name_number != r->names_count)
			return SPOOL_READ_UNREADABLE;
		if (!learn_name(r, &record->metric, err))
			return SPOOL_READ_FAILED;
	} else if (record->type == RECORD_METRIC) {
		if (record->metric.name_number >= r->names_count)
			return SPOOL_READ_UNREADABLE;
		record->metric.name = r->names_or_null[record->metric.name_number];
	}
	return SPOOL_READ_RECORD;
}

static bool learn_name(struct spool_reader *r, const struct record_metric *metric,
		       struct error *err)
{
	if (r->names_count == r->names_capacity) {
		uint32_t capacity = r->names_capacity * 2 + 64;
		struct slice *bigger = reallocarray(r->names_or_null, capacity, sizeof *bigger);
		if (bigger == NULL)
			return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
		r->names_or_null = bigger;
		r->names_capacity = capacity;
	}
	r->names_or_null[r->names_count++] = metric->name;
	return true;
}
