/* Owns the compiling of regular expressions. */
#include "db/regex.h"

#include <stdlib.h>
#include <string.h>

#include "db/regex_program.h"

enum { REPEAT_MAX = REGEX_PROGRAM_MAX, UNBOUNDED = -1 };

struct compiler {
	struct regex *regex;
	struct slice rest; /* not compiled yet */
	unsigned depth;	   /* of open groups */
	const char *problem_or_null;
};

static bool compile_choice(struct compiler *c);
static bool compile_sequence(struct compiler *c);
static bool is_place(struct slice atom);
static bool compile_atom(struct compiler *c);
static bool compile_group(struct compiler *c);
static bool compile_escape(struct compiler *c);
static bool compile_class(struct compiler *c);
static bool compile_member(struct compiler *c);
static bool begins_range(const struct compiler *c);
static int32_t take_member(struct compiler *c);
static int32_t take_escaped(struct compiler *c);
static bool add_shorthand(struct compiler *c, char letter);
static bool add_range(struct compiler *c, int32_t first, int32_t last);
static bool compile_repetition(struct compiler *c, int32_t begin, bool is_repeatable);
static bool take_counts(struct compiler *c, int32_t *min_out, int32_t *max_out);
static bool count_from(struct slice text, int32_t *out);
static bool repeat(struct compiler *c, int32_t begin, int32_t min, int32_t max);
static bool copy_piece(struct compiler *c, int32_t begin, int32_t length);
static bool insert_split(struct compiler *c, int32_t at, int32_t distance);
static bool emit(struct compiler *c, enum regex_op op, int32_t value);
static bool take(struct compiler *c, char byte);
static bool fail(struct compiler *c, const char *problem);

/* ---- compiling ---------------------------------------------------------------------------------- */

bool regex_new(struct slice pattern, struct regex **out, struct error *err)
{
	char quoted[200];
	struct regex *regex = calloc(1, sizeof(*regex));
	if (regex == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "No memory for a regular expression.");
	struct compiler c = {.regex = regex, .rest = pattern};
	if (slice_starts_with(pattern, SLICE("(?i)"))) {
		regex->ignore_case = true;
		c.rest = slice_from(pattern, 4);
	}
	bool ok = pattern.len <= REGEX_PATTERN_BYTES_MAX || fail(&c, "it is too long");
	ok = ok && compile_choice(&c) && (c.rest.len == 0 || fail(&c, "')' closes nothing")) &&
	     emit(&c, REGEX_MATCH, 0);
	if (ok) {
		*out = regex;
		return true;
	}
	regex_free(regex);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid regular expression '%s': %s",
			 error_quote(pattern, quoted, sizeof(quoted)), c.problem_or_null);
}

void regex_free(struct regex *regex_or_null)
{
	free(regex_or_null);
}

/* x|y|z: split to x or on; x; jump to the end; split to y or on; y; jump to the end; z */
static bool compile_choice(struct compiler *c)
{
	struct regex_instruction *program = c->regex->program;
	int32_t jumps = REGEX_NO_JUMP; /* linked through their values until the end is known */
	for (;;) {
		int32_t begin = c->regex->length;
		if (!compile_sequence(c))
			return false;
		if (!take(c, '|'))
			break;
		if (!insert_split(c, begin, c->regex->length - begin + 2) ||
		    !emit(c, REGEX_JUMP, jumps))
			return false;
		jumps = c->regex->length - 1;
	}
	while (jumps != REGEX_NO_JUMP) {
		int32_t next = program[jumps].value;
		program[jumps].value = c->regex->length - jumps;
		jumps = next;
	}
	return true;
}

static bool compile_sequence(struct compiler *c)
{
	while (c->rest.len > 0 && c->rest.ptr[0] != '|' && c->rest.ptr[0] != ')') {
		int32_t begin = c->regex->length;
		bool is_repeatable = !is_place(c->rest);
		if (!compile_atom(c) || !compile_repetition(c, begin, is_repeatable))
			return false;
	}
	return true;
}

