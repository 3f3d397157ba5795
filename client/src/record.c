/* Owns the payloads of spool records: their fields, in order, and how they are read back. */
#include "src/record.h"

#include <string.h>

static const uint32_t ABSENT_LENGTH = UINT32_MAX;

/* A walk over a payload; `failed` is sticky and everything read after it is zero. */
struct walk {
	struct slice rest;
	bool failed;
};

static bool is_stored_name(struct slice name);
static void put_u32(struct buffer *out, uint32_t value);
static void put_i64(struct buffer *out, int64_t value);
static void put_text(struct buffer *out, struct slice text);
static void take_bytes(struct walk *w, void *out, size_t count);
static uint32_t take_u32(struct walk *w);
static int64_t take_i64(struct walk *w);
static struct slice take_text(struct walk *w);
static void encode_start(const struct record_start *start, struct buffer *out);
static void decode_start(struct walk *w, struct record_start *start);
static void decode_metric(struct walk *w, enum record_type type, struct record_metric *metric);

bool record_check_name(struct slice name, struct error *err)
{
	char quoted[128];
	if (name.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "a name is empty");
	if (!slice_is_utf8(name))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "the name '%s' is not UTF-8",
				 error_quote(name, quoted, sizeof quoted));
	if (slice_utf8_length(name) > RECORD_NAME_LENGTH_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the name '%s' is longer than %d characters",
				 error_quote(name, quoted, sizeof quoted), RECORD_NAME_LENGTH_MAX);
	return true;
}

void record_encode(const struct record *record, struct buffer *out)
{
	ASSERT(record->type != RECORD_METRIC && record->type != RECORD_METRIC_NAMED);
	buffer_append_byte(out, (char)record->type);
	switch (record->type) {
	case RECORD_START:
		encode_start(&record->start, out);
		return;
	case RECORD_PARAM:
	case RECORD_TAG:
		record_encode_pair(out, record->pair.key, record->pair.value);
		return;
	case RECORD_FILE:
	case RECORD_ARCHIVE:
		put_text(out, record->file.artifact_path);
		put_text(out, record->file.stored_name);
		put_text(out, record->file.sha256);
		put_text(out, record->file.tree_sha256_or_absent);
		put_i64(out, record->file.bytes);
		return;
	case RECORD_DATASET:
		put_text(out, record->dataset.name);
		put_text(out, record->dataset.digest);
		put_text(out, record->dataset.source_type);
		put_text(out, record->dataset.source);
		put_text(out, record->dataset.context_or_absent);
		return;
	case RECORD_END:
		put_i64(out, record->end.time_ms);
		put_text(out, record->end.status);
		return;
	case RECORD_CLOSE:
	case RECORD_METRIC:
	case RECORD_METRIC_NAMED:
		return;
	}
}

void record_encode_pair(struct buffer *out, struct slice key, struct slice value)
{
	put_text(out, key);
	put_text(out, value);
}

void record_encode_metric(enum record_type type, const struct record_metric *metric,
			  char at[RECORD_METRIC_BYTES])
{
	ASSERT(type == RECORD_METRIC || type == RECORD_METRIC_NAMED);
	memset(at, 0, 4);
	at[0] = (char)type;
	memcpy(at + 4, &metric->name_number, 4);
	memcpy(at + 8, &metric->value, 8);
	memcpy(at + 16, &metric->step, 8);
	memcpy(at + 24, &metric->time_ms, 8);
}

bool record_decode(struct slice payload, struct record *out)
{
	struct walk w = {payload, false};
	unsigned char type = 0;
	take_bytes(&w, &type, 1);
	memset(out, 0, sizeof *out);
	switch (type) {
	case RECORD_START:
		decode_start(&w, &out->start);
		break;
	case RECORD_METRIC:
	case RECORD_METRIC_NAMED:
		decode_metric(&w, type, &out->metric);
		break;
	case RECORD_PARAM:
	case RECORD_TAG:
		out->pair.key = take_text(&w);
		out->pair.value = take_text(&w);
		break;
	case RECORD_FILE:
	case RECORD_ARCHIVE:
		out->file.artifact_path = take_text(&w);
		out->file.stored_name = take_text(&w);
		out->file.sha256 = take_text(&w);
		out->file.tree_sha256_or_absent = take_text(&w);
		out->file.bytes = take_i64(&w);
		w.failed =
			w.failed || !is_stored_name(out->file.stored_name) || out->file.bytes < 0;
		break;
	case RECORD_DATASET:
		out->dataset.name = take_text(&w);
		out->dataset.digest = take_text(&w);
		out->dataset.source_type = take_text(&w);
		out->dataset.source = take_text(&w);
		out->dataset.context_or_absent = take_text(&w);
		break;
	case RECORD_END:
		out->end.time_ms = take_i64(&w);
		out->end.status = take_text(&w);
		break;
	case RECORD_CLOSE:
		break;
	default:
		return false;
	}
	out->type = (enum record_type)type;
	return !w.failed && w.rest.len == 0;
}

