/* Tests what the service manager hears, with real threads, real databases and a real socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "jobs/jobs.h"
#include "supervision.h"

enum { WATCHDOG_MS = 20, PERIODS_OF_SILENCE = 20, DEADLINE_MS = 20000, HOLDER_BYTES_MAX = 4096 };

struct fixture {
	uv_loop_t loop;
	uv_timer_t turn; /* wakes the loop, so that run_until can look */
	char directory[64];
	int manager;
	struct jobs *jobs;
	struct supervision *supervision;
	struct job holder;
	struct arena arena;
	pthread_barrier_t barrier;
	bool is_released;
	unsigned turns;
};

static void make_database(const char *path)
{
	struct error err;
	struct db *db;
	assert_true(db_open(path, &(struct db_options){.mode = DB_READ_WRITE}, &db, &err));
	assert_true(db_exec(db, SQL("CREATE TABLE rows (number INTEGER PRIMARY KEY)"), &err));
	db_close(db);
}

static void open_manager(struct fixture *f)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64], usec[24];
	(void)snprintf(name, sizeof(name), "@trackerd-supervision-%ld", (long)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	f->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(f->manager, (struct sockaddr *)&address, bytes), 0);
	(void)snprintf(usec, sizeof(usec), "%d", WATCHDOG_MS * 1000);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(setenv("WATCHDOG_USEC", usec, 1), 0);
}

static void turned_on_loop(uv_timer_t *timer)
{
	struct fixture *f = timer->data;
	f->turns++;
}

static void fixture_open(struct fixture *f)
{
	char tracker[96], blobs[96];
	struct error err;
	memset(f, 0, sizeof(*f));
	strcpy(f->directory, "/tmp/trackerd-supervision-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(tracker, sizeof(tracker), "%s/t.db", f->directory);
	(void)snprintf(blobs, sizeof(blobs), "%s/b.db", f->directory);
	make_database(tracker);
	make_database(blobs);
	open_manager(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->turn), 0);
	f->turn.data = f;
	assert_int_equal(uv_timer_start(&f->turn, turned_on_loop, WATCHDOG_MS, WATCHDOG_MS), 0);
	const struct jobs_options options = {.tracker_path = tracker,
					     .blobs_path = blobs,
					     .worker_count = 1,
					     .query_timeout_ms = DEADLINE_MS,
					     .user_agent = "test"};
	assert_true(jobs_open(&f->loop, &options, &f->jobs, &err));
	assert_true(supervision_new(f->jobs, &f->loop, &f->supervision, &err));
	arena_init(&f->arena, HOLDER_BYTES_MAX);
	assert_int_equal(pthread_barrier_init(&f->barrier, NULL, 2), 0);
}

static void jobs_closed_on_loop(void *ctx)
{
	struct fixture *f = ctx;
	supervision_free(f->supervision);
	uv_close((uv_handle_t *)&f->turn, NULL);
}

static void fixture_close(struct fixture *f)
{
	char command[128];
	jobs_close_on_loop(f->jobs, jobs_closed_on_loop, f);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	arena_deinit(&f->arena);
	(void)pthread_barrier_destroy(&f->barrier);
	(void)close(f->manager);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)snprintf(command, sizeof(command), "rm -r %s", f->directory);
	assert_int_equal(system(command), 0);
}

/* The next datagram, for which the loop runs; "" when there was none in so many turns. */
static const char *hear(struct fixture *f, unsigned turns_max)
{
	static char text[256];
	ssize_t len;
	f->turns = 0;
	while ((len = recv(f->manager, text, sizeof(text) - 1, 0)) < 0 && f->turns < turns_max)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

/* ---- a lane that hangs -------------------------------------------------------------------------- */

static void meet(struct fixture *f)
{
	int rc = pthread_barrier_wait(&f->barrier);
	assert_true(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
}

static bool hold(struct job *job, struct job_context *context, struct error *err)
{
	struct fixture *f = CONTAINER_OF(job, struct fixture, holder);
	(void)context, (void)err;
	meet(f);
	meet(f);
	return true;
}

static void released_on_loop(struct job *job)
{
	CONTAINER_OF(job, struct fixture, holder)->is_released = true;
}

static void check_lane(enum job_lane lane)
{
	struct fixture f;
	struct error err;
	const struct job_phase phases[] = {{lane, hold}};
	fixture_open(&f);
	f.holder.phases = phases;
	f.holder.phase_count = 1;
	f.holder.arena = &f.arena;
	f.holder.deliver_on_loop = released_on_loop;
	assert_true(jobs_submit(f.jobs, &f.holder, &err));
	meet(&f); /* the lane's thread is held */
	supervision_ready_on_loop(f.supervision, "Listening");
	assert_string_equal(hear(&f, 1), "READY=1\nSTATUS=Listening");
	assert_string_equal(hear(&f, PERIODS_OF_SILENCE), "");
	meet(&f);
	assert_string_equal(hear(&f, DEADLINE_MS / WATCHDOG_MS), "WATCHDOG=1");
	assert_true(f.is_released);
	assert_string_equal(hear(&f, DEADLINE_MS / WATCHDOG_MS), "WATCHDOG=1"); /* and again */
	supervision_stop_on_loop(f.supervision);
	fixture_close(&f);
}

static void says_nothing_while_the_committer_hangs(void **state)
{
	(void)state;
	check_lane(LANE_COMMITTER);
}

static void says_nothing_while_the_blob_committer_hangs(void **state)
{
	(void)state;
	check_lane(LANE_BLOB);
}

/* ---- life --------------------------------------------------------------------------------------- */

static void says_that_it_stops_and_then_nothing(void **state)
{
	struct fixture f;
	const char *said;
	(void)state;
	fixture_open(&f);
	supervision_ready_on_loop(f.supervision, "Listening");
	assert_string_equal(hear(&f, 1), "READY=1\nSTATUS=Listening");
	supervision_stop_on_loop(f.supervision);
	said = hear(&f, 1);
	assert_string_equal(said, "STOPPING=1");
	assert_string_equal(hear(&f, PERIODS_OF_SILENCE), "");
	fixture_close(&f);
}

static void makes_no_job_when_nobody_watches(void **state)
{
	struct fixture f;
	(void)state;
	fixture_open(&f);
	(void)unsetenv("WATCHDOG_USEC");
	supervision_ready_on_loop(f.supervision, "Listening");
	assert_string_equal(hear(&f, 1), "READY=1\nSTATUS=Listening");
	assert_string_equal(hear(&f, PERIODS_OF_SILENCE), "");
	supervision_stop_on_loop(f.supervision);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_nothing_while_the_committer_hangs),
		cmocka_unit_test(says_nothing_while_the_blob_committer_hangs),
		cmocka_unit_test(says_that_it_stops_and_then_nothing),
		cmocka_unit_test(makes_no_job_when_nobody_watches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
