/* Checks a requirement (requirement.h) against what is known of a version and of the holder of an alias.
 *
 * Who gathers the figures is no matter here (api/version_figures.h does). A figure that is missing fails, and says why;
 * NaN never passes. A comparison with an alias that nobody holds passes, since there is nothing to be worse than, and
 * says so; the version's own figure must be there all the same.
 *
 * Pure functions; any thread; texts live in the arena. */
#ifndef SEARCH_REQUIREMENT_CHECK_H
#define SEARCH_REQUIREMENT_CHECK_H

#include <stdint.h>

#include "search/requirement.h"

/* What a requirement is about, of one version. */
struct requirement_figure {
	bool is_known;
	double number;	    /* METRIC, SIZE in bytes, FILES */
	struct slice text;  /* TAG, PARAM; of DIGEST the digest */
	const char *origin; /* where it was found: "model", "run", "version", "files" */
	struct slice why;   /* when it is not known, as the end of a sentence: "run 3a6ace0c has no such metric" */
};

struct requirement_check {
	struct slice requirement; /* its canonical spelling */
	bool ok;
	const char *origin; /* of the figure; NULL when it is not known */
	struct slice value; /* the figure, sizes in bytes, texts cut at 500 characters; empty when it is not known */
	struct slice limit; /* what it is compared with, likewise; empty without a comparison */
	struct slice unheld_alias; /* that it was to be compared with; empty when it was, or names none */
	struct slice text;  /* one sentence without full stop for a person */
};

/* `holder_or_null` is the figure of who holds requirement->alias, `holder_version` its number: NULL when nobody
 * does, or when the requirement names no alias. */
void requirement_check(const struct requirement *requirement, const struct requirement_figure *figure,
		       const struct requirement_figure *holder_or_null, int64_t holder_version,
		       struct arena *arena, struct requirement_check *out);

#endif