/* ^ $ \b \B take no character. */
static bool is_place(struct slice atom)
{
	bool is_escape = atom.len > 1 && atom.ptr[0] == '\\';
	return atom.ptr[0] == '^' || atom.ptr[0] == '$' ||
	       (is_escape && (atom.ptr[1] == 'b' || atom.ptr[1] == 'B'));
}

static bool compile_atom(struct compiler *c)
{
	int32_t character = regex_take_character(&c->rest);
	switch (character) {
	case '(':
		return compile_group(c);
	case '[':
		return compile_class(c);
	case '\\':
		return compile_escape(c);
	case '.':
		return emit(c, REGEX_ANY, 0);
	case '^':
		return emit(c, REGEX_BEGIN, 0);
	case '$':
		return emit(c, REGEX_END, 0);
	case '*':
	case '+':
	case '?':
		return fail(c, "there is nothing to repeat");
	default:
		return emit(c, REGEX_CHAR, character);
	}
}

/* Depth is checked. */
static bool compile_group(struct compiler *c)
{
	if (++c->depth > REGEX_GROUPS_DEEP_MAX)
		return fail(c, "groups are nested too deeply");
	if (take(c, '?') && !take(c, ':'))
		return fail(c, "of groups that begin with (? only (?: is taken");
	if (!compile_choice(c))
		return false;
	c->depth--;
	return take(c, ')') || fail(c, "a '(' is not closed");
}

static bool compile_escape(struct compiler *c)
{
	if (c->rest.len == 0)
		return fail(c, "it ends with a backslash");
	char letter = c->rest.ptr[0];
	if (letter == 'b' || letter == 'B') {
		c->rest = slice_from(c->rest, 1);
		return emit(c, letter == 'b' ? REGEX_BORDER : REGEX_NO_BORDER, 0);
	}
	if (strchr("dDwWsS", letter) != NULL) {
		int32_t first = c->regex->range_count;
		c->rest = slice_from(c->rest, 1);
		if (!add_shorthand(c, letter) || !emit(c, REGEX_CLASS, first))
			return false;
		c->regex->program[c->regex->length - 1].count = c->regex->range_count - first;
		return true;
	}
	int32_t character = take_escaped(c);
	return character != REGEX_NO_CHARACTER && emit(c, REGEX_CHAR, character);
}

/* ---- classes ------------------------------------------------------------------------------------ */

static bool compile_class(struct compiler *c)
{
	int32_t first = c->regex->range_count;
	bool is_negative = take(c, '^');
	do { /* a ']' at the beginning is a member */
		if (c->rest.len == 0)
			return fail(c, "a '[' is not closed");
		if (!compile_member(c))
			return false;
	} while (!take(c, ']'));
	if (!emit(c, REGEX_CLASS, first))
		return false;
	struct regex_instruction *instruction = &c->regex->program[c->regex->length - 1];
	instruction->count = c->regex->range_count - first;
	instruction->is_negative = is_negative;
	return true;
}

/* a, a-z, \d */
static bool compile_member(struct compiler *c)
{
	int32_t first, last;
	if (c->rest.len > 1 && c->rest.ptr[0] == '\\' && strchr("dDwWsS", c->rest.ptr[1]) != NULL) {
		char letter = c->rest.ptr[1];
		c->rest = slice_from(c->rest, 2);
		if (begins_range(c))
			return fail(c, "a range begins with a set of characters");
		return add_shorthand(c, letter);
	}
	first = take_member(c);
	last = first;
	if (begins_range(c)) {
		c->rest = slice_from(c->rest, 1);
		last = take_member(c);
	}
	if (first == REGEX_NO_CHARACTER || last == REGEX_NO_CHARACTER)
		return false;
	return first <= last ? add_range(c, first, last)
			     : fail(c, "a range is the wrong way round");
}

