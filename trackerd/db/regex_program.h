/* What a regular expression is compiled to. Private to db/regex.c and db/regex_match.c. */
#ifndef DB_REGEX_PROGRAM_H
#define DB_REGEX_PROGRAM_H

#include <stdint.h>

#include "db/regex.h"

enum {
	REGEX_RANGES_MAX = REGEX_PATTERN_BYTES_MAX * 3, /* \w of two bytes makes five */
	REGEX_NO_CHARACTER = -1,
	REGEX_NO_JUMP = -1,
	REGEX_CHARACTER_MAX = 0x10ffff,
};

/* Jumps are relative, so that a piece of program can be copied and moved. */
enum regex_op {
	REGEX_CHAR,
	REGEX_ANY,
	REGEX_CLASS,
	REGEX_SPLIT, /* goes on, and jumps */
	REGEX_JUMP,
	REGEX_BEGIN,
	REGEX_END,
	REGEX_BORDER,
	REGEX_NO_BORDER,
	REGEX_MATCH,
};

struct regex_instruction {
	enum regex_op op;
	int32_t value;	  /* CHAR: the character; SPLIT, JUMP: how far; CLASS: its first range */
	int32_t count;	  /* CLASS: ranges */
	bool is_negative; /* CLASS */
};

struct regex_range {
	int32_t first, last;
};

struct regex {
	struct regex_instruction program[REGEX_PROGRAM_MAX];
	int32_t length;
	struct regex_range ranges[REGEX_RANGES_MAX];
	int32_t range_count;
	bool ignore_case;
};

/* Takes the first character of a text that is not empty. */
int32_t regex_take_character(struct slice *text);

#endif
