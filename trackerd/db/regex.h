/* Regular expressions, as RLIKE of the filter language and the SQL function rlike search with them: anywhere in the
 * text.
 *
 *     a  .  ^  $  \b \B            a character, any but a newline, begin, end, border of a word
 *     [a-z_]  [^0-9]               one of, none of; \d \w \s \D \W \S also stand alone
 *     x*  x+  x?  x{2}  x{2,}  x{2,5}      repetitions; a '?' behind them changes nothing here
 *     xy  x|y  (x)  (?:x)  (?i)…           sequence, choice, group; (?i) at the very beginning ignores ASCII case
 *     \n \t \r \f \v \. \\ …       control characters, and any sign as itself
 *
 * These mean what they mean in Python's re. What it has beyond them - references, looking around, named groups - is
 * refused. Characters are code points; \w takes all above 127.
 *
 * Matching follows all ways at once: whatever the expression, a character of the text takes at most REGEX_PROGRAM_MAX
 * steps, and one look at each range of each class. */
#ifndef DB_REGEX_H
#define DB_REGEX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

enum { REGEX_PATTERN_BYTES_MAX = 1000, REGEX_PROGRAM_MAX = 1000, REGEX_GROUPS_DEEP_MAX = 32 };

struct regex;

/* Gives *out; free with regex_free. `pattern` is not kept. Fails with INVALID_PARAMETER_VALUE "Invalid regular
 * expression 'x': …". */
MUST_CHECK bool regex_new(struct slice pattern, struct regex **out, struct error *err);
/* NULL is allowed. */
void regex_free(struct regex *regex_or_null);
/* Is there a match anywhere in `text`? Thread-safe; no heap. A byte of broken UTF-8 is a character of its own. */
bool regex_finds(const struct regex *regex, struct slice text);

#endif
