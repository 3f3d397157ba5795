/* What "trk deploy" prints: for people, and as JSON with stable fields. */
#ifndef CLI_DEPLOY_REPORT_H
#define CLI_DEPLOY_REPORT_H

#include "cli/deploy_switch.h"

struct deploy_report {
	const char *result; /* "active", "unchanged", "rolled back" */
	const struct deploy_version *version;
	const char *previous; /* name in versions/, "" for none */
	bool is_fetched;
	bool is_tried; /* by hook and health check */
	const char *note_or_null;	/* of what was settled */
	const char *const *removed;	/* names of versions that were, or would be, removed */
	size_t removed_count;
};

MUST_CHECK bool deploy_report_result(const struct deployment *d, const struct deploy_report *r,
				     struct error *err);
/* The members of its JSON, for an object that is open. */
void deploy_report_put(struct json_writer *w, const struct deployment *d,
		       const struct deploy_report *r);
/* The same before anything was done. The directory may not be there yet: then its path is the option's. */
MUST_CHECK bool deploy_report_plan(const struct deployment *d, const struct deploy_report *r,
				   const char *from, struct error *err);
/* Of a directory that may be in use. */
MUST_CHECK bool deploy_report_status(const struct deployment *d, struct error *err);

#endif
