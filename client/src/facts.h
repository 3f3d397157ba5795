/* What is recorded about a run without being asked: who runs what, where, from which commit. */
#ifndef CLIENT_FACTS_H
#define CLIENT_FACTS_H

#include "base/buffer.h"
#include "src/settings.h"

enum { FACTS_COMMAND_BYTES_MAX = 4000 };

/* The start record of a run as spool payload fields; texts live in the struct. */
struct facts {
	char user[256];	    /* "" if unknown */
	struct buffer tags; /* encoded pairs (record.h): the caller's first */
	uint32_t given_count;
	uint32_t count;
};

/* Fails without memory. Borrows the settings for the call. */
MUST_CHECK bool facts_gather(const struct settings *settings, const char *compiler,
			     struct facts *out, struct error *err);
/* The login name; "" if unknown. */
void facts_find_user(char *user, size_t user_bytes);
void facts_deinit(struct facts *facts);
/* A command line as a shell would take it: NUL-separated arguments, quoted where needed, joined by
 * spaces. */
void facts_quote_command(struct slice arguments, struct buffer *out);

#endif
