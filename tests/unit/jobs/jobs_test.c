/* Tests the job system with real threads, a real loop and real databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "db/db_faulty.h"
#include "jobs/jobs.h"
#include "limits.h"

enum { ARENA_BYTES_MAX = 64 * 1024, DEADLINE_MS = 20000 };
/* Calls of keep_house: so many want another one at once, and one comes later. */
enum { HOUSE_STEPS_WANTED = 5, HOUSE_STEPS_NOTED };

struct fixture {
	uv_loop_t loop;
	uv_timer_t deadline;
	char directory[64];
	char tracker_path[96], blobs_path[96];
	struct jobs *jobs;
	unsigned delivered;
	unsigned wanted;
	unsigned groups, group_jobs;
	pthread_barrier_t barrier; /* of run_as_one_group */
	atomic_int house_steps;
	bool was_idle[HOUSE_STEPS_NOTED];
};

struct test_job {
	struct job job;
	struct arena arena;
	struct fixture *fixture;
	int number;
	int runs; /* of the phase under test */
	struct error outcome;
	int64_t seen;
	unsigned order;
};

static bool open_database(const char *path, struct sql script, struct error *err)
{
	const struct db_options options = {.mode = DB_READ_WRITE};
	struct db *db;
	if (!db_open(path, &options, &db, err))
		return false;
	bool ok = db_exec(db, script, err);
	db_close(db);
	return ok;
}

static void too_late_on_loop(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("the jobs were not delivered in time");
}

static void group_committed(void *ctx, unsigned job_count, int64_t commit_us)
{
	struct fixture *f = ctx;
	(void)commit_us;
	f->groups++; /* read by the tests only after all jobs were delivered */
	f->group_jobs += job_count;
}

/* Has something to do for some steps after the first group; notes which calls came when idle. */
static bool keep_house(void *ctx, struct db *tracker, bool is_idle)
{
	struct fixture *f = ctx;
	(void)tracker;
	int step = atomic_load(&f->house_steps);
	if (f->groups == 0 || step == HOUSE_STEPS_NOTED)
		return false;
	f->was_idle[step] = is_idle;
	atomic_store(&f->house_steps, step + 1);
	return step + 1 < HOUSE_STEPS_WANTED;
}

static void fixture_open(struct fixture *f)
{
	struct error err = {ERR_NONE, ""};
	memset(f, 0, sizeof(*f));
	strcpy(f->directory, "/tmp/trackerd-jobs-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->tracker_path, sizeof(f->tracker_path), "%s/t.db", f->directory);
	(void)snprintf(f->blobs_path, sizeof(f->blobs_path), "%s/b.db", f->directory);
	assert_true(open_database(f->tracker_path,
				  SQL("CREATE TABLE rows (number INTEGER PRIMARY KEY)"), &err));
	assert_true(open_database(f->blobs_path,
				  SQL("CREATE TABLE blobs (number INTEGER PRIMARY KEY)"), &err));
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_timer_init(&f->loop, &f->deadline), 0);
	assert_int_equal(uv_timer_start(&f->deadline, too_late_on_loop, DEADLINE_MS, 0), 0);
	const struct jobs_options options = {.tracker_path = f->tracker_path,
					     .blobs_path = f->blobs_path,
					     .worker_count = 2,
					     .query_timeout_ms = 10000,
					     .user_agent = "test",
					     .group_committed_cb = group_committed,
					     .housekeeping_cb = keep_house,
					     .ctx = f};
	assert_true(jobs_open(&f->loop, &options, &f->jobs, &err));
}

static void closed_on_loop(void *ctx)
{
	struct fixture *f = ctx;
	uv_close((uv_handle_t *)&f->deadline, NULL);
}

static void fixture_close(struct fixture *f)
{
	char command[128];
	jobs_close_on_loop(f->jobs, closed_on_loop, f);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	(void)snprintf(command, sizeof(command), "rm -r %s", f->directory);
	assert_int_equal(system(command), 0);
}

