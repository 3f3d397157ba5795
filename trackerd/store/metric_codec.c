/* Owns the formats of metric_tail.data and metric_chunks.data. */
#include "store/metric_codec.h"

#include <endian.h>
#include <string.h>
#include <zstd.h>

enum {
	TAIL_VERSION = 1,
	CHUNK_VERSION = 1,
	CHECKSUM_BYTES = 4,
	VARINT_BYTES_MAX = 10,
	VALUE_BYTES = 8,
	SAMPLE_BYTES_MAX = 2 * VARINT_BYTES_MAX + VALUE_BYTES,
	/* Below this zstd's own set-up (10 µs) costs more than the bytes, which the next merge rewrites. */
	PACK_BYTES_MIN = 2048,
	PACK_LEVEL = 1, /* level 3: 1 % smaller, up to a fifth slower */
};

enum chunk_packing { CHUNK_PLAIN = 0, CHUNK_ZSTD = 1 };

static uint32_t checksum(struct slice bytes);
static uint64_t zigzag(uint64_t difference);
static uint64_t unzigzag(uint64_t coded);
static char *put_varint(char *at, uint64_t value);
static bool take_varint(struct slice *rest, uint64_t *out);
static struct slice finish(char *start, char *end);
static bool open_frame(struct slice data, unsigned char version, struct slice *body_out,
		       struct error *err);
static bool damaged(struct error *err);

/* ---- tails ---- */

/* version, varints of: points, bytes of heads, bytes of steps, bytes of timestamps; then these columns
 * and the values. */
struct slice metric_tail_encode(const struct metric_group *groups, size_t group_count,
				struct arena *arena)
{
	size_t point_count = 0;
	for (size_t g = 0; g < group_count; g++)
		point_count += groups[g].samples.count;
	ASSERT(point_count > 0 && point_count <= METRIC_TAIL_SAMPLES_MAX);
	char *heads = ARENA_NEW(arena, char, 2 * VARINT_BYTES_MAX * group_count);
	char *steps = ARENA_NEW(arena, char, VARINT_BYTES_MAX *point_count);
	char *times = ARENA_NEW(arena, char, VARINT_BYTES_MAX *point_count);
	char *heads_end = heads, *steps_end = steps, *times_end = times;
	int64_t name_pk = 0;
	uint64_t step = 0, timestamp_ms = 0;
	for (size_t g = 0; g < group_count; g++) {
		ASSERT(groups[g].name_pk > name_pk && groups[g].samples.count > 0);
		heads_end = put_varint(heads_end, (uint64_t)(groups[g].name_pk - name_pk));
		heads_end = put_varint(heads_end, groups[g].samples.count);
		name_pk = groups[g].name_pk;
		for (size_t i = 0; i < groups[g].samples.count; i++) {
			const struct metric_sample *s = &groups[g].samples.items[i];
			steps_end = put_varint(steps_end, zigzag((uint64_t)s->step - step));
			times_end = put_varint(times_end,
					       zigzag((uint64_t)s->timestamp_ms - timestamp_ms));
			step = (uint64_t)s->step;
			timestamp_ms = (uint64_t)s->timestamp_ms;
		}
	}
	size_t heads_bytes = (size_t)(heads_end - heads), steps_bytes = (size_t)(steps_end - steps),
	       times_bytes = (size_t)(times_end - times);
	char *start = ARENA_NEW(arena, char,
				1 + 4 * VARINT_BYTES_MAX + heads_bytes + steps_bytes + times_bytes +
					VALUE_BYTES * point_count + CHECKSUM_BYTES);
	char *at = start;
	*at++ = TAIL_VERSION;
	at = put_varint(at, point_count);
	at = put_varint(at, heads_bytes);
	at = put_varint(at, steps_bytes);
	at = put_varint(at, times_bytes);
	at = mempcpy(at, heads, heads_bytes);
	at = mempcpy(at, steps, steps_bytes);
	at = mempcpy(at, times, times_bytes);
	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].samples.count; i++) {
			uint64_t bits;
			memcpy(&bits, &groups[g].samples.items[i].value, sizeof(bits));
			bits = htole64(bits);
			at = mempcpy(at, &bits, sizeof(bits));
		}
	}
	return finish(start, at);
}

