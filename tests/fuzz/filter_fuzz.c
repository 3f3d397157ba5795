/* Filters, order clauses and page tokens from strangers: whatever compiles must be SQL that the database takes.
 *
 * The first byte of an input chooses what the rest is. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "search/experiment_fields.h"
#include "search/filter.h"
#include "search/order_by.h"
#include "search/page_token.h"
#include "search/run_fields.h"
#include "store/experiment_search.h"
#include "store/migrations.h"
#include "store/run_search.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 256 * 1024 * 1024 };

static char directory[] = "/tmp/trackerd-fuzz-XXXXXX";
static char path[64];
static struct db *db;

static void clean_up(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	db_close(db);
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char file[80];
		(void)snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
		(void)unlink(file);
	}
	(void)rmdir(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	struct error err;
	const struct db_options options = {.mode = DB_READ_WRITE};
	ASSERT(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/tracker.db", directory);
	ASSERT(atexit(clean_up) == 0);
	ASSERT(db_open(path, &options, &db, &err));
	ASSERT(migrations_apply(db, "tracker", &err));
	ASSERT(db_exec(db,
		       SQL("INSERT INTO experiments (experiment_id, name, artifact_location, "
			   "creation_time_ms,"
			   " last_update_time_ms) VALUES (0, 'Default', 'x', 1, 1)"),
		       &err));
	return 0;
}

static struct run_search runs_of_default(void)
{
	static const struct slice experiment_ids[] = {{"0", 1}};
	return (struct run_search){
		.experiment_ids = experiment_ids,
		.experiment_count = 1,
		.view = SEARCH_VIEW_ALL,
		.rows_max = 10,
	};
}

/* The sentence is valid text, and the mistake is the peer's, never ours. */
static void check_error(bool ok, const struct error *err)
{
	ASSERT(ok || err->code == ERR_INVALID_PARAMETER_VALUE);
	ASSERT(ok || slice_is_utf8(slice_from_cstr(err->message)));
}

static void search_runs(struct slice text, struct arena *arena)
{
	struct error err = {0};
	struct run_search_page page;
	struct run_search search = runs_of_default();
	search.filter = text;
	check_error(run_search(db, &search, arena, &page, &err), &err);
}

static void search_experiments(struct slice text, struct arena *arena)
{
	struct error err = {0};
	struct experiment_search_page page;
	const struct experiment_search search = {
		.filter = text, .view = SEARCH_VIEW_ALL, .rows_max = 10};
	check_error(experiment_search(db, &search, arena, &page, &err), &err);
}

/* One clause a line. */
static void order_runs(struct slice text, struct arena *arena)
{
	struct error err = {0};
	struct run_search_page page;
	struct slice clauses[ORDER_CLAUSES_MAX + 2];
	struct run_search search = runs_of_default();
	search.order_by = clauses;
	while (search.order_by_count < ARRAY_COUNT(clauses) &&
	       slice_next(&text, '\n', &clauses[search.order_by_count]))
		search.order_by_count++;
	check_error(run_search(db, &search, arena, &page, &err), &err);
}

/* A token as text, and one whose keys are right in form but not in kind: the rest as its key. */
static void read_tokens(struct slice text, struct arena *arena)
{
	struct error err = {0};
	struct order_by order;
	const struct order_key *keys;
	const struct order_key made[] = {
		{.kind = ORDER_KEY_INTEGER, .integer = (int64_t)text.len},
		{.kind = ORDER_KEY_TEXT, .text = text},
	};
	ASSERT(order_by_compile(&run_search_table, NULL, 0, arena, &order, &err));
	check_error(page_token_decode(text, 1, &order, arena, &keys, &err), &err);
	struct slice token = page_token_encode(1, made, 2, arena);
	ASSERT(page_token_decode(token, 1, &order, arena, &keys, &err));
	ASSERT(slice_eq(keys[1].text, text));
	ASSERT(!page_token_decode(token, 2, &order, arena, &keys, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(struct slice text, struct arena * arena) = {
		search_runs, search_experiments, order_runs, read_tokens};
	if (size == 0)
		return 0;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	targets[data[0] % ARRAY_COUNT(targets)](slice_make((const char *)data + 1, size - 1),
						&arena);
	arena_deinit(&arena);
	return 0;
}
