/* What the daemon is told of a target, so that it knows what runs where: reports, and heartbeats
 * between them.
 *
 * A server that is away never fails whoever reports, nor holds it up for more than seconds: what could
 * not be told is told by a later tick, after pauses of 0.25 to 30 s. Each report holds all of the state,
 * so the newest is enough. A server that keeps no deployments is left in peace; one that was told before
 * keeps them, and what answers "no such page" is a proxy before it while it starts.
 *
 * It has a connection of its own, so that it can report while a download or a hook goes on, and is not
 * cut short by what stops those. One thread. */
#ifndef CLIENT_REPORTER_H
#define CLIENT_REPORTER_H

#include "base/buffer.h"
#include "base/error.h"
#include "src/transport.h"

enum { REPORTER_USER_BYTES = 257, REPORTER_ID_LEN = 32 };

struct reporter_options {
	const char *url;      /* as transport_options */
	const char *user;     /* who reports; "" says nothing */
	int64_t heartbeat_ms; /* 0: none */
	/* Hears when telling fails first, and when it works again; keeps `context`. */
	void (*say)(void *context, bool is_trouble, const char *sentence);
	void *context;
};

/* Texts are "" where there is nothing. */
struct report {
	/* "deploying", "active", "rolled_back", "failed"; "stale" for a target that ends, with what it ran.
	 * NULL: as in the last report that had one, with its reason. */
	const char *state;
	const char *model, *alias;
	const char *version;	      /* in use, or on its way there */
	const char *previous_version; /* while deploying: in use until then */
	const char *environment, *target, *path;
	const char *reason; /* why it failed; of a NULL state: to be added to the reason before */
};

struct reporter {
	struct reporter_options options;
	struct transport *transport;
	char user[REPORTER_USER_BYTES];
	char path[96];	      /* of the deployment's resource; "" before the first report */
	struct buffer report; /* the newest */
	char state[16], reason[ERROR_MESSAGE_BYTES_MAX]; /* of the last report that had a state */
	int64_t due_ms;	   /* by the monotonic clock: when reporter_tick has work */
	unsigned failures; /* since it was last heard */
	bool is_untold;	   /* the newest report has not been heard */
	bool was_heard;	   /* the server keeps deployments */
	bool is_unwanted;  /* it keeps none */
	bool is_ended;
};

/* Borrows the URL and the user. Closed by reporter_close, also after a failure. */
MUST_CHECK bool reporter_open(struct reporter *r, const struct reporter_options *options,
			      struct error *err);
/* One that is all zeros is fine. */
void reporter_close(struct reporter *r);
/* Tells it now, under the target's ID; what fails is tried again by reporter_tick. One without a state
 * before any with one is not told. */
void reporter_tell(struct reporter *r, const char *deployment_id, const struct report *report);
/* The last one: no heartbeats follow, and none is missed. Not sent when there was no report before, or
 * when the server did not hear it: then it finds out by itself. */
void reporter_end(struct reporter *r, const char *deployment_id, const struct report *report);
/* Sends what is due: a report again, or a heartbeat. Cheap when nothing is. */
void reporter_tick(struct reporter *r);

#endif