static void deliver_on_loop(struct job *job)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	t->outcome = job->error;
	t->order = t->fixture->delivered++;
	if (t->fixture->delivered == t->fixture->wanted)
		uv_stop(&t->fixture->loop);
}

static void test_job_init(struct test_job *t, struct fixture *f, int number,
			  const struct job_phase *phases, unsigned phase_count)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena, ARENA_BYTES_MAX);
	t->fixture = f;
	t->number = number;
	t->job.phases = phases;
	t->job.phase_count = phase_count;
	t->job.arena = &t->arena;
	t->job.deliver_on_loop = deliver_on_loop;
}

static void submit(struct fixture *f, struct test_job *t)
{
	struct error err;
	assert_true(jobs_submit(f->jobs, &t->job, &err));
}

static void run_until(struct fixture *f, unsigned delivered)
{
	f->wanted = delivered;
	if (f->delivered < delivered)
		(void)uv_run(&f->loop, UV_RUN_DEFAULT); /* stopped by deliver_on_loop */
	assert_int_equal(f->delivered, delivered);
}

/* The lane's thread and the test wait for each other. */
static void meet(struct fixture *f)
{
	int rc = pthread_barrier_wait(&f->barrier);
	assert_true(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD);
}

/* ---- phases under test -------------------------------------------------------------------------- */

static bool insert_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	t->runs++;
	assert_null(context->blobs);
	struct db_statement *st =
		db_prepare(context->tracker, SQL("INSERT INTO rows (number) VALUES ($1)"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, t->number);
	return db_run(st, err);
}

static bool fail_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	(void)context;
	t->runs++;
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "on purpose");
}

/* Holds up the lane, so that what is submitted meanwhile becomes one group. */
static bool hold_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	(void)context;
	(void)err;
	meet(t->fixture); /* the lane is mine */
	meet(t->fixture); /* the others are submitted */
	return true;
}

static bool insert_then_fail_phase(struct job *job, struct job_context *context, struct error *err)
{
	return insert_phase(job, context, err) &&
	       error_set(err, ERR_RESOURCE_CONFLICT, "on purpose");
}

static bool insert_blob_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	assert_null(context->tracker);
	struct db_statement *st =
		db_prepare(context->blobs, SQL("INSERT INTO blobs (number) VALUES ($1)"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, t->number);
	return db_run(st, err);
}

static bool count_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	bool found = false;
	struct db_statement *st =
		db_prepare(context->tracker, SQL("SELECT count(*) FROM rows"), err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	t->seen = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool exhaust_phase(struct job *job, struct job_context *context, struct error *err)
{
	if (!insert_phase(job, context, err))
		return false;
	memset(arena_alloc(job->arena, ARENA_BYTES_MAX, 2), 1, ARENA_BYTES_MAX);
	return true;
}

static bool write_on_reader_phase(struct job *job, struct job_context *context, struct error *err)
{
	return insert_phase(job, &(struct job_context){.tracker = context->tracker}, err);
}

static bool endless_phase(struct job *job, struct job_context *context, struct error *err)
{
	bool found;
	(void)job;
	struct db_statement *st = db_prepare(context->tracker,
					     SQL("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
						 "SELECT x + 1 FROM n) SELECT max(x) FROM n"),
					     err);
	return st != NULL && db_fetch_one(st, &found, err);
}

/* The disk fails for good at the first call of the job's own. */
static bool broken_disk_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	if (t->runs++ == 0)
		db_faulty_set(context->tracker, 1, ERR_STORAGE_FULL);
	return insert_phase(job, context, err);
}

static const struct job_phase insert_phases[] = {{LANE_COMMITTER, insert_phase}};
static const struct job_phase count_phases[] = {{LANE_WORKER, count_phase}};
static const struct job_phase all_lanes[] = {
	{LANE_BLOB, insert_blob_phase}, {LANE_COMMITTER, insert_phase}, {LANE_WORKER, count_phase}};

/* ---- tests -------------------------------------------------------------------------------------- */

