/* Owns the grammar of heads: a table of states by classes of bytes. */
#include "http/head_scan.h"

enum byte_class {
	CLASS_CONTROL, /* also DEL */
	CLASS_TAB,
	CLASS_LF,
	CLASS_CR,
	CLASS_SPACE,
	CLASS_TOKEN, /* RFC 9110 tchar */
	CLASS_COLON,
	CLASS_VISIBLE, /* other printable ASCII */
	CLASS_HIGH,    /* above 127 */
	CLASS_COUNT,
};

/*  before ──CRLF?──▶ line ──CRLF──▶ field ──▶ name ──:──▶ value ──CRLF──▶ field … ──CRLF──▶ end */
enum scan_state {
	STATE_BEFORE,
	STATE_BEFORE_LF,
	STATE_BEFORE_LINE,
	STATE_LINE,
	STATE_LINE_LF,
	STATE_FIELD,
	STATE_NAME,
	STATE_VALUE,
	STATE_VALUE_LF,
	STATE_END_LF,
	STATE_RUNNING_COUNT,

	STATE_END = STATE_RUNNING_COUNT,
	PROBLEM_FIRST,
	PROBLEM_START = PROBLEM_FIRST,
	PROBLEM_BARE_LF,
	PROBLEM_BARE_CR,
	PROBLEM_LINE_BYTE,
	PROBLEM_FOLD,
	PROBLEM_NAME_BYTE,
	PROBLEM_SPACE_IN_NAME,
	PROBLEM_NO_COLON,
	PROBLEM_VALUE_BYTE,
	STATE_COUNT,
};

// clang-format off
static const uint8_t next_state[STATE_RUNNING_COUNT][CLASS_COUNT] = {
	[STATE_BEFORE] = {
		[CLASS_CONTROL] = PROBLEM_START, [CLASS_TAB] = PROBLEM_START, [CLASS_LF] = PROBLEM_BARE_LF,
		[CLASS_CR] = STATE_BEFORE_LF, [CLASS_SPACE] = PROBLEM_START, [CLASS_TOKEN] = STATE_LINE,
		[CLASS_COLON] = PROBLEM_START, [CLASS_VISIBLE] = PROBLEM_START, [CLASS_HIGH] = PROBLEM_START },
	[STATE_BEFORE_LF] = {
		[CLASS_CONTROL] = PROBLEM_BARE_CR, [CLASS_TAB] = PROBLEM_BARE_CR, [CLASS_LF] = STATE_BEFORE_LINE,
		[CLASS_CR] = PROBLEM_BARE_CR, [CLASS_SPACE] = PROBLEM_BARE_CR, [CLASS_TOKEN] = PROBLEM_BARE_CR,
		[CLASS_COLON] = PROBLEM_BARE_CR, [CLASS_VISIBLE] = PROBLEM_BARE_CR, [CLASS_HIGH] = PROBLEM_BARE_CR },
	[STATE_BEFORE_LINE] = {
		[CLASS_CONTROL] = PROBLEM_START, [CLASS_TAB] = PROBLEM_START, [CLASS_LF] = PROBLEM_BARE_LF,
		[CLASS_CR] = PROBLEM_START, [CLASS_SPACE] = PROBLEM_START, [CLASS_TOKEN] = STATE_LINE,
		[CLASS_COLON] = PROBLEM_START, [CLASS_VISIBLE] = PROBLEM_START, [CLASS_HIGH] = PROBLEM_START },
	[STATE_LINE] = {
		[CLASS_CONTROL] = PROBLEM_LINE_BYTE, [CLASS_TAB] = PROBLEM_LINE_BYTE, [CLASS_LF] = PROBLEM_BARE_LF,
		[CLASS_CR] = STATE_LINE_LF, [CLASS_SPACE] = STATE_LINE, [CLASS_TOKEN] = STATE_LINE,
		[CLASS_COLON] = STATE_LINE, [CLASS_VISIBLE] = STATE_LINE, [CLASS_HIGH] = PROBLEM_LINE_BYTE },
	[STATE_LINE_LF] = {
		[CLASS_CONTROL] = PROBLEM_BARE_CR, [CLASS_TAB] = PROBLEM_BARE_CR, [CLASS_LF] = STATE_FIELD,
		[CLASS_CR] = PROBLEM_BARE_CR, [CLASS_SPACE] = PROBLEM_BARE_CR, [CLASS_TOKEN] = PROBLEM_BARE_CR,
		[CLASS_COLON] = PROBLEM_BARE_CR, [CLASS_VISIBLE] = PROBLEM_BARE_CR, [CLASS_HIGH] = PROBLEM_BARE_CR },
	[STATE_FIELD] = {
		[CLASS_CONTROL] = PROBLEM_NAME_BYTE, [CLASS_TAB] = PROBLEM_FOLD, [CLASS_LF] = PROBLEM_BARE_LF,
		[CLASS_CR] = STATE_END_LF, [CLASS_SPACE] = PROBLEM_FOLD, [CLASS_TOKEN] = STATE_NAME,
		[CLASS_COLON] = PROBLEM_NAME_BYTE, [CLASS_VISIBLE] = PROBLEM_NAME_BYTE, [CLASS_HIGH] = PROBLEM_NAME_BYTE },
	[STATE_NAME] = {
		[CLASS_CONTROL] = PROBLEM_NAME_BYTE, [CLASS_TAB] = PROBLEM_SPACE_IN_NAME, [CLASS_LF] = PROBLEM_NO_COLON,
		[CLASS_CR] = PROBLEM_NO_COLON, [CLASS_SPACE] = PROBLEM_SPACE_IN_NAME, [CLASS_TOKEN] = STATE_NAME,
		[CLASS_COLON] = STATE_VALUE, [CLASS_VISIBLE] = PROBLEM_NAME_BYTE, [CLASS_HIGH] = PROBLEM_NAME_BYTE },
	[STATE_VALUE] = {
		[CLASS_CONTROL] = PROBLEM_VALUE_BYTE, [CLASS_TAB] = STATE_VALUE, [CLASS_LF] = PROBLEM_BARE_LF,
		[CLASS_CR] = STATE_VALUE_LF, [CLASS_SPACE] = STATE_VALUE, [CLASS_TOKEN] = STATE_VALUE,
		[CLASS_COLON] = STATE_VALUE, [CLASS_VISIBLE] = STATE_VALUE, [CLASS_HIGH] = STATE_VALUE },
	[STATE_VALUE_LF] = {
		[CLASS_CONTROL] = PROBLEM_BARE_CR, [CLASS_TAB] = PROBLEM_BARE_CR, [CLASS_LF] = STATE_FIELD,
		[CLASS_CR] = PROBLEM_BARE_CR, [CLASS_SPACE] = PROBLEM_BARE_CR, [CLASS_TOKEN] = PROBLEM_BARE_CR,
		[CLASS_COLON] = PROBLEM_BARE_CR, [CLASS_VISIBLE] = PROBLEM_BARE_CR, [CLASS_HIGH] = PROBLEM_BARE_CR },
	[STATE_END_LF] = {
		[CLASS_CONTROL] = PROBLEM_BARE_CR, [CLASS_TAB] = PROBLEM_BARE_CR, [CLASS_LF] = STATE_END,
		[CLASS_CR] = PROBLEM_BARE_CR, [CLASS_SPACE] = PROBLEM_BARE_CR, [CLASS_TOKEN] = PROBLEM_BARE_CR,
		[CLASS_COLON] = PROBLEM_BARE_CR, [CLASS_VISIBLE] = PROBLEM_BARE_CR, [CLASS_HIGH] = PROBLEM_BARE_CR },
};

