/* Live events without sockets, threads and time of their own: stands in for http_message.h, api.h's replies, jobs.h and
 * loop_timer.h, so that a test decides when a read runs, when it is delivered, when a peer has read, and what time it
 * is. The database is a real one, and so is everything in api/live*.c and api/alias_watch.c. One world at a time. */
#ifndef TESTS_UNIT_API_LIVE_WORLD_HELPER_H
#define TESTS_UNIT_API_LIVE_WORLD_HELPER_H

#include "api/alias_watch.h"
#include "api/live_internal.h"
#include "unit/store/registry_world_helper.h"

enum { WORLD_CONNECTIONS_MAX = 100 };

/* A client, from its request to the end of its reply. */
struct http_exchange {
	struct http_exchange *next_or_null;
	void *context;
	void (*abandoned_cb)(struct http_exchange *x);
	void (*written_cb)(struct http_exchange *x);
	int status;	     /* 0 before the reply */
	struct buffer reply; /* its body so far; NUL-terminated by peer_text */
	char etag[32];
	bool reads_slowly; /* what it is sent stays on its way until peer_reads */
	bool is_writing;
	bool is_parked, is_ended, is_cut, is_gone, is_released;
};

/* cmocka's set-up and tear-down; *state is the struct tracker_db, whose changes are seen by reads at once. */
int world_setup(void **state);
int world_teardown(void **state);
struct live *world_live(void);

/* Runs what was submitted, but delivers nothing: what changes now, these reads do not see. */
void world_run_reads(void);
/* The last read that ran will be delivered first: it was on another worker. */
void world_overtake(void);
/* Peers that read fast have what is written, and handlers hear of those that left; no read runs or is delivered. */
void world_serve_peers(void);
/* Runs and delivers all reads, and those that follow from them, and lets peers that read fast have what is written. */
void world_settle(void);
/* The next read fails; the next submissions are refused. */
void world_fail_next_read(void);
void world_refuse_jobs(bool refuses);
/* Reads that ran so far. */
unsigned world_read_count(void);
/* Time goes on, and timers fire when they are due; then world_settle. */
void world_pass_ms(int64_t ms);

/* Follows "model:m,run:*"; a position as Last-Event-ID. */
struct http_exchange *peer_follows(const char *topics, const char *last_id_or_null);
/* Asks for an alias; revision -1: without one. */
struct http_exchange *peer_asks(const char *model, const char *alias, int64_t revision, int64_t wait_ms);
/* It goes away: its handler hears of it when the peers are served. */
void peer_leaves(struct http_exchange *x);
/* A slow one takes what is on its way. */
void peer_reads(struct http_exchange *x);
/* What it was sent. */
const char *peer_text(struct http_exchange *x);
/* How often `text` was sent. */
unsigned peer_heard(struct http_exchange *x, const char *text);
/* The latest id that it was sent. */
const char *peer_last_id(struct http_exchange *x);

/* Tells of a committed change. */
void tell_model(const char *name);
void tell_run(int run, unsigned what);

#endif
