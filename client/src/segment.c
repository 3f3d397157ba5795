/* Owns the bytes of a spool file: how records are framed, and which of them can be trusted. */
#include "src/segment.h"

#include <string.h>

#include "src/crc32c.h"

static const char magic[8] = {'t', 'r', 'k', 's', 'p', 'o', 'o', 'l'};

/* Offsets in the header. */
enum { HEADER_FORMAT = 8, HEADER_NUMBER = 12, HEADER_FIRST = 16, HEADER_CRC = 60 };
/* Offsets in a record. */
enum { RECORD_CRC = 0, RECORD_BYTES = 4, RECORD_SEQUENCE = 8 };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "numbers are copied as they are in memory");

static uint32_t load_u32(const char *at);
static uint64_t load_u64(const char *at);
static bool record_is_end(const char *at);

size_t segment_record_bytes(size_t payload_bytes)
{
	return SEGMENT_RECORD_HEADER_BYTES + (payload_bytes + 7) / 8 * 8;
}

void segment_write_header(char *at, uint32_t number, uint64_t first_sequence)
{
	const uint32_t format = SEGMENT_FORMAT;
	memset(at, 0, SEGMENT_HEADER_BYTES);
	memcpy(at, magic, sizeof magic);
	memcpy(at + HEADER_FORMAT, &format, sizeof format);
	memcpy(at + HEADER_NUMBER, &number, sizeof number);
	memcpy(at + HEADER_FIRST, &first_sequence, sizeof first_sequence);
	uint32_t crc = crc32c(0, at, HEADER_CRC);
	memcpy(at + HEADER_CRC, &crc, sizeof crc);
}

void segment_write_record(char *at, uint64_t sequence, struct slice payload)
{
	ASSERT(payload.len >= 1 && payload.len <= SEGMENT_PAYLOAD_BYTES_MAX);
	uint32_t payload_bytes = (uint32_t)payload.len;
	memcpy(at + RECORD_BYTES, &payload_bytes, sizeof payload_bytes);
	memcpy(at + RECORD_SEQUENCE, &sequence, sizeof sequence);
	memcpy(at + SEGMENT_RECORD_HEADER_BYTES, payload.ptr, payload.len);
	size_t end = SEGMENT_RECORD_HEADER_BYTES + payload.len;
	memset(at + end, 0, segment_record_bytes(payload.len) - end);
	uint32_t crc = crc32c(0, at + RECORD_BYTES, end - RECORD_BYTES);
	memcpy(at + RECORD_CRC, &crc, sizeof crc);
}

bool segment_reader_init(struct segment_reader *r, struct slice bytes,
			 struct segment_header *header)
{
	memset(header, 0, sizeof *header);
	if (bytes.len < SEGMENT_HEADER_BYTES || memcmp(bytes.ptr, magic, sizeof magic) != 0)
		return false;
	if (load_u32(bytes.ptr + HEADER_CRC) != crc32c(0, bytes.ptr, HEADER_CRC))
		return false;
	header->format = load_u32(bytes.ptr + HEADER_FORMAT);
	if (header->format != SEGMENT_FORMAT)
		return false;
	header->number = load_u32(bytes.ptr + HEADER_NUMBER);
	header->first_sequence = load_u64(bytes.ptr + HEADER_FIRST);
	*r = (struct segment_reader){bytes, SEGMENT_HEADER_BYTES, header->first_sequence};
	return true;
}

enum segment_read segment_reader_next(struct segment_reader *r, uint64_t *sequence,
				      struct slice *payload)
{
	size_t left = r->bytes.len - r->offset;
	if (left == 0)
		return SEGMENT_END;
	if (left < SEGMENT_RECORD_HEADER_BYTES)
		return SEGMENT_TORN;
	const char *at = r->bytes.ptr + r->offset;
	if (record_is_end(at))
		return SEGMENT_END;
	size_t payload_bytes = load_u32(at + RECORD_BYTES);
	if (payload_bytes < 1 || payload_bytes > SEGMENT_PAYLOAD_BYTES_MAX)
		return SEGMENT_TORN;
	if (segment_record_bytes(payload_bytes) > left ||
	    load_u64(at + RECORD_SEQUENCE) != r->next_sequence)
		return SEGMENT_TORN;
	size_t covered = SEGMENT_RECORD_HEADER_BYTES - RECORD_BYTES + payload_bytes;
	if (load_u32(at + RECORD_CRC) != crc32c(0, at + RECORD_BYTES, covered))
		return SEGMENT_TORN;
	*sequence = r->next_sequence++;
	*payload = slice_make(at + SEGMENT_RECORD_HEADER_BYTES, payload_bytes);
	r->offset += segment_record_bytes(payload_bytes);
	return SEGMENT_RECORD;
}

static uint32_t load_u32(const char *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static uint64_t load_u64(const char *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof value);
	return value;
}

static bool record_is_end(const char *at)
{
	static const char zeros[SEGMENT_RECORD_HEADER_BYTES];
	return memcmp(at, zeros, sizeof zeros) == 0;
}