#define X CLASS_CONTROL
#define B CLASS_TAB
#define L CLASS_LF
#define R CLASS_CR
#define S CLASS_SPACE
#define T CLASS_TOKEN
#define C CLASS_COLON
#define V CLASS_VISIBLE
#define H CLASS_HIGH
static const uint8_t class_of_byte[256] = {
	X, X, X, X, X, X, X, X, X, B, L, X, X, R, X, X, /* 00 */
	X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, /* 10 */
	S, T, V, T, T, T, T, T, V, V, T, T, V, T, T, V, /* 20 */
	T, T, T, T, T, T, T, T, T, T, C, V, V, V, V, V, /* 30 */
	V, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 40 */
	T, T, T, T, T, T, T, T, T, T, T, V, V, V, T, T, /* 50 */
	T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 60 */
	T, T, T, T, T, T, T, T, T, T, T, V, T, V, T, X, /* 70 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 80 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 90 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* a0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* b0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* c0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* d0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* e0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* f0 */
};
#undef X
#undef B
#undef L
#undef R
#undef S
#undef T
#undef C
#undef V
#undef H

static const char *const problems[STATE_COUNT] = {
	[PROBLEM_START] = "The request does not begin with a method.",
	[PROBLEM_BARE_LF] = "A line of the head ends in LF without CR.",
	[PROBLEM_BARE_CR] = "A CR in the head is not followed by LF.",
	[PROBLEM_LINE_BYTE] = "The request line has a byte that is no printable ASCII character.",
	[PROBLEM_FOLD] = "A header line begins with white space.",
	[PROBLEM_NAME_BYTE] = "The name of a header has a character that is not allowed in it.",
	[PROBLEM_SPACE_IN_NAME] = "The name of a header is followed by white space instead of a colon.",
	[PROBLEM_NO_COLON] = "A header line has no colon.",
	[PROBLEM_VALUE_BYTE] = "The value of a header has a control character.",
};
// clang-format on

void head_scan_init(struct head_scan *s)
{
	*s = (struct head_scan){.state = STATE_BEFORE};
}

void head_scan_init_trailers(struct head_scan *s)
{
	*s = (struct head_scan){.state = STATE_FIELD};
}

enum head_scan_result head_scan_next(struct head_scan *s, struct slice bytes, size_t *taken_out)
{
	enum head_scan_result result = HEAD_SCAN_MORE;
	uint8_t state = s->state;
	size_t i = 0;
	while (result == HEAD_SCAN_MORE && i < bytes.len && state < STATE_RUNNING_COUNT) {
		uint8_t before = state;
		state = next_state[state][class_of_byte[(unsigned char)bytes.ptr[i++]]];
		if (state == before)
			continue;
		if (state == STATE_NAME)
			s->field_count++;
		else if (before == STATE_LINE_LF && state == STATE_FIELD)
			result = HEAD_SCAN_LINE;
	}
	s->state = state;
	*taken_out = i;
	if (state == STATE_END)
		return HEAD_SCAN_END;
	return state >= PROBLEM_FIRST ? HEAD_SCAN_BROKEN : result;
}

bool head_scan_has_begun(const struct head_scan *s)
{
	return s->state >= STATE_LINE;
}

const char *head_scan_problem(const struct head_scan *s)
{
	ASSERT(s->state >= PROBLEM_FIRST && s->state < STATE_COUNT);
	return problems[s->state];
}
