/* A model version on its way into the directory of a deployment. */
#ifndef CLI_DEPLOY_FETCH_H
#define CLI_DEPLOY_FETCH_H

#include "cli/deploy_switch.h"
#include "src/model_source.h"

struct deploy_source {
	struct manifest manifest;
	struct deploy_version version; /* .name: where it goes in versions/ */
};

/* Asks the server what "NAME@ALIAS" or "NAME/VERSION" is. */
MUST_CHECK bool deploy_source_resolve(struct cli *cli, const char *text, struct deploy_source *out,
				      struct error *err);
/* The same of a version that was found; borrows its texts. */
struct deploy_source deploy_source_of(struct arena *arena, const struct model_source *source);
/* Makes versions/NAME hold the source, complete, verified and durable. One that is there already is
 * read and left alone; a download that broke off is gone on with; a failure leaves only that. */
MUST_CHECK bool deploy_fetch(struct deployment *d, const struct deploy_source *source,
			     bool *is_fetched_out, struct error *err);

#endif
