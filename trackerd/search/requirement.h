/* Requirements: what a version of a model must fulfil before an alias is moved to it.
 *
 *     rmse_val <= champion + 0.5%        not worse than who holds the alias champion by more than half a percent
 *     accuracy >= 0.9                    a metric within a limit
 *     accuracy >= champion - 0.01        a margin in the metric's own unit
 *     latency_ms < @canary               an alias may be written with @; one like "7" or "canary-2" must be
 *     metrics.size <= 3                  a metric whose name is a word of this language; quoted: metrics."a name"
 *     size < 200M, files <= 20           of the version's files: k M G T are powers of 1000, Ki Mi Gi Ti of 1024
 *     digest                             its files are here, with a SHA-256 each, as they were registered
 *     tags.reviewed                      the version has this tag
 *     params.model = 'ridge'             = or !=, with a quoted text
 *
 *     requirement = figure operator bound | "digest" | text [ ( "=" | "!=" ) quoted ]
 *     figure      = "size" | "files" | [ "metrics." ] name
 *     text        = ( "tags." | "params." ) name
 *     operator    = "<" | "<=" | ">" | ">=" | "=" | "!="           also "=="
 *     bound       = number | [ "@" ] alias [ ( "+" | "-" ) number [ "%" ] ]
 *
 * A metric is the latest value of its curve. Numbers have an optional unit in bounds of size. A percentage is one of
 * the magnitude of the holder's figure, so that "+" always means more. Words of the language in any case, singular
 * (metric.x) too.
 *
 * Pure functions: no state, any thread. Bounds: REQUIREMENT_BYTES_MAX of limits.h. */
#ifndef SEARCH_REQUIREMENT_H
#define SEARCH_REQUIREMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum requirement_kind {
	REQUIREMENT_METRIC,
	REQUIREMENT_SIZE,
	REQUIREMENT_FILES,
	REQUIREMENT_DIGEST,
	REQUIREMENT_TAG,
	REQUIREMENT_PARAM,
};

enum requirement_relation {
	REQUIREMENT_IS_THERE, /* of DIGEST, TAG and PARAM: without a comparison */
	REQUIREMENT_LESS,
	REQUIREMENT_AT_MOST,
	REQUIREMENT_MORE,
	REQUIREMENT_AT_LEAST,
	REQUIREMENT_EQUAL,
	REQUIREMENT_OTHER,
};

struct requirement {
	enum requirement_kind kind;
	enum requirement_relation relation;
	struct slice key;   /* METRIC, TAG, PARAM */
	struct slice alias; /* whose holder it is compared with; absent for a bound without one */
	double number;	    /* the bound, or with an alias the margin: finite, negative for "-", 0 for none */
	bool is_percent;    /* of the margin */
	struct slice margin; /* as written, without spaces: "+ 0.5%"; empty for none */
	struct slice wanted; /* of a text that is compared */
	struct slice text;   /* all of it, names and spaces in their canonical spelling; numbers as written */
};

/* Parses one requirement; everything in *out lives in the arena or borrows `text`. Fails with INVALID_PARAMETER_VALUE,
 * in a sentence that quotes the requirement and says what was expected. */
MUST_CHECK bool requirement_parse(struct slice text, struct arena *arena, struct requirement *out, struct error *err);

#endif
