/* The one grammar of artifact paths: what a file may be called, on the wire, in an archive, in
 * the database.
 *
 * A path is relative, UTF-8, at most ARTIFACT_PATH_BYTES_MAX bytes, its segments separated by
 * one '/'. No segment is empty, "." or "..". It holds no control character, backslash or '#',
 * and does not begin with a drive letter ("C:"). The empty path is the root. Every path can be
 * asked for over HTTP, where it is percent-decoded until it no longer changes: so a name that
 * itself contains an escape ("a%20b") is no path, except that of a control character ("a%0ab"),
 * which stands for it.
 *
 * Pure; any thread; results live in the arena. */
#ifndef ARTIFACTS_ARTIFACT_PATH_H
#define ARTIFACTS_ARTIFACT_PATH_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* From a URL or a query, decoded once or not at all: decodes until stable, escapes control
 * characters but NUL in lower case (the 2.x clients call pictures "key%step%0%timestamp%1795…",
 * where decoding finds one), drops empty and "." segments and trailing slashes. A broken escape
 * stands for itself. Fails with INVALID_PARAMETER_VALUE "Invalid path". */
MUST_CHECK bool artifact_path_parse(struct slice text, struct arena *arena, struct slice *out,
				    struct error *err);
/* The same, and the root is refused too. */
MUST_CHECK bool artifact_path_parse_below_root(struct slice text, struct arena *arena,
					       struct slice *out, struct error *err);
/* The name of a member of an archive: not decoded; "./a//b/" is "a/b"; "." is the root. Fails with
 * INVALID_PARAMETER_VALUE that names the member and what is wrong with it. */
MUST_CHECK bool artifact_path_parse_member(struct slice name, struct arena *arena,
					   struct slice *out, struct error *err);

/* The path inside a URI of ours, "mlflow-artifacts:/1/ab/artifacts" or
 * "mlflow-artifacts://host:port/1/ab/artifacts": "1/ab/artifacts". Another scheme fails with
 * INVALID_PARAMETER_VALUE. */
MUST_CHECK bool artifact_path_from_uri(struct slice uri, struct arena *arena, struct slice *out,
				       struct error *err);

/* `directory` + '/' + `rest`; either may be the root. Fails with "Invalid path" when it gets too
 * long. */
MUST_CHECK bool artifact_path_join(struct slice directory, struct slice rest, struct arena *arena,
				   struct slice *out, struct error *err);
/* What is before the last '/': the root for a path of one segment. */
struct slice artifact_path_directory(struct slice path);
/* What is behind the last '/'. */
struct slice artifact_path_name(struct slice path);
/* Is `path` the same as `directory`, or below it? The root holds everything. */
bool artifact_path_is_within(struct slice path, struct slice directory);

#endif
