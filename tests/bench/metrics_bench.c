/* Measures the metric store without HTTP: appending, compacting, paging, cutting curves.
 *
 * Usage: metrics_bench [DIRECTORY]      a database is made there (default /tmp) and deleted at the end
 * Prints one line a figure: name, value, unit. Takes some seconds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/experiments.h"
#include "store/metric_curves.h"
#include "store/metric_history.h"
#include "store/metrics.h"
#include "store/migrations.h"
#include "store/names.h"
#include "store/runs.h"

struct bench {
	struct db *db;
	struct arena arena;
	struct error err;
	unsigned run_count;
};

static void check(const struct bench *b, bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "metrics_bench: %s: %s\n", what, b->err.message);
	exit(1);
}
#define CHECK(b, call) check((b), (call), #call)

static double seconds_since(int64_t begin_ns)
{
	return (double)(clock_monotonic_ns(clock_system()) - begin_ns) * 1e-9;
}

static int64_t now_ns(void)
{
	return clock_monotonic_ns(clock_system());
}

static void print(const char *name, double value, const char *unit)
{
	(void)printf("%-52s %10.2f %s\n", name, value, unit);
}

static struct run_pk new_run(struct bench *b)
{
	char run_id[33];
	(void)snprintf(run_id, sizeof(run_id), "%032x", ++b->run_count);
	const struct run_new new = {.run_id = slice_from_cstr(run_id),
				    .experiment_location = SLICE("mlflow-artifacts:/0"),
				    .name = SLICE("bench"),
				    .user_id = SLICE("bench")};
	struct run_pk run_pk = {0};
	CHECK(b, run_insert_in_txn(b->db, &new, &b->arena, &run_pk, &b->err));
	return run_pk;
}

static double loss(int64_t step)
{
	return 2.0 * exp(-(double)step / 200000.0) + 0.1 * ((double)random() / (double)RAND_MAX);
}

/* `batches` batches of `batch` points spread over `names` names, in one transaction. */
static double append(struct bench *b, struct run_pk run_pk, size_t batches, size_t batch,
		     size_t names)
{
	struct metric_point *points = calloc(batch, sizeof(*points));
	char(*texts)[48] = calloc(names, sizeof(*texts));
	if (points == NULL || texts == NULL)
		abort();
	for (size_t i = 0; i < names; i++)
		(void)snprintf(texts[i], sizeof(texts[i]), "train/layer_%zu/weight_norm", i);
	int64_t step = 0;
	double seconds = 0;
	CHECK(b, db_exec(b->db, SQL("BEGIN IMMEDIATE"), &b->err));
	for (size_t n = 0; n < batches; n++) {
		for (size_t i = 0; i < batch; i++) {
			points[i] =
				(struct metric_point){slice_from_cstr(texts[i % names]), loss(step),
						      INT64_C(1700000000000) + step * 97, step};
			step += i % names == names - 1 ? 1 : 0;
		}
		int64_t begin_ns = now_ns();
		CHECK(b,
		      metrics_append_in_txn(b->db, run_pk, 0, points, batch, &b->arena, &b->err));
		seconds += seconds_since(begin_ns);
	}
	CHECK(b, db_exec(b->db, SQL("COMMIT"), &b->err));
	free(points);
	free(texts);
	return seconds;
}

/* Steps of housekeeping until nothing is due. Prints the sum and the longest. */
static void compact(struct bench *b, const char *name, bool is_idle)
{
	double total = 0, longest = 0;
	unsigned steps = 0;
	for (bool more = true; more; steps++) {
		int64_t begin_ns = now_ns();
		CHECK(b, metrics_housekeeping(b->db, is_idle, &more, &b->err));
		double seconds = seconds_since(begin_ns);
		total += seconds;
		if (seconds > longest)
			longest = seconds;
	}
	char line[96];
	(void)snprintf(line, sizeof(line), "%s: compaction, %u steps", name, steps);
	print(line, total * 1e3, "ms");
	(void)snprintf(line, sizeof(line), "%s: longest step, with commit", name);
	print(line, longest * 1e3, "ms");
}

