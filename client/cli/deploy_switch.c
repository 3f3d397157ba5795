/* Owns the exchange of the model that is used, and the way back. */
#include "cli/deploy_switch.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "cli/deploy_hook.h"
#include "src/deploy_fault.h"

enum { NAP_MS = 100 };

static const char *sentence(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- commands -------------------------------------------------------------------------------- */

static bool run_command(struct deployment *d, const char *title, const char *command,
			const char *name, const char *previous, const char *cause,
			bool is_interruptible, struct error *err)
{
	const struct deploy_settings *s = &d->state.settings;
	const struct deploy_version *version = deploy_state_find(&d->state, name);
	const struct variable variables[] = {
		{"TRK_MODEL", version != NULL ? version->model : ""},
		{"TRK_VERSION", version != NULL ? version->version : ""},
		{"TRK_TREE_SHA256", version != NULL ? version->tree_sha256 : ""},
		{"TRK_PATH", deploy_version_path(&d->directory, d->cli->arena, name)},
		{"TRK_PREVIOUS_PATH", deploy_version_path(&d->directory, d->cli->arena, previous)},
		{"TRK_ENV", s->environment},
		{"TRK_TARGET", s->target},
		{"TRK_CAUSE", cause},
	};
	const struct deploy_command call = {
		.title = title,
		.command = command,
		.variables = variables,
		.variable_count = ARRAY_COUNT(variables),
		.timeout_s = s->timeout_s,
		.is_interruptible = is_interruptible,
	};
	return command[0] == '\0' || deploy_command_run(d->cli, &call, err);
}

/* False after Ctrl-C. */
static bool nap(const struct stop *stop, int64_t seconds)
{
	int64_t until = clock_monotonic_ms(clock_system()) + seconds * 1000;
	const struct timespec turn = {.tv_nsec = NAP_MS * 1000000L};
	while (clock_monotonic_ms(clock_system()) < until && !stop_is_asked(stop))
		(void)nanosleep(&turn, NULL); /* cut short is fine */
	return !cli_is_interrupted();
}

static bool check_health(struct deployment *d, struct error *err)
{
	const struct deploy_state *s = &d->state;
	int64_t attempts = s->settings.health_retries + 1;
	for (int64_t i = 0; i < attempts; i++) {
		if (i > 0 && !nap(&d->cli->fetcher.stop, s->settings.health_interval_s))
			return cli_fail_interrupted(err);
		if (run_command(d, "the health check", s->settings.health, s->to, s->from, s->cause,
				true, err))
			return true;
		if (err->code == ERR_CANCELLED)
			return false;
	}
	d->cli->exit = CLI_GATE_FAILED;
	return error_prefix(err, "after %lld attempts", (long long)attempts);
}

/* Hook, then health check, of the version in place. */
static bool prove(struct deployment *d, struct error *err)
{
	const struct deploy_state *s = &d->state;
	if (!run_command(d, "the hook", s->settings.hook, s->to, s->from, s->cause, true, err))
		return false;
	DEPLOY_FAULT("hooked");
	if (!check_health(d, err))
		return false;
	DEPLOY_FAULT("healthy");
	return true;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static bool enter(struct deployment *d, enum deploy_phase phase, struct error *err)
{
	d->state.phase = phase;
	return deploy_state_save(&d->directory, &d->state, err);
}

/* `previous` first: at every instant both links lead to whole versions. */
static bool exchange(struct deployment *d, struct error *err)
{
	const struct deploy_state *s = &d->state;
	if (strcmp(s->from, s->to) == 0)
		return true;
	if (s->from[0] != '\0' && !deploy_directory_point(&d->directory, "previous", s->from, err))
		return false;
	DEPLOY_FAULT("previous");
	if (!deploy_directory_point(&d->directory, "current", s->to, err))
		return false;
	DEPLOY_FAULT("swapped");
	return true;
}

static bool finish(struct deployment *d, struct error *err)
{
	struct deploy_state *s = &d->state;
	const struct deploy_version *known = deploy_state_find(s, s->to);
	if (known != NULL) {
		struct deploy_version version = *known;
		version.deployed_ms = clock_wall_ms(clock_system());
		deploy_state_put(s, &version);
	}
	s->result = strcmp(s->cause, "rollback") == 0 ? "rolled back" : "active";
	s->reason = "";
	deploy_log(&d->directory, s->result, s->to, s->cause);
	return enter(d, DEPLOY_IDLE, err) ||
	       error_prefix(err, "%s is in place and works, but", s->to);
}

/* Back to `from`; the links are what counts, so a journal that cannot be written does not stop it.
 * Sets a sentence on how it went. */
static bool put_back(struct deployment *d, const char *reason, bool is_hooked, const char **how_out)
{
	struct deploy_state *s = &d->state;
	struct error err;
	s->result = "failed";
	s->reason = reason;
	(void)enter(d, DEPLOY_PUTTING_BACK, &err);
	DEPLOY_FAULT("putting_back");
	bool ok = strcmp(s->from, s->to) == 0 ||
		  (deploy_directory_point(&d->directory, "current", s->from, &err) &&
		   deploy_directory_point(&d->directory, "previous", s->previous_before, &err));
	DEPLOY_FAULT("put_back");
	bool is_told = ok && (!is_hooked || s->from[0] == '\0' ||
			      run_command(d, "the hook", s->settings.hook, s->from, "", "put-back",
					  false, &err));
	if (!ok)
		*how_out = sentence(d->cli->arena, "the old model could not be put back: %s",
				    err.message);
	else if (!is_told)
		*how_out = sentence(d->cli->arena, "%s is back in place, but %s", s->from,
				    err.message);
	else if (s->from[0] == '\0')
		*how_out = "there was no model before, and there is none now";
	else
		*how_out = sentence(d->cli->arena, "%s is in place", s->from);
	deploy_log(&d->directory, "failed", s->to, reason);
	return ok && enter(d, DEPLOY_IDLE, &err);
}

static const char *sentence(struct arena *arena, const char *format, ...)
{
	char text[ERROR_MESSAGE_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return arena_cstr(arena, slice_from_cstr(text));
}

/* ---- public ---------------------------------------------------------------------------------- */

bool deploy_activate(struct deployment *d, const char *name, const char *cause, struct error *err)
{
	struct deploy_state *s = &d->state;
	const char *how;
	s->to = name;
	s->cause = cause;
	if (!deploy_link(&d->directory, d->cli->arena, "current", &s->from, err) ||
	    !deploy_link(&d->directory, d->cli->arena, "previous", &s->previous_before, err))
		return false;
	deploy_log(&d->directory, "activating", name, cause);
	if (!enter(d, DEPLOY_ACTIVATING, err))
		return error_prefix(err, "nothing was changed");
	DEPLOY_FAULT("journalled");
	bool is_exchanged = exchange(d, err);
	if (is_exchanged && prove(d, err))
		return finish(d, err);
	const char *reason = arena_cstr(d->cli->arena, slice_from_cstr(err->message));
	(void)put_back(d, reason, is_exchanged, &how); /* told in the sentence */
	return error_set(err, err->code, "%s; %s", reason, how);
}

static bool settle(struct deployment *d, const char *current, const char **note_out,
		   struct error *err)
{
	struct deploy_state *s = &d->state;
	struct arena *arena = d->cli->arena;
	const char *how;
	bool was_swapped = strcmp(current, s->to) == 0;
	bool is_tried = s->phase == DEPLOY_ACTIVATING && was_swapped;
	if (is_tried && prove(d, err)) {
		*note_out = sentence(arena, "an interrupted deployment of %s was finished", s->to);
		return finish(d, err);
	}
	if (is_tried && err->code == ERR_CANCELLED)
		return false; /* nothing is decided yet */
	const char *reason = is_tried ? arena_cstr(arena, slice_from_cstr(err->message))
			     : s->phase == DEPLOY_PUTTING_BACK ? s->reason
							       : "the deployment was killed";
	d->cli->exit = CLI_OK;
	bool is_back = put_back(d, reason, was_swapped || s->phase == DEPLOY_PUTTING_BACK, &how);
	*note_out = sentence(arena, "an interrupted deployment of %s was undone (%s); %s", s->to,
			     reason, how);
	return is_back || error_set(err, ERR_INVALID_STATE, "%s", *note_out);
}

bool deploy_settle(struct deployment *d, const char **note_out, struct error *err)
{
	const char *current;
	*note_out = NULL;
	if (d->state.phase == DEPLOY_IDLE)
		return true;
	return deploy_link(&d->directory, d->cli->arena, "current", &current, err) &&
	       settle(d, current, note_out, err);
}