static bool take_bytes(struct slice *rest, uint64_t count, struct slice *out)
{
	if (count > rest->len)
		return false;
	*out = slice_first(*rest, (size_t)count);
	*rest = slice_from(*rest, (size_t)count);
	return true;
}

bool metric_tail_open(struct slice data, struct metric_tail_reader *out, struct error *err)
{
	struct slice body;
	if (!open_frame(data, TAIL_VERSION, &body, err))
		return false;
	struct metric_tail_reader reader = {0};
	uint64_t points, heads, steps, timestamps;
	if (!take_varint(&body, &points) || !take_varint(&body, &heads) ||
	    !take_varint(&body, &steps) || !take_varint(&body, &timestamps) ||
	    !take_bytes(&body, heads, &reader.heads) || !take_bytes(&body, steps, &reader.steps) ||
	    !take_bytes(&body, timestamps, &reader.timestamps) || points == 0 ||
	    points > METRIC_TAIL_SAMPLES_MAX || body.len != points * VALUE_BYTES)
		return damaged(err);
	reader.values = body;
	reader.points_left = (size_t)points;
	*out = reader;
	return true;
}

bool metric_tail_next(struct metric_tail_reader *reader, bool *found_out, struct error *err)
{
	if (reader->heads.len == 0) {
		if (reader->points_left > 0 || reader->steps.len > 0 || reader->timestamps.len > 0)
			return damaged(err);
		*found_out = false;
		return true;
	}
	struct slice heads = reader->heads;
	uint64_t name_step, count;
	if (!take_varint(&heads, &name_step) || !take_varint(&heads, &count) || name_step == 0 ||
	    name_step > (uint64_t)(INT64_MAX - reader->name_pk) || count == 0 ||
	    count > reader->points_left)
		return damaged(err);
	reader->heads = heads;
	reader->name_pk += (int64_t)name_step;
	reader->count = (size_t)count;
	reader->points_left -= (size_t)count;
	*found_out = true;
	return true;
}

static double value_from_bits(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof(value));
	return metric_value_normal(value);
}

bool metric_tail_read(struct metric_tail_reader *reader, struct metric_samples *out,
		      struct error *err)
{
	struct metric_sample *items = out->items + out->count;
	for (size_t i = 0; i < reader->count; i++) {
		uint64_t step, timestamp_ms, bits;
		if (!take_varint(&reader->steps, &step) ||
		    !take_varint(&reader->timestamps, &timestamp_ms))
			return damaged(err);
		reader->step += unzigzag(step);
		reader->timestamp_ms += unzigzag(timestamp_ms);
		memcpy(&bits, reader->values.ptr + i * VALUE_BYTES, sizeof(bits));
		items[i] =
			(struct metric_sample){(int64_t)reader->timestamp_ms, (int64_t)reader->step,
					       value_from_bits(le64toh(bits))};
		if (i > 0 && metric_sample_compare(&items[i - 1], &items[i]) >= 0)
			return damaged(err);
	}
	reader->values = slice_from(reader->values, reader->count * VALUE_BYTES);
	out->count += reader->count;
	return true;
}

bool metric_tail_skip(struct metric_tail_reader *reader, struct error *err)
{
	for (size_t i = 0; i < reader->count; i++) {
		uint64_t step, timestamp_ms;
		if (!take_varint(&reader->steps, &step) ||
		    !take_varint(&reader->timestamps, &timestamp_ms))
			return damaged(err);
		reader->step += unzigzag(step);
		reader->timestamp_ms += unzigzag(timestamp_ms);
	}
	reader->values = slice_from(reader->values, reader->count * VALUE_BYTES);
	return true;
}

/* ---- chunks ---- */