/* Does "-z" follow, and not "-]"? */
static bool begins_range(const struct compiler *c)
{
	return c->rest.len > 1 && c->rest.ptr[0] == '-' && c->rest.ptr[1] != ']';
}

static int32_t take_member(struct compiler *c)
{
	if (!take(c, '\\'))
		return regex_take_character(&c->rest);
	if (take(c, 'b'))
		return '\b';
	return take_escaped(c);
}

/* The character that stands behind a backslash; REGEX_NO_CHARACTER when that has no meaning here. */
static int32_t take_escaped(struct compiler *c)
{
	static const char letters[] = "ntrfva";
	static const char characters[] = "\n\t\r\f\v\a";
	if (c->rest.len == 0) {
		(void)fail(c, "it ends with a backslash");
		return REGEX_NO_CHARACTER;
	}
	int32_t character = regex_take_character(&c->rest);
	bool is_letter =
		(character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
	bool is_digit = character >= '0' && character <= '9';
	const char *known = is_letter ? strchr(letters, (char)character) : NULL;
	if (known != NULL)
		return characters[known - letters];
	if (!is_letter && !is_digit)
		return character;
	(void)fail(c, "a letter or digit behind a backslash has no meaning here");
	return REGEX_NO_CHARACTER;
}

/* \d, or what is not \d for \D; likewise \w and \s. */
static bool add_shorthand(struct compiler *c, char letter)
{
	static const struct regex_range digits[] = {{'0', '9'}};
	static const struct regex_range words[] = {
		{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}, {0x80, REGEX_CHARACTER_MAX}};
	static const struct regex_range spaces[] = {{'\t', '\r'}, {0x1c, ' '}};
	const struct regex_range *ranges = digits;
	size_t count = ARRAY_COUNT(digits);
	if (letter == 'w' || letter == 'W') {
		ranges = words;
		count = ARRAY_COUNT(words);
	} else if (letter == 's' || letter == 'S') {
		ranges = spaces;
		count = ARRAY_COUNT(spaces);
	}
	bool is_negative = letter < 'a';
	int32_t next = 0;
	for (size_t i = 0; i < count; i++) {
		bool ok = is_negative ? next == ranges[i].first ||
						add_range(c, next, ranges[i].first - 1)
				      : add_range(c, ranges[i].first, ranges[i].last);
		if (!ok)
			return false;
		next = ranges[i].last + 1;
	}
	return !is_negative || next > REGEX_CHARACTER_MAX ||
	       add_range(c, next, REGEX_CHARACTER_MAX);
}

static bool add_range(struct compiler *c, int32_t first, int32_t last)
{
	if (c->regex->range_count == REGEX_RANGES_MAX)
		return fail(c, "it is too complex");
	c->regex->ranges[c->regex->range_count++] = (struct regex_range){first, last};
	return true;
}

/* ---- repetitions -------------------------------------------------------------------------------- */

/* Of the piece of program from `begin` on. */
static bool compile_repetition(struct compiler *c, int32_t begin, bool is_repeatable)
{
	int32_t min, max;
	if (!take_counts(c, &min, &max))
		return true;
	if (!is_repeatable)
		return fail(c, "there is nothing to repeat");
	(void)take(c, '?'); /* the shortest match is a match, too */
	int32_t more_min, more_max;
	struct slice rest = c->rest;
	if (take_counts(c, &more_min, &more_max))
		return fail(c, "a repetition is repeated");
	c->rest = rest;
	if (max != UNBOUNDED && max < min)
		return fail(c, "a repetition has its counts the wrong way round");
	return repeat(c, begin, min, max);
}

/* False when no repetition follows; a '{' of another form is a character. */
static bool take_counts(struct compiler *c, int32_t *min_out, int32_t *max_out)
{
	*min_out = 0;
	*max_out = UNBOUNDED;
	if (take(c, '*'))
		return true;
	if (take(c, '+')) {
		*min_out = 1;
		return true;
	}
	if (take(c, '?')) {
		*max_out = 1;
		return true;
	}
	size_t close = slice_find_byte(c->rest, '}', 0);
	if (c->rest.len == 0 || c->rest.ptr[0] != '{' || close == c->rest.len)
		return false;
	struct slice counts = slice_first(slice_from(c->rest, 1), close - 1);
	size_t comma = slice_find_byte(counts, ',', 0);
	struct slice first = slice_first(counts, comma), second = slice_from(counts, comma + 1);
	bool has_comma = comma < counts.len;
	if ((first.len > 0 && !count_from(first, min_out)) ||
	    (second.len > 0 && !count_from(second, max_out)) || (first.len == 0 && second.len == 0))
		return false;
	if (!has_comma)
		*max_out = *min_out;
	c->rest = slice_from(c->rest, close + 1);
	return true;
}

/* Digits only; what is more than any program holds counts as that. */
static bool count_from(struct slice text, int32_t *out)
{
	int32_t count = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		count = count * 10 + (text.ptr[i] - '0');
		count = count > REPEAT_MAX ? REPEAT_MAX : count;
	}
	*out = count;
	return true;
}