static void test_a_job_passes_its_lanes_in_order(void **state)
{
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 7, all_lanes, ARRAY_COUNT(all_lanes));
	submit(&f, &t);
	assert_int_equal(jobs_in_flight(f.jobs), 1);
	run_until(&f, 1);
	assert_int_equal(t.outcome.code, ERR_NONE);
	assert_int_equal(t.seen, 1); /* read after the commit of the phase before */
	assert_int_equal(jobs_in_flight(f.jobs), 0);
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_one_lane_keeps_the_order_of_submission(void **state)
{
	enum { COUNT = 100 };
	struct fixture f;
	static struct test_job t[COUNT];
	(void)state;
	fixture_open(&f);
	for (int i = 0; i < COUNT; i++) {
		test_job_init(&t[i], &f, i, insert_phases, 1);
		submit(&f, &t[i]);
	}
	run_until(&f, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(t[i].order, i);
		arena_deinit(&t[i].arena);
	}
	assert_true(f.groups < COUNT); /* grouped: far fewer commits than jobs */
	assert_int_equal(f.group_jobs, COUNT);
	fixture_close(&f);
}

static void test_a_failed_job_leaves_nothing_and_harms_no_other(void **state)
{
	enum { COUNT = 40 };
	static const struct job_phase failing[] = {{LANE_COMMITTER, insert_then_fail_phase}};
	struct fixture f;
	static struct test_job t[COUNT];
	struct test_job count;
	(void)state;
	fixture_open(&f);
	for (int i = 0; i < COUNT; i++) {
		test_job_init(&t[i], &f, i, i % 4 == 3 ? failing : insert_phases, 1);
		submit(&f, &t[i]);
	}
	run_until(&f, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(t[i].outcome.code, i % 4 == 3 ? ERR_RESOURCE_CONFLICT : ERR_NONE);
		arena_deinit(&t[i].arena);
	}
	test_job_init(&count, &f, 0, count_phases, 1);
	submit(&f, &count);
	run_until(&f, COUNT + 1);
	assert_int_equal(count.seen, COUNT * 3 / 4);
	arena_deinit(&count.arena);
	fixture_close(&f);
}

/* Submits `count` jobs as one group behind one that holds the lane, and runs them all. */
static void run_as_one_group(struct fixture *f, struct test_job *t, unsigned count)
{
	static const struct job_phase hold[] = {{LANE_COMMITTER, hold_phase}};
	struct test_job holder;
	assert_int_equal(pthread_barrier_init(&f->barrier, NULL, 2), 0);
	test_job_init(&holder, f, 0, hold, 1);
	submit(f, &holder);
	meet(f);
	for (unsigned i = 0; i < count; i++)
		submit(f, &t[i]);
	meet(f);
	run_until(f, count + 1);
	assert_int_equal(pthread_barrier_destroy(&f->barrier), 0);
	arena_deinit(&holder.arena);
}

static void test_a_group_begins_anew_when_a_job_fails_after_it_wrote(void **state)
{
	enum { COUNT = 4 };
	static const struct {
		job_phase_fn *phase; /* of the third job */
		enum error_code code;
		int runs; /* of the jobs before it */
	} rows[] = {
		{insert_phase, ERR_NONE, 1},
		{fail_phase, ERR_RESOURCE_DOES_NOT_EXIST, 1},
		{insert_then_fail_phase, ERR_RESOURCE_CONFLICT, 2},
	};
	(void)state;
	for (size_t row = 0; row < ARRAY_COUNT(rows); row++) {
		const struct job_phase third[] = {{LANE_COMMITTER, rows[row].phase}};
		struct fixture f;
		struct test_job t[COUNT];
		fixture_open(&f);
		for (int i = 0; i < COUNT; i++)
			test_job_init(&t[i], &f, i, i == 2 ? third : insert_phases, 1);
		run_as_one_group(&f, t, COUNT);
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(t[i].outcome.code, i == 2 ? rows[row].code : ERR_NONE);
			assert_int_equal(t[i].runs, i == 3 ? 1 : rows[row].runs);
			arena_deinit(&t[i].arena);
		}
		assert_int_equal(f.groups, 2);
		fixture_close(&f);
	}
}

