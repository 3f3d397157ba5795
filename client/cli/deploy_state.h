/* What a deployment directory remembers, in .trk-deploy/state.json: which versions it holds, what the
 * last deployment came to, and, while `current` is being exchanged, how to finish or undo it.
 *
 *     idle ── activating ── idle                the new version works
 *                  └── putting_back ── idle     it did not: the old one is back
 *
 * The file is replaced by a rename and synced: after a crash it is the old one or the new one. A file
 * that is there but makes no sense is an error, never an empty state. */
#ifndef CLI_DEPLOY_STATE_H
#define CLI_DEPLOY_STATE_H

#include "cli/cli.h"
#include "src/deploy_directory.h"

enum deploy_phase { DEPLOY_IDLE, DEPLOY_ACTIVATING, DEPLOY_PUTTING_BACK };

/* Texts are "" where there is nothing. All of them live in the arena. */
struct deploy_version {
	const char *name; /* in versions/ */
	const char *model, *version, *tree_sha256;
	int64_t file_count, byte_count;
	int64_t deployed_ms;
};

/* How to tell the world, and whether it works. */
struct deploy_settings {
	const char *model, *alias; /* that were asked for; alias "" for a version by its number */
	const char *target, *environment, *hook, *health;
	int64_t health_retries, health_interval_s, timeout_s;
};

struct deploy_state {
	struct arena *arena; /* what is added later lives there, too */
	enum deploy_phase phase;
	/* While activating or putting back: the names in versions/. */
	const char *from, *to, *previous_before;
	const char *cause; /* "deploy" or "rollback" */
	struct deploy_settings settings;
	struct deploy_version *versions; /* in the order in which they were last activated */
	size_t version_count;
	/* The deployment's name at the daemon, made with the first state and never again. */
	const char *deployment_id;
	const char *result; /* of the last one: "active", "rolled back", "failed" */
	const char *reason; /* why it failed */
	int64_t changed_ms;
};

/* The state without a file is idle and holds nothing; its deployment_id is saved with it. */
MUST_CHECK bool deploy_state_load(const struct deploy_directory *d, struct arena *arena,
				  struct deploy_state *out, struct error *err);
/* Durable when it returns. Sets changed_ms. */
MUST_CHECK bool deploy_state_save(const struct deploy_directory *d, struct deploy_state *state,
				  struct error *err);
/* NULL if it is not known. */
const struct deploy_version *deploy_state_find(const struct deploy_state *state, const char *name);
/* Adds a version at the end, or moves it there; keeps its texts. */
void deploy_state_put(struct deploy_state *state, const struct deploy_version *version);
void deploy_state_drop(struct deploy_state *state, const char *name);

/* What deploy_directory.h answers, in the arena. */
MUST_CHECK bool deploy_link(const struct deploy_directory *d, struct arena *arena, const char *link,
			    const char **name_out, struct error *err);
const char *deploy_version_path(const struct deploy_directory *d, struct arena *arena,
				const char *name);
const char *deploy_admin_path(const struct deploy_directory *d, struct arena *arena,
			      const char *name);

/* Appends a line to .trk-deploy/log: when, what, and about which version. What cannot be written is
 * left out. */
void deploy_log(const struct deploy_directory *d, const char *event, const char *name,
		const char *detail);

#endif
