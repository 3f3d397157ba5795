/* Fills a directory beside its place and puts it there in one step, so that whoever opens the
 * target finds the old tree or the new one, whole, and a failure leaves what was there as it was.
 *
 *     begin: PARENT/.NAME.trk-XXXXXXXX is made      fill it through new_fd
 *     commit: synced to the disk, then exchanged with PARENT/NAME by one renameat2
 *     abandon: removed
 *
 * Where the file system cannot exchange, the old tree is moved away first: there the target is
 * missing for a moment. What survives a crash: the old tree or the new one at the target, perhaps
 * with the other beside it. */
#ifndef CLI_DIRECTORY_SWAP_H
#define CLI_DIRECTORY_SWAP_H

#include "cli/cli.h"

struct directory_swap {
	const char *target; /* real path, in the arena */
	const char *name;   /* its last segment */
	int parent_fd;
	char new_name[300]; /* in the parent */
	int new_fd;
	bool had_target;
};

/* Fails if the target is there and no directory, if its parent is not there, or if the working
 * directory is in it. */
MUST_CHECK bool directory_swap_begin(struct cli *cli, const char *target,
				     struct directory_swap *out, struct error *err);
/* The old tree is removed, unless it is to be kept: then it stays beside, and *kept_out (in the
 * arena) is its path. */
MUST_CHECK bool directory_swap_commit(struct cli *cli, struct directory_swap *s, bool keep_old,
				      const char **kept_out, struct error *err);
/* Removes what was filled. */
void directory_swap_abandon(struct cli *cli, struct directory_swap *s);

#endif
