/* What an import or an export says at its end: how much came over, and by name what did not, or not as it was.
 *
 * Every item is also said at once on standard error, a line each; with --json they stand in the result. The
 * first IMPORT_ITEMS_MAX are kept, all are counted. One thread. */
#ifndef CLI_IMPORT_REPORT_H
#define CLI_IMPORT_REPORT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct cli;
struct progress;

enum { IMPORT_ITEMS_MAX = 10000 };

enum import_mark {
	IMPORT_CHANGED,	    /* came over, but not as it was: another id, an address that was kept */
	IMPORT_UNSUPPORTED, /* left out: there is no place for it here */
	IMPORT_FAILED,	    /* left out, or only in part: damaged, missing, unreadable. The exit status says so. */
	IMPORT_MARKS_COUNT,
};

struct import_item {
	enum import_mark mark;
	struct slice kind;   /* "run", "metric", "artifact", "table" … */
	struct slice name;   /* of the thing: an id, a path */
	struct slice reason; /* why, without a full stop */
};

struct import_counts {
	int64_t experiments, runs, runs_skipped, points, logged_models, models, versions, artifacts, artifact_bytes;
};

struct import_report {
	struct cli *cli;
	struct progress *progress_or_null; /* taken away before a line is said */
	struct arena arena; /* of the items' texts */
	struct import_counts counts;
	struct import_item *items; /* IMPORT_ITEMS_MAX */
	size_t item_count;
	int64_t mark_counts[IMPORT_MARKS_COUNT];
};

void import_report_init(struct import_report *report, struct cli *cli);
void import_report_deinit(struct import_report *report);
/* "changed", "left out", "failed". Static text. */
const char *import_mark_name(enum import_mark mark);
/* Adds an item; the texts are copied, `reason` is made like printf. */
void import_report_add(struct import_report *report, enum import_mark mark, const char *kind, struct slice name,
		       const char *reason, ...) PRINTF_LIKE(5, 6);
/* Prints the counts, with --json also the items: "imported 3 runs, …". False, with the exit status CLI_INCOMPLETE,
 * when something has failed. `participle` is for sentences: "imported". */
MUST_CHECK bool import_report_print(struct import_report *report, const char *verb, const char *participle,
				    struct error *err);

#endif
