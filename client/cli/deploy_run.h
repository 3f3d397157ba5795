/* The steps of "trk deploy" from a version at the server to the model in use, for one deployment and
 * for those of a watch alike. The daemon is told of each (deploy_tell.h). */
#ifndef CLI_DEPLOY_RUN_H
#define CLI_DEPLOY_RUN_H

#include "cli/deploy_fetch.h"
#include "cli/deploy_report.h"

/* Opens the directory as ours alone, loads its state, and settles what a killed deployment left.
 * NOT_FOUND when nothing was ever deployed there and it is not to be made. */
MUST_CHECK bool deploy_enter(struct deployment *d, const char *path, bool is_made,
			     struct deploy_report *r, struct error *err);
/* Is the version in use, under its own name, with the right bytes? Not with --force. */
bool deploy_is_in_place(const struct deployment *d, const struct deploy_source *source,
			const char *current);
/* Which versions go when `current` and `previous` are these: the oldest beyond `keep`. */
void deploy_choose_removed(const struct deployment *d, const char *current, const char *previous,
			   int64_t keep, struct deploy_report *r);
/* Brings the version into use with these settings, unless it is in place; r->result says which. A
 * failure leaves the old version in use; r->is_tried says whether hook or health check saw the new
 * one. */
MUST_CHECK bool deploy_bring(struct deployment *d, const struct deploy_source *source,
			     const struct deploy_settings *settings, int64_t keep,
			     struct deploy_report *r, struct error *err);
/* Goes back to r->version, which is whole in the directory, with the state's settings. */
MUST_CHECK bool deploy_use_previous(struct deployment *d, int64_t keep, struct deploy_report *r,
				    struct error *err);

#endif
