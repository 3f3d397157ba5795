/* Following an alias of a model: which version it names, and when it names another.
 *
 * trackerd holds a question until the alias' revision differs from the one that is known, so that a
 * move is heard of at once. A server that knows no such question is asked for the alias now and then.
 * One thread. */
#ifndef CLIENT_ALIAS_POLL_H
#define CLIENT_ALIAS_POLL_H

#include "src/fetcher.h"

enum {
	ALIAS_WAIT_MS = 25 * 1000, /* the longest question: below usual time limits of proxies */
	ALIAS_PAUSE_MS = 1500,	   /* between questions that the server answers at once */
};

enum { ALIAS_VERSION_BYTES = 32, ALIAS_REVISION_BYTES = 32, ALIAS_MISSING_BYTES = 400 };

struct alias_poll {
	const struct fetcher *fetcher; /* kept, as are the texts */
	const char *model, *alias;
	char revision[ALIAS_REVISION_BYTES]; /* that is known; "" at first, "0" for no such alias */
	char version[ALIAS_VERSION_BYTES];   /* that it names; "" for none */
	char missing[ALIAS_MISSING_BYTES]; /* after ALIAS_MISSING: the server's sentence about it */
	bool is_plain;			   /* the server has no long questions */
};

enum alias_answer {
	ALIAS_MOVED,   /* since the last answer: `version` is what it names now */
	ALIAS_SAME,    /* nothing has changed */
	ALIAS_MISSING, /* there is no such alias, or no such model */
};

struct alias_reply {
	enum alias_answer answer;
	/* Was the server willing to wait? Else the caller pauses before the next question. */
	bool has_waited;
};

void alias_poll_init(struct alias_poll *p, const struct fetcher *fetcher, const char *model,
		     const char *alias);
/* Waits up to `wait_ms` for a change; the first question never waits. `arena` is scratch, and the
 * caller's to rewind. Fails as the fetcher does; what is known stays then. */
MUST_CHECK bool alias_poll_ask(struct alias_poll *p, int64_t wait_ms, struct arena *arena,
			       struct alias_reply *out, struct error *err);

#endif
