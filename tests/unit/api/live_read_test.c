/* What a read of kept events finds: of the registry's history, called as a worker calls it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "api/live_read.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/migrations.h"
#include "store/registry_history.h"

struct fixture {
	char directory[64];
	char path[96];
	struct db *db; /* in a transaction */
	struct live_read read;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;
	const struct db_options options = {.mode = DB_READ_WRITE};
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/trackerd-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/tracker.db", f->directory);
	assert_true(db_open(f->path, &options, &f->db, &err));
	assert_true(migrations_apply(f->db, "tracker", &err));
	assert_true(db_exec(f->db, SQL("BEGIN IMMEDIATE"), &err));
	assert_true(db_exec(f->db,
			    SQL("INSERT INTO registered_models (model_pk, name, creation_time_ms,"
				" last_updated_time_ms) VALUES (1, 'm', 1, 1)"),
			    &err));
	live_read_init(&f->read);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	struct fixture *f = *state;
	live_read_deinit(&f->read);
	db_close(f->db);
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

/* Records an event of the model that is now called `name`. */
static void record(struct fixture *f, enum registry_kind kind, const char *name, const char *before)
{
	const struct registry_change change = {
		.kind = kind,
		.model_pk = {1},
		.model = slice_from_cstr(name),
		.before = before != NULL ? slice_from_cstr(before) : (struct slice){0},
		.after = SLICE("{}"),
		.now_ms = 1,
	};
	struct error err;
	int64_t seq;
	assert_true(registry_record_in_txn(f->db, &change, &seq, &err));
}

static void record_many(struct fixture *f, int count)
{
	for (int i = 0; i < count; i++)
		record(f, REGISTRY_MODEL_DESCRIBED, "m", NULL);
}

/* Of the models' events after number `after`. */
static void read_after(struct fixture *f, int64_t after)
{
	struct job_context context = {.tracker = f->db};
	struct error err;
	arena_reset(&f->read.arena);
	f->read.events = NULL;
	f->read.count = 0;
	f->read.is_wanted[LIVE_FROM_MODELS] = true;
	f->read.after[LIVE_FROM_MODELS] = after;
	assert_true(f->read.job.phases[0].run(&f->read.job, &context, &err));
}

static void test_positions(void **state)
{
	enum { EVENTS = 5 };
	static const struct {
		int64_t after;
		size_t count;
		bool is_lost;
	} rows[] = {
		{LIVE_SEQ_UNKNOWN, 0, false}, /* only where the end is */
		{0, EVENTS, false},	      {EVENTS - 1, 1, false}, {EVENTS, 0, false},
		{EVENTS + 1, 0, true}, /* of another database, or of one that was put back */
	};
	struct fixture *f = *state;
	record_many(f, EVENTS);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		read_after(f, rows[i].after);
		assert_int_equal(f->read.count, rows[i].count);
		assert_int_equal(f->read.is_lost[LIVE_FROM_MODELS], rows[i].is_lost);
		assert_int_equal(f->read.reached[LIVE_FROM_MODELS], EVENTS);
		assert_true(f->read.is_end[LIVE_FROM_MODELS]);
		for (size_t k = 0; k < f->read.count; k++)
			assert_int_equal(f->read.events[k].seq, rows[i].after + 1 + (int64_t)k);
	}
}

static void test_one_read_is_bounded_and_the_next_goes_on(void **state)
{
	struct fixture *f = *state;
	record_many(f, LIVE_READ_EVENTS_MAX);
	read_after(f, 0);
	assert_int_equal(f->read.count, LIVE_READ_EVENTS_MAX);
	assert_true(f->read.is_end[LIVE_FROM_MODELS]);
	record_many(f, 1);
	read_after(f, 0);
	assert_int_equal(f->read.count, LIVE_READ_EVENTS_MAX);
	assert_int_equal(f->read.reached[LIVE_FROM_MODELS], LIVE_READ_EVENTS_MAX);
	assert_false(f->read.is_end[LIVE_FROM_MODELS]);
	read_after(f, f->read.reached[LIVE_FROM_MODELS]);
	assert_int_equal(f->read.count, 1);
	assert_true(f->read.is_end[LIVE_FROM_MODELS]);
}

static void test_only_what_is_followed_under_its_names(void **state)
{
	static const struct {
		enum live_subject subject;
		const char *id;
		size_t count;
	} rows[] = {
		{LIVE_MODEL, "m", 2},	  /* its creation, and that it was renamed */
		{LIVE_MODEL, "other", 2}, /* that it was, and what came then */
		{LIVE_MODEL, "*", 3},	   {LIVE_MODEL, "nobody", 0},
		{LIVE_DEPLOYMENT, "*", 0}, /* of another source */
	};
	struct fixture *f = *state;
	struct live_follow follow = {0};
	record(f, REGISTRY_MODEL_CREATED, "m", NULL);
	record(f, REGISTRY_MODEL_RENAMED, "other", "{\"name\":\"m\"}");
	record(f, REGISTRY_MODEL_DESCRIBED, "other", NULL);
	f->read.follows = &follow;
	f->read.follow_count = 1;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		follow.topic.subject = rows[i].subject;
		follow.topic.id = slice_from_cstr(rows[i].id);
		read_after(f, 0);
		assert_int_equal(f->read.count, rows[i].count);
		/* Beyond what others follow. */
		assert_int_equal(f->read.reached[LIVE_FROM_MODELS], 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_positions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_read_is_bounded_and_the_next_goes_on,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_what_is_followed_under_its_names, set_up,
						tear_down),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
