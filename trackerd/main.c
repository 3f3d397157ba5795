/* Owns the process: reads the options, runs the server, turns the outcome into an exit status. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config.h"
#include "server.h"

extern char **environ;

int main(int argc, char **argv)
{
	static struct config config;
	struct error err;
	enum config_action action;
	if (!config_load(argc, argv, environ, &config, &action, &err)) {
		(void)fprintf(stderr, "trackerd: %s\n", err.message);
		return 2;
	}
	if (action == CONFIG_SHOW_HELP) {
		config_print_help();
		return EXIT_SUCCESS;
	}
	if (action == CONFIG_SHOW_VERSION) {
		printf("trackerd %s\n", TRACKERD_VERSION);
		return EXIT_SUCCESS;
	}
	/* A handful of threads share two heaps: fewer half-empty ones, less resident memory. */
	(void)mallopt(M_ARENA_MAX, 2);
	/* Buffers of transfers go back to the system at once; without this glibc learns to keep them. */
	(void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	/* What batches of points need is kept, else each would have its memory mapped and zeroed anew. */
	(void)mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
	(void)umask(077); /* experiments are their owner's */
	log_level_set(config.level);
	if (!server_run(&config, &err)) {
		(void)fprintf(stderr, "trackerd: %s\n", err.message);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
