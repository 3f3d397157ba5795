/* Owns the matching of regular expressions: all ways through the program at once. */
#include "base/utf8.h"
#include "db/regex_program.h"

/* All places of the program that a match can be at. */
struct places {
	int16_t items[REGEX_PROGRAM_MAX];
	size_t count;
};

/* Where in the text we are. */
struct position {
	int32_t before, after; /* characters, or REGEX_NO_CHARACTER */
	bool is_before_last_newline;
};

/* What a class says of the character at hand. Repetitions copy a class; its ranges are looked at once. */
struct verdict {
	uint32_t step; /* that asked last */
	bool is_in;
};

struct matcher {
	const struct regex *regex;
	struct verdict verdicts[REGEX_RANGES_MAX]; /* by a class's first range */
	uint32_t marks[REGEX_PROGRAM_MAX]; /* the step that saw the instruction last */
	uint32_t step;
	struct places now;  /* instructions that wait for a character */
	struct places next; /* where to go on behind it */
};

static bool reach(struct matcher *m, int16_t place, const struct position *position);
static bool holds(enum regex_op op, const struct position *position);
static bool is_word(int32_t character);
static bool takes(struct matcher *m, const struct regex_instruction *instruction,
		  int32_t character);
static bool is_in_class(const struct regex *regex, const struct regex_instruction *class,
			int32_t character);
static int32_t other_case(int32_t character);

bool regex_finds(const struct regex *regex, struct slice text)
{
	struct matcher m = {.regex = regex};
	struct position position = {.before = REGEX_NO_CHARACTER};
	struct slice rest = text;
	for (;;) {
		bool is_end = rest.len == 0;
		position.is_before_last_newline = rest.len == 1 && rest.ptr[0] == '\n';
		position.after = is_end ? REGEX_NO_CHARACTER : regex_take_character(&rest);
		m.step++;
		m.now.count = 0;
		bool is_match = reach(&m, 0, &position);
		for (size_t i = 0; i < m.next.count; i++)
			is_match = reach(&m, m.next.items[i], &position) || is_match;
		if (is_match || is_end)
			return is_match;
		m.next.count = 0;
		for (size_t i = 0; i < m.now.count; i++) {
			int16_t at = m.now.items[i];
			if (takes(&m, &regex->program[at], position.after))
				m.next.items[m.next.count++] = (int16_t)(at + 1);
		}
		position.before = position.after;
	}
}

int32_t regex_take_character(struct slice *text)
{
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t bytes = utf8_sequence_bytes(text->ptr, text->len);
	int32_t character = (unsigned char)text->ptr[0];
	if (bytes > 0)
		character &= lead_bits[bytes];
	for (size_t i = 1; i < bytes; i++)
		character = character << 6 | ((unsigned char)text->ptr[i] & 0x3f);
	*text = slice_from(*text, bytes == 0 ? 1 : bytes);
	return character;
}

static bool is_word(int32_t character)
{
	return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
	       (character >= 'a' && character <= 'z') || character == '_' || character >= 0x80;
}

static bool holds(enum regex_op op, const struct position *position)
{
	bool is_border = is_word(position->before) != is_word(position->after);
	switch ((int)op) {
	case REGEX_BEGIN:
		return position->before == REGEX_NO_CHARACTER;
	case REGEX_END:
		return position->after == REGEX_NO_CHARACTER || position->is_before_last_newline;
	case REGEX_BORDER:
		return is_border;
	default:
		return !is_border;
	}
}

/* Adds all places that can be reached from `place` without a character. True when the end is among
 * them. Each instruction is put on the stack at most once a step. */
static bool reach(struct matcher *m, int16_t place, const struct position *position)
{
	int16_t stack[REGEX_PROGRAM_MAX];
	size_t depth = 0;
	bool is_match = false;
	if (m->marks[place] == m->step)
		return false;
	m->marks[place] = m->step;
	stack[depth++] = place;
	while (depth > 0) {
		int16_t at = stack[--depth];
		const struct regex_instruction *instruction = &m->regex->program[at];
		int32_t ways[2] = {REGEX_NO_JUMP, REGEX_NO_JUMP};
		switch (instruction->op) {
		case REGEX_MATCH:
			is_match = true;
			break;
		case REGEX_JUMP:
			ways[0] = at + instruction->value;
			break;
		case REGEX_SPLIT:
			ways[0] = at + 1;
			ways[1] = at + instruction->value;
			break;
		case REGEX_BEGIN:
		case REGEX_END:
		case REGEX_BORDER:
		case REGEX_NO_BORDER:
			ways[0] = holds(instruction->op, position) ? at + 1 : REGEX_NO_JUMP;
			break;
		case REGEX_CHAR:
		case REGEX_ANY:
		case REGEX_CLASS:
		default:
			m->now.items[m->now.count++] = at;
			break;
		}
		for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
			if (ways[i] == REGEX_NO_JUMP || m->marks[ways[i]] == m->step)
				continue;
			m->marks[ways[i]] = m->step;
			stack[depth++] = (int16_t)ways[i];
		}
	}
	return is_match;
}

static int32_t other_case(int32_t character)
{
	bool is_letter =
		(character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
	return is_letter ? character ^ 0x20 : character;
}

static bool is_in_class(const struct regex *regex, const struct regex_instruction *class,
			int32_t character)
{
	for (int32_t i = class->value; i < class->value + class->count; i++) {
		if (character >= regex->ranges[i].first && character <= regex->ranges[i].last)
			return true;
	}
	return false;
}

static bool takes(struct matcher *m, const struct regex_instruction *instruction, int32_t character)
{
	const struct regex *regex = m->regex;
	int32_t other = regex->ignore_case ? other_case(character) : character;
	if (instruction->op == REGEX_ANY)
		return character != '\n';
	if (instruction->op == REGEX_CHAR)
		return instruction->value == character || instruction->value == other;
	struct verdict *verdict = &m->verdicts[instruction->value];
	if (verdict->step != m->step) {
		verdict->step = m->step;
		verdict->is_in = is_in_class(regex, instruction, character) ||
				 is_in_class(regex, instruction, other);
	}
	return verdict->is_in != instruction->is_negative;
}