static void test_the_phases_after_a_failure_are_skipped(void **state)
{
	static const struct job_phase phases[] = {{LANE_COMMITTER, insert_then_fail_phase},
						  {LANE_WORKER, count_phase}};
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 1, phases, 2);
	t.seen = -1;
	submit(&f, &t);
	run_until(&f, 1);
	assert_int_equal(t.outcome.code, ERR_RESOURCE_CONFLICT);
	assert_int_equal(t.seen, -1);
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_a_job_that_wants_too_much_memory_is_rolled_back(void **state)
{
	static const struct job_phase phases[] = {{LANE_COMMITTER, exhaust_phase}};
	struct fixture f;
	struct test_job greedy, count;
	(void)state;
	fixture_open(&f);
	test_job_init(&greedy, &f, 1, phases, 1);
	submit(&f, &greedy);
	run_until(&f, 1);
	assert_int_equal(greedy.outcome.code, ERR_REQUEST_TOO_LARGE);
	test_job_init(&count, &f, 0, count_phases, 1);
	submit(&f, &count);
	run_until(&f, 2);
	assert_int_equal(count.seen, 0);
	arena_deinit(&greedy.arena);
	arena_deinit(&count.arena);
	fixture_close(&f);
}

static void test_workers_cannot_write(void **state)
{
	static const struct job_phase phases[] = {{LANE_WORKER, write_on_reader_phase}};
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 1, phases, 1);
	submit(&f, &t);
	run_until(&f, 1);
	assert_int_not_equal(t.outcome.code, ERR_NONE);
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_a_query_past_its_deadline_ends(void **state)
{
	static const struct job_phase phases[] = {{LANE_WORKER, endless_phase}};
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 1, phases, 1);
	t.job.deadline_ns = clock_monotonic_ns(clock_system()) + 50 * 1000000;
	submit(&f, &t);
	run_until(&f, 1);
	assert_int_equal(t.outcome.code, ERR_TEMPORARILY_UNAVAILABLE);
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_a_full_lane_refuses_and_gives_the_job_back(void **state)
{
	struct fixture f;
	struct test_job next;
	struct error err;
	(void)state;
	fixture_open(&f);
	/* One item heavier than the lane is taken when the lane is empty; what follows must wait its turn. */
	static struct test_job t[200];
	unsigned taken = 0;
	bool refused = false;
	for (unsigned i = 0; i < ARRAY_COUNT(t) && !refused; i++) {
		test_job_init(&t[i], &f, (int)i, insert_phases, 1);
		t[i].job.weight_bytes = LANE_BYTES_MAX;
		refused = !jobs_submit(f.jobs, &t[i].job, &err);
		taken += !refused;
	}
	assert_true(refused);
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	run_until(&f, taken);
	/* Refused is not lost: the same job can be submitted again. */
	test_job_init(&next, &f, 1000, insert_phases, 1);
	submit(&f, &next);
	run_until(&f, taken + 1);
	assert_int_equal(next.outcome.code, ERR_NONE);
	for (unsigned i = 0; i < taken; i++)
		arena_deinit(&t[i].arena);
	arena_deinit(&t[taken].arena);
	arena_deinit(&next.arena);
	fixture_close(&f);
}

static void test_a_full_disk_fails_the_job_and_not_the_daemon(void **state)
{
	static const struct job_phase phases[] = {{LANE_COMMITTER, broken_disk_phase}};
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 1, phases, 1);
	submit(&f, &t);
	run_until(&f, 1);
	assert_int_equal(t.outcome.code, ERR_STORAGE_FULL);
	assert_false(jobs_is_read_only(f.jobs));
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_the_lane_is_idle_only_after_a_while_without_jobs(void **state)
{
	struct fixture f;
	struct test_job t;
	(void)state;
	fixture_open(&f);
	test_job_init(&t, &f, 1, insert_phases, 1);
	submit(&f, &t);
	run_until(&f, 1);
	int64_t deadline_ms = clock_monotonic_ms(clock_system()) + DEADLINE_MS;
	while (atomic_load(&f.house_steps) < HOUSE_STEPS_NOTED) {
		assert_true(clock_monotonic_ms(clock_system()) < deadline_ms);
		(void)sched_yield(); /* cannot fail */
	}
	for (int step = 0; step < HOUSE_STEPS_NOTED; step++)
		assert_int_equal(f.was_idle[step], step >= HOUSE_STEPS_WANTED);
	arena_deinit(&t.arena);
	fixture_close(&f);
}

