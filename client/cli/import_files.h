/* Artifacts that lie in folders of this machine: from an address to a folder, and the files below it.
 *
 * Symbolic links are not followed below the folder; they, folders that cannot be read, and what is neither file nor
 * folder are told to the report. One thread. */
#ifndef CLI_IMPORT_FILES_H
#define CLI_IMPORT_FILES_H

#include <dirent.h>

#include "cli/import_source.h"

struct import_places {
	const char *artifacts_root_or_null; /* behind mlflow-artifacts:/ addresses */
	const char *base;		    /* what relative paths are relative to */
};

/* The folder of an artifact address, in the arena: of a path, a file: address, and, with a root, of mlflow-artifacts:
 * addresses and of the proxy's http: ones. With a root, a path that is not here is also looked for below it, by its
 * last three names (experiment, run, "artifacts"). NULL for other addresses, and for a path of another machine: one
 * of which not even the folder four levels up is here. The folder itself need not be there: MLflow makes it with the
 * first artifact. */
const char *import_files_locate(const struct import_places *places, struct slice uri, struct arena *arena);

/* Is there a file or a folder? */
bool import_files_exist(const char *path);

enum { IMPORT_FILES_DEPTH_MAX = 64, IMPORT_FILES_PATH_BYTES_MAX = 1025 };

struct import_files {
	struct import_report *report_or_null; /* NULL: nothing is told */
	const char *kind;		      /* of what is told: "artifact" */
	const char *owner;		      /* what stands before the path in it, or "" */
	DIR *folders[IMPORT_FILES_DEPTH_MAX]; /* from the root down to the one that is read */
	size_t path_lens[IMPORT_FILES_DEPTH_MAX]; /* of each folder's part of the path */
	size_t depth;
	char path[IMPORT_FILES_PATH_BYTES_MAX]; /* of what is read, below the root */
	size_t path_len;
};

/* Begins with the folder; without one there are no files. Keeps the report; end with import_files_close. `f` is
 * zeroed or closed. */
void import_files_open(struct import_files *f, struct import_report *report, const char *folder);
/* The same for files of another kind. Keeps kind and owner. */
void import_files_open_as(struct import_files *f, struct import_report *report_or_null, const char *kind,
			  const char *owner, const char *folder);
/* The next file; false at the end. Its path lives in the arena. */
bool import_files_next(struct import_files *f, struct arena *arena, struct import_artifact *out);
/* Opens the file that was yielded last; -1, told to the report, when it cannot be read. */
int import_files_open_file(struct import_files *f);
void import_files_close(struct import_files *f);

#endif