bool record_next_pair(struct slice *tags, struct record_pair *out)
{
	struct walk w = {*tags, false};
	struct record_pair pair = {take_text(&w), {NULL, 0}};
	pair.value = take_text(&w);
	if (w.failed)
		return false;
	*tags = w.rest;
	*out = pair;
	return true;
}

static void encode_start(const struct record_start *start, struct buffer *out)
{
	buffer_append_byte(out, start->is_continued ? 1 : 0);
	put_i64(out, start->time_ms);
	put_text(out, start->url);
	put_text(out, start->experiment);
	put_text(out, start->run_name_or_absent);
	put_text(out, start->user_or_absent);
	put_u32(out, start->given_tags_count);
	put_u32(out, start->tags_count);
	buffer_append(out, start->tags);
}

static void decode_start(struct walk *w, struct record_start *start)
{
	unsigned char is_continued = 0;
	take_bytes(w, &is_continued, 1);
	start->is_continued = is_continued != 0;
	start->time_ms = take_i64(w);
	start->url = take_text(w);
	start->experiment = take_text(w);
	start->run_name_or_absent = take_text(w);
	start->user_or_absent = take_text(w);
	start->given_tags_count = take_u32(w);
	start->tags_count = take_u32(w);
	start->tags = w->rest;
	uint32_t count = 0;
	struct record_pair pair;
	while (count < start->tags_count && record_next_pair(&w->rest, &pair))
		count++;
	if (count != start->tags_count || start->given_tags_count > count)
		w->failed = true;
	start->tags.len -= w->rest.len;
}

static void decode_metric(struct walk *w, enum record_type type, struct record_metric *metric)
{
	char padding[3];
	take_bytes(w, padding, sizeof padding);
	metric->name_number = take_u32(w);
	take_bytes(w, &metric->value, sizeof metric->value);
	metric->step = take_i64(w);
	metric->time_ms = take_i64(w);
	if (type == RECORD_METRIC)
		return;
	metric->name = w->rest;
	if (w->rest.len == 0)
		w->failed = true;
	w->rest.len = 0;
}

/* "file-N": a name from a spool must not lead out of its folder. */
static bool is_stored_name(struct slice name)
{
	uint64_t number;
	return slice_starts_with(name, SLICE("file-")) &&
	       slice_parse_u64(slice_from(name, 5), &number);
}

static void put_u32(struct buffer *out, uint32_t value)
{
	char bytes[sizeof value];
	memcpy(bytes, &value, sizeof value);
	buffer_append(out, slice_make(bytes, sizeof bytes));
}

static void put_i64(struct buffer *out, int64_t value)
{
	char bytes[sizeof value];
	memcpy(bytes, &value, sizeof value);
	buffer_append(out, slice_make(bytes, sizeof bytes));
}

static void put_text(struct buffer *out, struct slice text)
{
	if (!slice_is_present(text)) {
		put_u32(out, ABSENT_LENGTH);
		return;
	}
	ASSERT(text.len < ABSENT_LENGTH);
	put_u32(out, (uint32_t)text.len);
	buffer_append(out, text);
}

static void take_bytes(struct walk *w, void *out, size_t count)
{
	if (w->failed || w->rest.len < count) {
		w->failed = true;
		memset(out, 0, count);
		return;
	}
	memcpy(out, w->rest.ptr, count);
	w->rest = slice_from(w->rest, count);
}

static uint32_t take_u32(struct walk *w)
{
	uint32_t value;
	take_bytes(w, &value, sizeof value);
	return value;
}

static int64_t take_i64(struct walk *w)
{
	int64_t value;
	take_bytes(w, &value, sizeof value);
	return value;
}

static struct slice take_text(struct walk *w)
{
	size_t len = take_u32(w);
	if (w->failed || len == ABSENT_LENGTH)
		return (struct slice){NULL, 0};
	if (len > w->rest.len) {
		w->failed = true;
		return (struct slice){NULL, 0};
	}
	struct slice text = slice_first(w->rest, len);
	w->rest = slice_from(w->rest, len);
	return text;
}
