/* Several runs side by side: which keys they have, and in which they differ. */
#ifndef CLI_RUN_COLUMNS_H
#define CLI_RUN_COLUMNS_H

#include "cli/run_view.h"

struct run_set {
	const struct json_value **items; /* runs in MLflow's shape */
	size_t count;
};

/* The runs of a list in a reply: the items themselves, or their member of that name. */
struct run_set run_set_of_entries(struct cli *cli, const struct json_value *list,
				  const char *member_or_null);
/* All keys of one part, in the order in which they first occur, in the arena. Returns how many. */
size_t run_set_keys(struct cli *cli, const struct run_set *set, enum run_part part,
		    struct slice **keys_out);
/* Those in which at least two runs differ; a run without the key differs from one with it. */
size_t run_set_differing(struct cli *cli, const struct run_set *set, enum run_part part,
			 struct slice **keys_out);

#endif
