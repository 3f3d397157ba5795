/* Owns the way from URIs of artifacts to paths. */
#include "src/artifact_uri.h"

bool artifact_uri_path(struct slice uri, struct slice *path_out, struct error *err)
{
	static const struct slice scheme = {"mlflow-artifacts:", 17};
	char quoted[200];
	struct slice path = slice_from(uri, scheme.len);
	if (!slice_starts_with(uri, scheme))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the artifacts are not stored by this server but at \"%s\"",
				 error_quote(uri, quoted, sizeof(quoted)));
	if (slice_starts_with(path, SLICE("//"))) /* a host, which is this server's */
		path = slice_from(path, slice_find_byte(path, '/', 2));
	while (path.len > 0 && path.ptr[0] == '/')
		path = slice_from(path, 1);
	*path_out = path;
	return true;
}
