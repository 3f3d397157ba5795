/* What the process that follows the registry and the one that serves tell each other: lines of JSON.
 *
 *     follower → server   offer: serve this version   note: how it goes, and whether the server answers
 *                         give up: there is nothing to serve
 *     server → follower   verdict on the offer: it is in use, or it was refused and why
 *
 * An offer waits for its verdict; nothing else is said in between. Pure. */
#ifndef SERVE_FOLLOW_MESSAGE_H
#define SERVE_FOLLOW_MESSAGE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "serve/served_model.h"

enum { FOLLOW_MESSAGE_BYTES_MAX = 64 * 1024 };

enum follow_kind { FOLLOW_OFFER, FOLLOW_NOTE, FOLLOW_GIVE_UP, FOLLOW_ACCEPTED, FOLLOW_REFUSED };

struct follow_message {
	enum follow_kind kind;
	struct served_model model; /* FOLLOW_OFFER */
	const char *text;	   /* all others; "" for none */
	bool is_reachable;	   /* FOLLOW_NOTE */
	enum error_code code;	   /* FOLLOW_GIVE_UP */
};

/* Appends the line with its newline. */
void follow_message_write(const struct follow_message *m, struct buffer *out);
/* Texts live in the arena. */
MUST_CHECK bool follow_message_read(struct slice line, struct arena *arena, struct follow_message *out,
				    struct error *err);

#endif
