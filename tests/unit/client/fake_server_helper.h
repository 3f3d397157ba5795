/* A server for the client's tests: plain sockets in one thread, MLflow's paths, and faults on
 * demand.
 *
 * The world is what the server stores; it outlives the server, so that a test can kill one and
 * start the next on the same port. Like the real one it drops exact duplicates of points, and takes
 * run ids from clients. A batch with a name that begins with "bad" is refused whole with 400. */
#ifndef TESTS_CLIENT_FAKE_SERVER_HELPER_H
#define TESTS_CLIENT_FAKE_SERVER_HELPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WORLD_PAIRS_MAX = 400,
	WORLD_REQUESTS_MAX = 20000,
	WORLD_POINTS_MAX = 1 << 18,
	WORLD_FAULTS_MAX = 32
};

enum fault {
	FAULT_NONE,
	FAULT_STATUS,	   /* answer with `status`, do nothing */
	FAULT_DROP_BEFORE, /* close the connection, do nothing */
	FAULT_DROP_AFTER,  /* do it, then close the connection without an answer */
	FAULT_HOLD,	   /* do it, answer only once world_release was called */
};

struct world_pair {
	char key[200];
	char value[512];
};

struct world {
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* after each request */
	/* What was stored. */
	uint64_t *points; /* hashes; 0 is free */
	size_t points_count;
	size_t duplicates_count; /* exact repeats that were dropped */
	struct world_pair params[WORLD_PAIRS_MAX];
	size_t params_count;
	struct world_pair tags[WORLD_PAIRS_MAX];
	size_t tags_count;
	struct world_pair files[WORLD_PAIRS_MAX]; /* path → content */
	size_t files_count;
	char experiment[128]; /* the one that was created; "" at first */
	bool experiment_is_deleted;
	bool run_exists, run_is_deleted;
	char run_id[40];
	char run_status[32];
	char end_time[32];
	char dataset[600];     /* body of the last log-inputs */
	char deployment[1024]; /* the last report; "": it is not known */
	int runs_created;
	/* What was asked. */
	char *requests[WORLD_REQUESTS_MAX]; /* "POST /api/…" */
	size_t requests_count;
	size_t metrics_in_batch_max;
	size_t body_bytes_max;
	/* What to do with the next requests whose path contains fault_path. */
	struct {
		enum fault kind;
		int status;
		int retry_after_s; /* 0: no such header */
	} faults[WORLD_FAULTS_MAX];
	size_t faults_count, faults_done;
	const char *fault_path; /* "": any */
	bool is_held;
	bool answers_foreign_run_ids;
};

struct world *world_new(void);
void world_free(struct world *w);
void world_add_fault(struct world *w, enum fault kind, int status, int retry_after_s);
void world_release(struct world *w);
/* Waits up to ten seconds until so many requests whose text contains `part` came; asserts
 * otherwise. */
void world_wait_requests(struct world *w, const char *part, size_t count);
size_t world_count_requests(struct world *w, const char *part);
size_t world_points(struct world *w);
/* The value of a key; NULL if there is none. */
const char *world_param(struct world *w, const char *key);
const char *world_tag(struct world *w, const char *key);
const char *world_file(struct world *w, const char *path);
/* The last report of the deployment; "" if none came, or it was forgotten. */
const char *world_deployment(struct world *w);
void world_forget_deployment(struct world *w);

struct fake_server {
	struct world *world;
	pthread_t thread;
	int listen_fd;
	int stop_fds[2];
	int port;
	char url[64];
};

/* port 0: the kernel's choice. */
struct fake_server *fake_server_start(struct world *w, int port);
/* Closes every connection at once, as a killed server does. */
void fake_server_stop(struct fake_server *s);

/* A fresh folder under /tmp; removed with all in it by temporary_folder_remove. */
char *temporary_folder(void);
void temporary_folder_remove(char *path);

#endif