/* The first difference is from 0 and does not count as a difference for the second. */
static char *put_column(char *at, const struct metric_samples *samples, bool is_step)
{
	uint64_t before = 0, difference_before = 0;
	for (size_t i = 0; i < samples->count; i++) {
		const struct metric_sample *s = &samples->items[i];
		uint64_t now = (uint64_t)(is_step ? s->step : s->timestamp_ms);
		uint64_t difference = now - before;
		at = put_varint(at, zigzag(difference - difference_before));
		before = now;
		difference_before = i == 0 ? 0 : difference;
	}
	return at;
}

static bool take_column(struct slice *rest, struct metric_sample *items, size_t count, bool is_step)
{
	uint64_t now = 0, difference = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t coded;
		if (!take_varint(rest, &coded))
			return false;
		difference += unzigzag(coded);
		now += difference;
		if (is_step)
			items[i].step = (int64_t)now;
		else
			items[i].timestamp_ms = (int64_t)now;
		if (i == 0)
			difference = 0;
	}
	return true;
}

static char *put_planes(char *at, const struct metric_samples *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		uint64_t bits;
		memcpy(&bits, &samples->items[i].value, sizeof(bits));
		for (unsigned plane = 0; plane < VALUE_BYTES; plane++)
			at[plane * samples->count + i] = (char)(unsigned char)(bits >> (8 * plane));
	}
	return at + VALUE_BYTES * samples->count;
}

static void take_planes(struct slice planes, struct metric_sample *items, size_t count)
{
	const unsigned char *bytes = (const unsigned char *)planes.ptr;
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = 0;
		for (unsigned plane = 0; plane < VALUE_BYTES; plane++)
			bits |= (uint64_t)bytes[plane * count + i] << (8 * plane);
		items[i].value = value_from_bits(bits);
	}
}

/* version, packing, varints of: points, bytes of the columns unpacked; then the columns. */
struct slice metric_chunk_encode(const struct metric_samples *samples, struct arena *arena)
{
	ASSERT(samples->count > 0 && samples->count <= METRIC_CHUNK_SAMPLES_MAX);
	char *columns = ARENA_NEW(arena, char, SAMPLE_BYTES_MAX * samples->count);
	char *columns_end = put_column(columns, samples, true);
	columns_end = put_column(columns_end, samples, false);
	columns_end = put_planes(columns_end, samples);
	size_t columns_bytes = (size_t)(columns_end - columns);

	size_t room = ZSTD_compressBound(columns_bytes);
	char *start = ARENA_NEW(arena, char, 2 + 2 * VARINT_BYTES_MAX + room + CHECKSUM_BYTES);
	char *at = start;
	*at++ = CHUNK_VERSION;
	*at++ = CHUNK_PLAIN;
	at = put_varint(at, samples->count);
	at = put_varint(at, columns_bytes);
	if (columns_bytes >= PACK_BYTES_MIN) {
		size_t packed = ZSTD_compress(at, room, columns, columns_bytes, PACK_LEVEL);
		/* zstd can only fail here for want of memory; plain columns are as good. */
		if (!ZSTD_isError(packed) && packed < columns_bytes) {
			start[1] = CHUNK_ZSTD;
			return finish(start, at + packed);
		}
	}
	return finish(start, mempcpy(at, columns, columns_bytes));
}

/* The columns of a chunk, unpacked into the arena when they are packed. */
static bool unpack(struct slice body, unsigned char packing, uint64_t columns_bytes,
		   struct arena *arena, struct slice *out)
{
	if (packing == CHUNK_PLAIN) {
		*out = body;
		return body.len == columns_bytes;
	}
	if (packing != CHUNK_ZSTD)
		return false;
	char *columns = ARENA_NEW(arena, char, columns_bytes);
	size_t unpacked = ZSTD_decompress(columns, columns_bytes, body.ptr, body.len);
	*out = slice_make(columns, columns_bytes);
	return !ZSTD_isError(unpacked) && unpacked == columns_bytes;
}

static bool take_samples(struct slice columns, struct metric_sample *items, size_t count)
{
	if (!take_column(&columns, items, count, true) ||
	    !take_column(&columns, items, count, false) || columns.len != VALUE_BYTES * count)
		return false;
	take_planes(columns, items, count);
	for (size_t i = 1; i < count; i++)
		if (metric_sample_compare(&items[i - 1], &items[i]) >= 0)
			return false;
	return true;
}

