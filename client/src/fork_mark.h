/* Tells a process from its forked children in a nanosecond, without a system call.
 *
 * The mark lies in a page that the kernel hands to children as zeros (MADV_WIPEONFORK); where the
 * kernel is older, the process id is compared instead. */
#ifndef CLIENT_FORK_MARK_H
#define CLIENT_FORK_MARK_H

#include <stdbool.h>

#include "base/error.h"

struct fork_mark;

MUST_CHECK bool fork_mark_new(struct fork_mark **out, struct error *err);
void fork_mark_free(struct fork_mark *mark);
/* False in a child of the process that made the mark. Thread-safe. */
bool fork_mark_is_mine(const struct fork_mark *mark);

#endif