static void bench_append(struct bench *b, const char *name, size_t batches, size_t batch,
			 size_t names)
{
	struct run_pk run_pk = new_run(b);
	double seconds = append(b, run_pk, batches, batch, names);
	char line[96];
	(void)snprintf(line, sizeof(line), "%s: append", name);
	print(line, (double)(batches * batch) / seconds * 1e-3, "thousand points/s");
	(void)snprintf(line, sizeof(line), "%s: append, a batch", name);
	print(line, seconds / (double)batches * 1e6, "us");
	compact(b, name, true);
}

static void bench_reads(struct bench *b, struct metric_series_key key, const char *state)
{
	char line[96];
	const size_t bucket_counts[] = {100, 1000, 5000};
	for (size_t i = 0; i < ARRAY_COUNT(bucket_counts); i++) {
		const struct metric_curves_query query = {.keys = &key,
							  .key_count = 1,
							  .start = INT64_MIN,
							  .end = INT64_MAX,
							  .bucket_count = bucket_counts[i]};
		struct metric_curve curve;
		int64_t begin_ns = now_ns();
		CHECK(b, metric_curves_read(b->db, &query, &b->arena, &curve, &b->err));
		(void)snprintf(line, sizeof(line), "%s: curve of %" PRId64 " points in %zu buckets",
			       state, curve.point_count, bucket_counts[i]);
		print(line, seconds_since(begin_ns) * 1e3, "ms");
		arena_reset(&b->arena);
	}
	struct metric_sample place = {0};
	bool more = true, has_place = false;
	double first = 0, last = 0;
	for (unsigned page = 0; more; page++) {
		struct metric_samples samples;
		int64_t begin_ns = now_ns();
		CHECK(b, metric_history_read(b->db, key, has_place ? &place : NULL, 25000,
					     &b->arena, &samples, &more, &b->err));
		last = seconds_since(begin_ns);
		if (page == 0)
			first = last;
		place = samples.items[samples.count - 1];
		has_place = true;
		arena_reset(&b->arena);
	}
	(void)snprintf(line, sizeof(line), "%s: first history page of 25000", state);
	print(line, first * 1e3, "ms");
	(void)snprintf(line, sizeof(line), "%s: last history page of 25000", state);
	print(line, last * 1e3, "ms");
}

static void bench_million(struct bench *b)
{
	struct run_pk run_pk = new_run(b);
	struct metric_series_key key = {run_pk, {0}};
	int64_t before, after, free_bytes;
	bool found = false;
	CHECK(b, db_size(b->db, &before, &free_bytes, &b->err));
	before -= free_bytes;
	print("1M points, 1 name: append", 1000.0 / append(b, run_pk, 1000, 1000, 1),
	      "thousand points/s");
	CHECK(b,
	      names_find(b->db, SLICE("train/layer_0/weight_norm"), &key.name_pk, &found, &b->err));
	bench_reads(b, key, "all in the tail");
	compact(b, "1M points, 1 name", true);
	CHECK(b, db_size(b->db, &after, &free_bytes, &b->err));
	print("1M points, compacted: size", (double)(after - free_bytes - before) * 1e-6,
	      "bytes a point");
	bench_reads(b, key, "compacted");
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	char path[256];
	const struct db_options options = {.mode = DB_READ_WRITE, .cache_bytes = 32 * 1024 * 1024};
	(void)snprintf(path, sizeof(path), "%s/metrics_bench_%ld.db", argc > 1 ? argv[1] : "/tmp",
		       (long)getpid());
	arena_init(&b.arena, (size_t)512 << 20);
	CHECK(&b, db_open(path, &options, &b.db, &b.err));
	CHECK(&b, migrations_apply(b.db, "tracker", &b.err));
	CHECK(&b, experiment_seed_default(b.db, SLICE("mlflow-artifacts:/"), 0, &b.arena, &b.err));
	bench_append(&b, "1000 points, 1 name", 200, 1000, 1);
	bench_append(&b, "1000 points, 10 names", 200, 1000, 10);
	bench_append(&b, "1000 points, 1000 names", 200, 1000, 1000);
	bench_append(&b, "1 point", 100000, 1, 1);
	bench_append(&b, "1000 points, 10000 names", 500, 1000, 10000);
	bench_million(&b);
	db_close(b.db);
	const char *const suffixes[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char file[300];
		(void)snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
		(void)unlink(file); /* the last two may not exist */
	}
	arena_deinit(&b.arena);
	return 0;
}
