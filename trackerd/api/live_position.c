/* Owns the text of positions. */
#include "api/live_position.h"

#include <inttypes.h>
#include <stdio.h>

enum { RING_ID_DIGITS = 8, SEQ_TEXT_BYTES = 21 };

static void seq_text(int64_t seq, char text[SEQ_TEXT_BYTES]);
static bool parse_ring_id(struct slice text, uint32_t *out);
static bool parse_seq(struct slice text, int64_t *out);

struct live_position live_position_unknown(void)
{
	struct live_position position = {0};
	for (int i = 0; i < LIVE_SOURCES; i++)
		position.seq[i] = LIVE_SEQ_UNKNOWN;
	return position;
}

void live_position_format(const struct live_position *position, char text[LIVE_POSITION_TEXT_BYTES])
{
	char parts[LIVE_SOURCES][SEQ_TEXT_BYTES];
	for (int i = 0; i < LIVE_SOURCES; i++)
		seq_text(position->seq[i], parts[i]);
	/* Fits: 8 digits, three numbers of up to 20, four other characters. */
	(void)snprintf(text, LIVE_POSITION_TEXT_BYTES, "%08" PRIx32 "-%s.%s.%s", position->ring_id,
		       parts[LIVE_FROM_RING], parts[LIVE_FROM_MODELS],
		       parts[LIVE_FROM_DEPLOYMENTS]);
}

bool live_position_parse(struct slice text, struct live_position *out)
{
	struct live_position position;
	struct slice part, rest = slice_from(text, RING_ID_DIGITS + 1);
	if (text.len <= RING_ID_DIGITS || text.ptr[RING_ID_DIGITS] != '-' ||
	    !parse_ring_id(slice_first(text, RING_ID_DIGITS), &position.ring_id))
		return false;
	for (int i = 0; i < LIVE_SOURCES; i++) {
		if (!slice_next(&rest, '.', &part) || !parse_seq(part, &position.seq[i]))
			return false;
	}
	if (slice_is_present(rest))
		return false;
	*out = position;
	return true;
}

static void seq_text(int64_t seq, char text[SEQ_TEXT_BYTES])
{
	if (seq == LIVE_SEQ_UNKNOWN)
		(void)snprintf(text, SEQ_TEXT_BYTES, "-");
	else
		(void)snprintf(text, SEQ_TEXT_BYTES, "%" PRId64, seq);
}

static bool parse_ring_id(struct slice text, uint32_t *out)
{
	uint32_t id = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = slice_hex_digit(text.ptr[i]);
		if (digit < 0)
			return false;
		id = id << 4 | (uint32_t)digit;
	}
	*out = id;
	return true;
}

static bool parse_seq(struct slice text, int64_t *out)
{
	if (slice_eq(text, SLICE("-"))) {
		*out = LIVE_SEQ_UNKNOWN;
		return true;
	}
	return slice_parse_i64(text, out) && *out >= 0;
}
