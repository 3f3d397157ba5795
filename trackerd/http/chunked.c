/* Owns the framing of chunked bodies. */
#include "http/chunked.h"

/*  size_first ─▶ size ─(;)▶ extension ─CR▶ size_lf ─▶ data ─▶ data_cr ─▶ data_lf ─▶ size_first …
 *                                             └─ size 0 ─▶ trailers ─▶ end                          */
enum chunked_state {
	STATE_SIZE_FIRST,
	STATE_SIZE,
	STATE_EXTENSION,
	STATE_SIZE_LF,
	STATE_DATA,
	STATE_DATA_CR,
	STATE_DATA_LF,
	STATE_TRAILERS,
	STATE_END,
	STATE_BROKEN,
};

static void take_byte(struct chunked *c, char byte);
static void take_size_byte(struct chunked *c, char byte);
static void take_extension_byte(struct chunked *c, char byte);
static void take_trailers(struct chunked *c, struct slice *bytes);
static void broken(struct chunked *c, const char *problem);

void chunked_init(struct chunked *c)
{
	*c = (struct chunked){.state = STATE_SIZE_FIRST};
}

enum chunked_result chunked_next(struct chunked *c, struct slice *bytes, struct slice *data_out)
{
	while (bytes->len > 0 && c->state < STATE_END) {
		if (c->state == STATE_DATA) {
			int64_t left = c->size;
			*data_out = slice_first(*bytes, (uint64_t)left < bytes->len ? (size_t)left
										    : bytes->len);
			*bytes = slice_from(*bytes, data_out->len);
			c->size -= (int64_t)data_out->len;
			if (c->size == 0)
				c->state = STATE_DATA_CR;
			return CHUNKED_DATA;
		}
		if (c->state == STATE_TRAILERS) {
			take_trailers(c, bytes);
		} else {
			take_byte(c, bytes->ptr[0]);
			*bytes = slice_from(*bytes, 1);
		}
	}
	if (c->state == STATE_END)
		return CHUNKED_END;
	return c->state == STATE_BROKEN ? CHUNKED_BROKEN : CHUNKED_MORE;
}

/* One byte of framing. */
static void take_byte(struct chunked *c, char byte)
{
	switch ((enum chunked_state)c->state) {
	case STATE_SIZE_FIRST:
	case STATE_SIZE:
		take_size_byte(c, byte);
		break;
	case STATE_EXTENSION:
		take_extension_byte(c, byte);
		break;
	case STATE_SIZE_LF:
		if (byte != '\n') {
			broken(c, "The size of a chunk does not end in CRLF.");
		} else if (c->size > 0) {
			c->state = STATE_DATA;
		} else {
			c->state = STATE_TRAILERS;
			c->line_bytes = 0;
			head_scan_init_trailers(&c->trailers);
		}
		break;
	case STATE_DATA_CR:
		if (byte == '\r')
			c->state = STATE_DATA_LF;
		else
			broken(c, "A chunk is longer than its size says.");
		break;
	case STATE_DATA_LF:
		if (byte == '\n')
			chunked_init(c);
		else
			broken(c, "A chunk does not end in CRLF.");
		break;
	case STATE_DATA:
	case STATE_TRAILERS:
	case STATE_END:
	case STATE_BROKEN:
		break;
	}
}

static void take_size_byte(struct chunked *c, char byte)
{
	int digit = slice_hex_digit(byte);
	if (digit >= 0) {
		if (++c->line_bytes > CHUNK_LINE_BYTES_MAX || c->size > (INT64_MAX >> 4)) {
			broken(c, "The size of a chunk is too large.");
			return;
		}
		c->size = c->size * 16 + digit;
		c->state = STATE_SIZE;
	} else if (c->state == STATE_SIZE && byte == '\r') {
		c->state = STATE_SIZE_LF;
	} else if (c->state == STATE_SIZE && byte == ';') {
		c->line_bytes++;
		c->state = STATE_EXTENSION;
	} else {
		broken(c, "The size of a chunk is not a hexadecimal number.");
	}
}

static void take_extension_byte(struct chunked *c, char byte)
{
	unsigned char value = (unsigned char)byte;
	if (byte == '\r')
		c->state = STATE_SIZE_LF;
	else if ((value < 0x20 && byte != '\t') || value == 0x7f)
		broken(c, "An extension of a chunk has a control character.");
	else if (++c->line_bytes > CHUNK_LINE_BYTES_MAX)
		broken(c, "The extensions of a chunk are too long.");
}

static void take_trailers(struct chunked *c, struct slice *bytes)
{
	size_t room = CHUNK_TRAILER_BYTES_MAX - c->line_bytes;
	size_t taken = 0;
	enum head_scan_result result =
		head_scan_next(&c->trailers, slice_first(*bytes, room), &taken);
	*bytes = slice_from(*bytes, taken);
	c->line_bytes += (unsigned)taken;
	if (result == HEAD_SCAN_END)
		c->state = STATE_END;
	else if (result == HEAD_SCAN_BROKEN)
		broken(c, head_scan_problem(&c->trailers));
	else if (bytes->len > 0)
		broken(c, "The trailers are too long.");
}

static void broken(struct chunked *c, const char *problem)
{
	c->state = STATE_BROKEN;
	c->problem_or_null = problem;
}
