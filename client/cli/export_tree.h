/* The folder that an export fills: a file store of MLflow, written so that it is whole at any time.
 *
 * Folders (a run, a registered model) are filled below DIR/trk-export-tmp and then renamed to their place,
 * with what was there before exchanged and removed; some dozens at a time, after one syncfs, so that neither
 * a kill nor a power cut leaves a part of one. Single files go to a temporary name beside their place first.
 *
 *     DIR/.trackerd-export        marks the folder as ours, and is locked while an export runs
 *     DIR/trk-export-tmp/         being filled; what a killed export left there is removed by the next
 *     DIR/…/.trackerd-export      in each folder that was put: the digest that it was put with
 *
 * Paths are relative to DIR and safe: the caller has checked them with export_name_fault. One thread. */
#ifndef CLI_EXPORT_TREE_H
#define CLI_EXPORT_TREE_H

#include "cli/cli.h"
#include "src/sha256.h"

enum { EXPORT_PENDING_MAX = 64 };

struct export_tree {
	struct cli *cli;
	const char *root; /* real path */
	int root_fd;	  /* -1 where a dry run found no folder */
	int mark_fd;	  /* the lock */
	int staging_fd;
	unsigned staged_count; /* ever: makes the names */
	struct {
		char name[16]; /* below the staging folder */
		char *target;  /* heap */
	} pending[EXPORT_PENDING_MAX];
	size_t pending_count;
};

/* Makes DIR where it is missing. A folder that holds anything but an earlier export is refused, unless forced.
 * A dry run changes nothing. Gives *out; export_tree_close. */
MUST_CHECK bool export_tree_open(struct cli *cli, const char *path, bool is_forced, bool is_dry,
				 struct export_tree *out, struct error *err);
/* Forgets what is pending and removes what is staged. */
void export_tree_close(struct export_tree *tree);

/* Begins a folder; *fd_out is the caller's until it puts or drops it. One at a time. */
MUST_CHECK bool export_tree_stage(struct export_tree *tree, int *fd_out, struct error *err);
/* Ends it: it shall be at `target`, whose parent exists by the time of the flush; with the digest in it, if one
 * is given. Closes fd. */
MUST_CHECK bool export_tree_put(struct export_tree *tree, int fd, const char *target,
				const char *digest_or_null, struct error *err);
/* Removes it. Closes fd. */
void export_tree_drop(struct export_tree *tree, int fd);
/* Puts all pending folders in their places, durably. */
MUST_CHECK bool export_tree_flush(struct export_tree *tree, struct error *err);

enum export_state {
	EXPORT_MISSING,
	EXPORT_SAME,	/* there, with this digest */
	EXPORT_CHANGED, /* there, with another */
	EXPORT_FOREIGN, /* there, and not put by us */
};
/* What is at `target`, against the digest that it would be put with now. */
enum export_state export_tree_state(const struct export_tree *tree, const char *target,
				    const char *digest);

/* Makes a folder and those above it. */
MUST_CHECK bool export_tree_folder(struct export_tree *tree, const char *path, struct error *err);
/* Writes a file whose folder exists, unless it holds these bytes already. */
MUST_CHECK bool export_tree_replace(struct export_tree *tree, const char *path, struct slice content,
				    struct error *err);
/* Marks a folder that is not put as a whole as ours: its state is no more EXPORT_FOREIGN. */
MUST_CHECK bool export_tree_mark(struct export_tree *tree, const char *path, struct error *err);
/* Moves a folder; where there is none, nothing happens. */
MUST_CHECK bool export_tree_move(struct export_tree *tree, const char *from, const char *to,
				 struct error *err);
bool export_tree_has(const struct export_tree *tree, const char *path);

/* ---- in a staged folder ---------------------------------------------------------------------- */

/* Makes a folder in a folder and opens it; -1 on failure. */
int export_folder_make(int folder_fd, const char *name, struct error *err);
/* Creates a file for a key, whose slashes are folders. -1 when the file system has no place for it: then
 * *fault_out says why and *err is untouched; or, with *fault_out NULL, on failure. */
int export_key_create(int folder_fd, struct slice key, const char **fault_out, struct error *err);
/* Creates a file with that content. */
MUST_CHECK bool export_file_write(int folder_fd, const char *name, struct slice content, struct error *err);
/* Writes all bytes, or fails naming `name`. */
MUST_CHECK bool export_write(int fd, const char *name, struct slice bytes, struct error *err);

/* Why the text cannot be the name of a file ("is too long for the name of a file"), or NULL. */
const char *export_name_fault(struct slice name);

#endif
