/* Is a character part of words? What names of metrics, parameters and tags are made of. Pure; any
 * thread. */
#ifndef API_UNICODE_WORD_H
#define API_UNICODE_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* Letters, marks and numbers of all scripts, and '_'. */
bool unicode_is_word(uint32_t code_point);

#endif
