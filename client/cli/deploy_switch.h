/* The exchange of the model that is used: links, hook, health check, and the way back.
 *
 *     journal "activating" → previous := old → current := new → hook → health → journal "idle"
 *     on failure: journal "putting_back" → current := old → previous := as before → hook → "idle"
 *
 * A kill at any place leaves `current` at the old or the new version, both whole, and a journal that
 * deploy_settle finishes: where the new version was in place, hook and health check are run again, and
 * decide. Hooks may thus run more than once for the same version. */
#ifndef CLI_DEPLOY_SWITCH_H
#define CLI_DEPLOY_SWITCH_H

#include "cli/deploy_state.h"

struct reporter;

struct deployment {
	struct cli *cli;
	struct deploy_directory directory; /* locked */
	struct deploy_state state;
	struct reporter *reporter_or_null;
	struct deploy_settings told; /* what a report says of them */
	const char *address_or_null; /* URL of what serves the version; told in place of the directory */
};

/* Activates versions/NAME, which is complete and in state.versions; `cause` is "deploy" or "rollback".
 * The state's settings say how. Fails with what failed, and with how the way back went; cli->exit is 7
 * when it was the health check. */
MUST_CHECK bool deploy_activate(struct deployment *d, const char *name, const char *cause,
				struct error *err);
/* Finishes what a killed deployment began; *note_out is a sentence about it, or NULL when there was
 * nothing. It fails only when the directory can be neither finished nor put back. */
MUST_CHECK bool deploy_settle(struct deployment *d, const char **note_out, struct error *err);

#endif