bool metric_chunk_decode(struct slice data, int64_t count, struct metric_samples *out,
			 struct arena *arena, struct error *err)
{
	struct slice body;
	if (!open_frame(data, CHUNK_VERSION, &body, err))
		return false;
	if (body.len == 0)
		return damaged(err);
	unsigned char packing = (unsigned char)body.ptr[0];
	body = slice_from(body, 1);
	uint64_t coded_count, columns_bytes;
	if (!take_varint(&body, &coded_count) || !take_varint(&body, &columns_bytes) ||
	    coded_count == 0 || coded_count > METRIC_CHUNK_SAMPLES_MAX ||
	    coded_count != (uint64_t)count || columns_bytes > SAMPLE_BYTES_MAX * coded_count)
		return damaged(err);
	struct arena_mark mark = arena_mark(arena);
	struct slice columns;
	bool ok = unpack(body, packing, columns_bytes, arena, &columns) &&
		  take_samples(columns, out->items + out->count, (size_t)coded_count);
	arena_rewind(arena, mark);
	if (!ok)
		return damaged(err);
	out->count += (size_t)coded_count;
	return true;
}

/* ---- bytes ---- */

/* Each eight bytes are mixed in by a multiplication with an odd constant (2^64 divided by the golden
 * ratio), so that any change of one of them changes the 64 bits that are folded to 32 at the end; a guard
 * against damage, not against forgery. */
static uint32_t checksum(struct slice bytes)
{
	const uint64_t factor = 0x9e3779b97f4a7c15u;
	uint64_t sum = factor ^ bytes.len;
	while (bytes.len > 0) {
		uint64_t word = 0;
		size_t taken = bytes.len < sizeof(word) ? bytes.len : sizeof(word);
		memcpy(&word, bytes.ptr, taken);
		sum = (sum ^ le64toh(word)) * factor;
		sum ^= sum >> 32;
		bytes = slice_from(bytes, taken);
	}
	return (uint32_t)(sum ^ sum >> 32);
}

/* Small numbers of either sign become small numbers without one. */
static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 != 0 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t coded)
{
	return coded >> 1 ^ ((coded & 1) != 0 ? UINT64_MAX : 0);
}

/* Seven bits a byte, least first; the high bit says that more follow. */
static char *put_varint(char *at, uint64_t value)
{
	while (value >= 0x80) {
		*at++ = (char)(unsigned char)(value | 0x80);
		value >>= 7;
	}
	*at++ = (char)(unsigned char)value;
	return at;
}

static bool take_varint(struct slice *rest, uint64_t *out)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < VARINT_BYTES_MAX && i < rest->len; i++) {
		unsigned char byte = (unsigned char)rest->ptr[i];
		if (i == VARINT_BYTES_MAX - 1 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			rest->ptr += i + 1;
			rest->len -= i + 1;
			*out = value;
			return true;
		}
	}
	return false;
}

/* Puts the checksum behind `end`. */
static struct slice finish(char *start, char *end)
{
	uint32_t sum = htole32(checksum(slice_make(start, (size_t)(end - start))));
	memcpy(end, &sum, CHECKSUM_BYTES);
	return slice_make(start, (size_t)(end - start) + CHECKSUM_BYTES);
}

/* What stands between version and checksum. */
static bool open_frame(struct slice data, unsigned char version, struct slice *body_out,
		       struct error *err)
{
	if (data.len < 1 + CHECKSUM_BYTES || (unsigned char)data.ptr[0] != version)
		return damaged(err);
	struct slice summed = slice_first(data, data.len - CHECKSUM_BYTES);
	uint32_t sum;
	memcpy(&sum, data.ptr + summed.len, sizeof(sum));
	if (le32toh(sum) != checksum(summed))
		return damaged(err);
	*body_out = slice_from(summed, 1);
	return true;
}

static bool damaged(struct error *err)
{
	return error_set(err, ERR_DATA_LOSS, "Stored metric points are damaged.");
}