/* x{2,4}: x x, then twice: split to x or on; x.   x{2,}: x x, back to the last x or on. */
static bool repeat(struct compiler *c, int32_t begin, int32_t min, int32_t max)
{
	int32_t length = c->regex->length - begin;
	if (max == 0) {
		c->regex->length = begin;
		return true;
	}
	if (min == 0 && max == UNBOUNDED)
		return insert_split(c, begin, length + 2) && emit(c, REGEX_JUMP, -(length + 1));
	if (min == 0) {
		if (!insert_split(c, begin, length + 1))
			return false;
		length++;
		min = 1;
		for (; max > 1; max--) {
			if (!copy_piece(c, begin, length))
				return false;
		}
		return true;
	}
	for (int32_t i = 1; i < min; i++) {
		if (!copy_piece(c, begin, length))
			return false;
	}
	if (max == UNBOUNDED)
		return emit(c, REGEX_SPLIT, -length);
	for (int32_t i = min; i < max; i++) {
		int32_t at = c->regex->length;
		if (!copy_piece(c, begin, length) || !insert_split(c, at, length + 1))
			return false;
	}
	return true;
}

static bool copy_piece(struct compiler *c, int32_t begin, int32_t length)
{
	struct regex *regex = c->regex;
	if (length > REGEX_PROGRAM_MAX - regex->length)
		return fail(c, "it is too complex");
	memcpy(&regex->program[regex->length], &regex->program[begin],
	       (size_t)length * sizeof(regex->program[0]));
	regex->length += length;
	return true;
}

/* In front of the piece from `at` on, which ends where the program ends. */
static bool insert_split(struct compiler *c, int32_t at, int32_t distance)
{
	struct regex_instruction *program = c->regex->program;
	if (!emit(c, REGEX_SPLIT, 0))
		return false;
	memmove(&program[at + 1], &program[at],
		(size_t)(c->regex->length - 1 - at) * sizeof(program[0]));
	program[at] = (struct regex_instruction){.op = REGEX_SPLIT, .value = distance};
	return true;
}

static bool emit(struct compiler *c, enum regex_op op, int32_t value)
{
	if (c->regex->length == REGEX_PROGRAM_MAX)
		return fail(c, "it is too complex");
	c->regex->program[c->regex->length++] =
		(struct regex_instruction){.op = op, .value = value};
	return true;
}

static bool take(struct compiler *c, char byte)
{
	if (c->rest.len == 0 || c->rest.ptr[0] != byte)
		return false;
	c->rest = slice_from(c->rest, 1);
	return true;
}

static bool fail(struct compiler *c, const char *problem)
{
	c->problem_or_null = problem;
	return false;
}