static void test_closing_finishes_what_was_submitted(void **state)
{
	enum { COUNT = 50 };
	struct fixture f;
	static struct test_job t[COUNT];
	(void)state;
	fixture_open(&f);
	f.wanted = COUNT + 1; /* never reached: the loop ends by itself */
	for (int i = 0; i < COUNT; i++) {
		test_job_init(&t[i], &f, i, all_lanes, ARRAY_COUNT(all_lanes));
		submit(&f, &t[i]);
	}
	fixture_close(&f);
	assert_int_equal(f.delivered, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(t[i].outcome.code, ERR_NONE);
		arena_deinit(&t[i].arena);
	}
}

/* Nothing is connected to: the address is refused before. */
static bool address_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	(void)context;
	(void)err;
	struct outgoing *outgoing = ARENA_NEW(&t->arena, struct outgoing, 1);
	*outgoing = (struct outgoing){.url = "http://127.0.0.1:9/",
				      .schemes = "http",
				      .body = SLICE("{}"),
				      .connect_timeout_ms = 1000,
				      .timeout_ms = 1000};
	job->outgoing_or_null = t->number == 0 ? NULL : outgoing;
	return true;
}

static bool outcome_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct test_job *t = CONTAINER_OF(job, struct test_job, job);
	(void)context;
	(void)err;
	t->seen = job->outgoing_or_null == NULL ? -1 : (int64_t)job->outgoing_or_null->outcome;
	return true;
}

static const struct job_phase sending[] = {
	{LANE_WORKER, address_phase}, {LANE_SENDER, NULL}, {LANE_WORKER, outcome_phase}};

static void test_a_job_goes_on_with_the_outcome_of_what_it_sent(void **state)
{
	struct fixture f;
	struct test_job t[3];
	(void)state;
	fixture_open(&f);
	for (int i = 0; i < 3; i++) {
		test_job_init(&t[i], &f, i, sending, ARRAY_COUNT(sending));
		if (i == 2)
			jobs_stop_sending(f.jobs);
		submit(&f, &t[i]);
		run_until(&f, (unsigned)i + 1);
		assert_int_equal(t[i].outcome.code, ERR_NONE);
	}
	assert_int_equal(t[0].seen, -1);
	assert_int_equal(t[1].seen, OUTGOING_REFUSED);
	assert_int_equal(t[2].seen, OUTGOING_CANCELLED);
	fixture_close(&f);
	for (int i = 0; i < 3; i++)
		arena_deinit(&t[i].arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_job_passes_its_lanes_in_order),
		cmocka_unit_test(test_one_lane_keeps_the_order_of_submission),
		cmocka_unit_test(test_a_failed_job_leaves_nothing_and_harms_no_other),
		cmocka_unit_test(test_a_group_begins_anew_when_a_job_fails_after_it_wrote),
		cmocka_unit_test(test_the_phases_after_a_failure_are_skipped),
		cmocka_unit_test(test_a_job_that_wants_too_much_memory_is_rolled_back),
		cmocka_unit_test(test_workers_cannot_write),
		cmocka_unit_test(test_a_query_past_its_deadline_ends),
		cmocka_unit_test(test_a_full_lane_refuses_and_gives_the_job_back),
		cmocka_unit_test(test_a_full_disk_fails_the_job_and_not_the_daemon),
		cmocka_unit_test(test_the_lane_is_idle_only_after_a_while_without_jobs),
		cmocka_unit_test(test_closing_finishes_what_was_submitted),
		cmocka_unit_test(test_a_job_goes_on_with_the_outcome_of_what_it_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
