/* watch_model: follows a model with libtrk while threads use each version, for tests.
 *
 *     watch_model URL MODEL ALIAS DIRECTORY KEEP REFUSED_VERSION [TARGET]
 *
 * Each thread takes the current version, reads its file "weights" twice, and lets go: all of it must be the
 * version's number. A line is written for each version ("current N GENERATION") and each warning ("warn …");
 * "hold" on standard input holds on to the current version, "drop" lets go of it, the end of input ends all. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trk.h"

enum { THREADS = 4 };

struct program {
	struct trk_model_watch *watch;
	const char *refused;
	atomic_bool is_done;
	atomic_ulong reads;
};

static void fail(const char *what)
{
	printf("FAILED %s\n", what);
	(void)fflush(stdout);
	_exit(3);
}

/* The file holds the version's number again and again, and nothing else. */
static void check_whole(const struct trk_model *model)
{
	char path[5000], text[32];
	long count = 0;
	(void)snprintf(path, sizeof path, "%s/weights", model->directory);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		fail("a version in use has no file");
	while (fscanf(file, "%31s", text) == 1) {
		if (strcmp(text, model->version) != 0)
			fail("a version holds another's bytes");
		count++;
	}
	(void)fclose(file);
	if (count < 1000)
		fail("a version in use is not whole");
}

static void *use(void *context)
{
	struct program *p = context;
	uint64_t newest = 0;
	while (!atomic_load(&p->is_done)) {
		const struct trk_model *model = trk_model_watch_current(p->watch);
		if (model == NULL) {
			(void)trk_model_watch_wait(p->watch, 0, 50);
			continue;
		}
		if (model->generation < newest)
			fail("a generation came back");
		newest = model->generation;
		check_whole(model);
		check_whole(model);
		trk_model_watch_release(p->watch, model);
		atomic_fetch_add(&p->reads, 1);
	}
	return NULL;
}

static bool load(void *context, const struct trk_model *model)
{
	const struct program *p = context;
	check_whole(model);
	return strcmp(model->version, p->refused) != 0;
}

static void tell(void *context, enum trk_log_level level, const char *sentence)
{
	(void)context;
	if (level != TRK_LOG_INFO)
		printf("warn %s\n", sentence);
	(void)fflush(stdout);
}

static void *announce(void *context)
{
	struct program *p = context;
	uint64_t seen = 0;
	while (!atomic_load(&p->is_done)) {
		if (trk_model_watch_wait(p->watch, seen, 100) != TRK_OK)
			continue;
		const struct trk_model *model = trk_model_watch_current(p->watch);
		seen = model->generation;
		printf("current %s %llu\n", model->version, (unsigned long long)seen);
		(void)fflush(stdout);
		trk_model_watch_release(p->watch, model);
	}
	return NULL;
}

/* In a child the handle is dead, and letting go of it harms nobody. */
static void check_fork(struct trk_model_watch *watch)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		bool ok = trk_model_watch_current(watch) == NULL &&
			  trk_model_watch_generation(watch) == 0 &&
			  trk_model_watch_wait(watch, 0, 1000) == TRK_FORKED &&
			  trk_model_watch_stop(watch) == TRK_FORKED;
		_exit(ok ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("the handle lives in a child");
}

static void obey(struct program *p)
{
	char line[64];
	const struct trk_model *held = NULL;
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (strcmp(line, "hold\n") == 0)
			held = trk_model_watch_current(p->watch);
		else if (strcmp(line, "drop\n") == 0)
			trk_model_watch_release(p->watch, held);
		printf("did %s", line);
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	char error[512] = "";
	struct program p = {.refused = argc > 6 ? argv[6] : ""};
	pthread_t threads[THREADS + 1];
	if (argc < 7 || argc > 8)
		return 2;
	struct trk_model_watch_options options = {
		.size = sizeof options,
		.url = argv[1],
		.model = argv[2],
		.alias = argv[3],
		.directory = argv[4],
		.keep = (size_t)strtoul(argv[5], NULL, 10),
		.load = load,
		.load_context = &p,
		.log = tell,
		.error_text = error,
		.error_text_bytes = sizeof error,
		.target = argc > 7 ? argv[7] : NULL,
		.environment = "prod",
		.heartbeat_ms = 1000,
	};
	enum trk_status status = trk_model_watch_start(&options, &p.watch);
	if (status != TRK_OK) {
		printf("status %d %s\n", (int)status, error);
		return 1;
	}
	check_fork(p.watch);
	for (size_t i = 0; i < THREADS + 1; i++) {
		if (pthread_create(&threads[i], NULL, i == 0 ? announce : use, &p) != 0)
			fail("no thread");
	}
	obey(&p);
	atomic_store(&p.is_done, true);
	for (size_t i = 0; i < THREADS + 1; i++)
		(void)pthread_join(threads[i], NULL);
	status = trk_model_watch_stop(p.watch);
	printf("stopped %d reads %lu\n", (int)status, atomic_load(&p.reads));
	return 0;
}
