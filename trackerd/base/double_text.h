/* Doubles as the shortest decimal text that reads back as the same double.
 *
 * The form is Python's: "0.1", "5.0", "-0.0", "1e+22", "1.5e-07"; it is valid JSON and does not depend
 * on the locale. Thread-safe. */
#ifndef BASE_DOUBLE_TEXT_H
#define BASE_DOUBLE_TEXT_H

#include <stddef.h>

enum { DOUBLE_TEXT_BYTES_MAX = 32 };

/* Writes the text of a finite `value` (no NUL) and returns its length. */
size_t double_text(double value, char text[DOUBLE_TEXT_BYTES_MAX]);

#endif
