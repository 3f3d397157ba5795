/* Owns the way of versions from the registry to the process that serves them. */
#include "cli/serve_follow.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/deploy_fetch.h"
#include "cli/deploy_run.h"
#include "cli/deploy_tell.h"
#include "cli/model_ref.h"
#include "serve/follow_message.h"
#include "src/alias_poll.h"
#include "src/files.h"
#include "src/retry.h"
#include "src/sender.h"

enum {
	TURN_MS = 1000,		/* of waiting for a verdict */
	NEVER_MS = 3600 * 1000, /* as good as never, for whoever waits with a limit */
};

struct follow {
	const struct serve_follow *options;
	struct cli *cli;
	struct deployment deployment;
	struct reporter reporter;
	struct alias_poll poll;
	FILE *input;
	int output_fd;
	sigset_t asked_to_end; /* SIGTERM */
	char active[512];      /* the name in versions/ of what is served; "" for none */
	char refused[512];     /* that was not taken; "" for none */
	bool is_due;	       /* what the reference names is to be offered, from due_ms on */
	int64_t due_ms;	       /* by the monotonic clock */
	bool is_missing;       /* the alias is not there */
	unsigned refusals;     /* of this version, one after the other */
	unsigned failures;     /* of the server, one after the other */
	int64_t pause_ms;      /* before the next step */
	bool has_said, said_reachable; /* the last note */
	char said[ERROR_MESSAGE_BYTES_MAX];
};

static bool open_all(struct follow *f, const char *address, struct error *err);
static bool follow(struct follow *f, struct error *err);
static bool take_step(struct follow *f, int64_t *pause_ms_out, struct error *err);
static bool listen_once(struct follow *f, int64_t *pause_ms_out, struct error *err);
static bool bring(struct follow *f, struct error *err);
static bool offer(struct follow *f, const struct deploy_version *version, const char *run_id,
		  bool *is_accepted_out, struct error *err);
static bool offer_current(struct follow *f, const struct error *why, bool *is_accepted_out,
			  struct error *err);
static bool rest(struct follow *f, int64_t pause_ms);
static void tick(void *context);
static void say(struct follow *f, bool is_reachable, const char *text);
static void give_up(struct follow *f, const struct error *err);
static void tell_end(struct follow *f, const char *state_or_null);

int serve_follow_run(void *ctx, int input_fd, int output_fd, const char *active_name,
		     const char *address)
{
	const struct serve_follow *options = ctx;
	struct follow f = {
		.options = options, .cli = options->cli, .output_fd = output_fd, .is_due = true};
	struct error err;
	jmp_buf guard;
	f.cli->quiet = true;
	f.input = fdopen(input_fd, "r");
	(void)sigemptyset(&f.asked_to_end); /* valid arguments */
	(void)sigaddset(&f.asked_to_end, SIGTERM);
	(void)snprintf(f.active, sizeof(f.active), "%s", active_name);
	if (setjmp(guard) != 0 || f.input == NULL)
		return CLI_FAILED;
	arena_guard_set(f.cli->arena, &guard);
	cli_watch_signals();
	bool ok = open_all(&f, address, &err) && follow(&f, &err);
	if (!ok)
		give_up(&f, &err);
	if (ok || f.active[0] == '\0')
		tell_end(&f, ok ? "stale" : NULL);
	return ok ? CLI_OK : CLI_FAILED;
}

static bool open_all(struct follow *f, const char *address, struct error *err)
{
	const struct serve_follow *o = f->options;
	struct deployment *d = &f->deployment;
	struct deploy_report settled = {0};
	d->cli = f->cli;
	d->address_or_null = address;
	d->told = (struct deploy_settings){.model = o->model,
					   .alias = o->alias,
					   .target = o->target,
					   .environment = o->environment,
					   .hook = "",
					   .health = ""};
	deploy_directory_init(&d->directory);
	alias_poll_init(&f->poll, &f->cli->fetcher, o->model, o->alias);
	if (!deploy_enter(d, o->directory, true, &settled, err))
		return false;
	if (!o->is_reporting)
		return true;
	d->reporter_or_null = &f->reporter;
	f->cli->tick = tick;
	f->cli->tick_context = f;
	return deploy_tell_open(&f->reporter, f->cli, o->heartbeat_ms, err);
}

/* ---- following ------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static bool is_due_now(const struct follow *f)
{
	return f->is_due && now_ms() >= f->due_ms;
}

/* Fails when there is nothing to serve. True when the server wants no more. */
static bool follow(struct follow *f, struct error *err)
{
	do {
		/* All that one step needs is given back. */
		struct arena_mark mark = arena_mark(f->cli->arena);
		tick(f);
		if (!take_step(f, &f->pause_ms, err))
			return false;
		arena_rewind(f->cli->arena, mark);
	} while (!cli_is_interrupted() && rest(f, f->pause_ms));
	return true;
}

/* Listens, and brings what is due. When that fails, what is served goes on, or what the directory holds is. */
static bool take_step(struct follow *f, int64_t *pause_ms_out, struct error *err)
{
	struct deployment *d = &f->deployment;
	bool is_served = f->active[0] != '\0';
	struct error why;
	if (!deploy_state_load(&d->directory, f->cli->arena, &d->state, err))
		return false;
	if (listen_once(f, pause_ms_out, &why) && (!is_due_now(f) || bring(f, &why))) {
		f->failures = 0;
		return true;
	}
	if (cli_is_interrupted())
		return true;
	if (!is_served && !offer_current(f, &why, &is_served, err))
		return false;
	if (!is_served) {
		*err = why;
		return false;
	}
	say(f, !retry_is_silence(&why), why.message);
	*pause_ms_out = sender_pause_ms(f->failures++);
	return true;
}

/* How long nothing of ours is due; at most `limit_ms`. */
static int64_t idle_ms(const struct follow *f, int64_t limit_ms)
{
	int64_t now = now_ms(), until = now + limit_ms;
	if (f->is_due && f->due_ms < until)
		until = f->due_ms;
	if (f->deployment.reporter_or_null != NULL && f->reporter.due_ms < until)
		until = f->reporter.due_ms;
	return until > now ? until - now : 0;
}

/* What is served goes on, and so does the waiting for the alias. Fails when nothing is served. */
static bool lose_alias(struct follow *f, int64_t *pause_ms_out, struct error *err)
{
	if (f->active[0] == '\0')
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "%s", f->poll.missing);
	f->is_missing = true;
	f->is_due = false;
	say(f, true, f->poll.missing);
	deploy_tell(&f->deployment, NULL, f->poll.missing);
	*pause_ms_out = idle_ms(f, ALIAS_PAUSE_MS);
	return true;
}

/* Waits for a move of the alias, as long as nothing else is due. Says how long to pause before the next step. */
static bool listen_once(struct follow *f, int64_t *pause_ms_out, struct error *err)
{
	struct alias_reply reply;
	const struct serve_follow *o = f->options;
	if (!o->is_watching) {
		*pause_ms_out = is_due_now(f) ? 0 : idle_ms(f, NEVER_MS);
		return true;
	}
	if (!alias_poll_ask(&f->poll, idle_ms(f, ALIAS_WAIT_MS), f->cli->arena, &reply, err))
		return false;
	if (reply.answer == ALIAS_MISSING)
		return lose_alias(f, pause_ms_out, err);
	if (reply.answer == ALIAS_MOVED) {
		f->is_missing = false;
		f->is_due = true;
		f->due_ms = 0;
		f->refusals = 0;
	}
	if (!f->is_missing)
		say(f, true, "");
	*pause_ms_out = reply.has_waited || is_due_now(f) ? 0 : idle_ms(f, ALIAS_PAUSE_MS);
	return true;
}

/* ---- a version ------------------------------------------------------------------------------- */

/* What the reference names now. */
static bool resolve(struct follow *f, struct deploy_source *out, const char **run_id_out,
		    struct error *err)
{
	struct json_value *reply;
	struct model_source source;
	struct cli *cli = f->cli;
	const struct serve_follow *o = f->options;
	const struct json_value *version = NULL;
	if (!o->is_watching) {
		if (!model_ref_resolve(cli, o->reference, &version, err))
			return false;
	} else if (cli_get(cli, &reply, err,
			   "/api/2.0/mlflow/model-versions/get?name=%s&version=%s",
			   cli_encode(cli, slice_from_cstr(o->model)),
			   cli_encode(cli, slice_from_cstr(f->poll.version)))) {
		version = json_tree_get(reply, "model_version");
	} else {
		return false;
	}
	if (!model_source_find(&cli->fetcher, cli->arena, version, &source, err))
		return false;
	*out = deploy_source_of(cli->arena, &source);
	*run_id_out = arena_cstr(cli->arena, json_text(version, "run_id"));
	return true;
}

static void remember_refusal(struct follow *f, const char *name)
{
	f->refusals = strcmp(f->refused, name) == 0 ? f->refusals + 1 : 0;
	f->due_ms = now_ms() + retry_delay_ms(RETRY_TRIED_MS_MIN, f->refusals, RETRY_TRIED_MS_MAX);
	(void)snprintf(f->refused, sizeof(f->refused), "%s", name);
}

static bool tell_begun(struct follow *f, const struct deploy_version *version, struct error *err)
{
	struct deployment *d = &f->deployment;
	/* The name at the daemon is this directory's for good. */
	if (!deploy_state_save(&d->directory, &d->state, err))
		return false;
	deploy_tell_begun(d, version, f->active);
	return true;
}

/* Fetches what the reference names, and offers it. Fails when the server could not be asked, or when there is
 * nothing to serve. */
static bool bring(struct follow *f, struct error *err)
{
	struct deployment *d = &f->deployment;
	struct deploy_source source;
	const char *run_id;
	bool is_fetched, is_accepted;
	if (!resolve(f, &source, &run_id, err))
		return false;
	say(f, true, "");
	const char *name = source.version.name;
	if (strcmp(name, f->active) == 0) {
		f->is_due = false;
		deploy_tell(d, "active", "");
		return true;
	}
	if (!tell_begun(f, &source.version, err))
		return false;
	if (!deploy_fetch(d, &source, &is_fetched, err)) {
		if (!cli_is_interrupted())
			deploy_tell(d, "failed", err->message);
		return false;
	}
	if (!offer(f, &source.version, run_id, &is_accepted, err))
		return false;
	f->is_due = !is_accepted;
	if (is_accepted)
		return true;
	remember_refusal(f, name);
	return f->active[0] != '\0' ||
	       error_set(err, ERR_INVALID_STATE, "no worker of %s %s got ready: %s",
			 source.version.model, source.version.version, d->state.reason);
}

/* ---- offers ---------------------------------------------------------------------------------- */

static void write_message(struct follow *f, const struct follow_message *m)
{
	struct buffer line;
	buffer_init(&line, FOLLOW_MESSAGE_BYTES_MAX);
	follow_message_write(m, &line);
	struct slice text = buffer_slice(&line);
	if (!files_write_all(f->output_fd, text))
		_exit(CLI_FAILED); /* nobody listens any more */
	buffer_deinit(&line);
}

static void say(struct follow *f, bool is_reachable, const char *text)
{
	/* Once, until something else is to be said. */
	if (f->has_said && f->said_reachable == is_reachable && strcmp(text, f->said) == 0)
		return;
	f->has_said = true;
	f->said_reachable = is_reachable;
	(void)snprintf(f->said, sizeof(f->said), "%s", text);
	write_message(f, &(struct follow_message){
				 .kind = FOLLOW_NOTE, .text = text, .is_reachable = is_reachable});
}

static void give_up(struct follow *f, const struct error *err)
{
	write_message(f, &(struct follow_message){
				 .kind = FOLLOW_GIVE_UP, .text = err->message, .code = err->code});
}

/* Nothing is served any more; NULL: it failed, as was told. */
static void tell_end(struct follow *f, const char *state_or_null)
{
	struct deployment *d = &f->deployment;
	struct error ignored;
	/* What an earlier step put into the arena is gone: the file knows all of it. */
	if (d->reporter_or_null != NULL &&
	    deploy_state_load(&d->directory, f->cli->arena, &d->state, &ignored))
		deploy_tell_end(d, state_or_null, "trk serve has ended");
}

/* The server's verdict; its reason is in the arena. */
static bool await_verdict(struct follow *f, bool *is_accepted_out, const char **reason_out,
			  struct error *err)
{
	struct follow_message verdict;
	char line[FOLLOW_MESSAGE_BYTES_MAX];
	while (rest(f, TURN_MS))
		tick(f);
	if (fgets(line, sizeof(line), f->input) == NULL) {
		tell_end(f, "stale"); /* as the server has */
		_exit(CLI_OK);
	}
	if (!follow_message_read(slice_from_cstr(line), f->cli->arena, &verdict, err))
		return false;
	*is_accepted_out = verdict.kind == FOLLOW_ACCEPTED;
	*reason_out = verdict.text;
	return true;
}

/* `current` leads to what is served, `previous` to what was; all else goes. */
static bool record_active(struct follow *f, const struct deploy_version *version, struct error *err)
{
	struct deployment *d = &f->deployment;
	char current[DEPLOY_NAME_BYTES], previous[DEPLOY_NAME_BYTES];
	if (!deploy_directory_link(&d->directory, "current", current, err) ||
	    !deploy_directory_link(&d->directory, "previous", previous, err))
		return false;
	if (strcmp(current, version->name) != 0) {
		(void)snprintf(previous, sizeof(previous), "%s", current);
		if (!deploy_directory_point(&d->directory, "previous", previous, err) ||
		    !deploy_directory_point(&d->directory, "current", version->name, err))
			return false;
	}
	for (size_t i = d->state.version_count; i > 0; i--) {
		const char *name = d->state.versions[i - 1].name;
		if (strcmp(name, version->name) != 0 && strcmp(name, previous) != 0 &&
		    deploy_directory_remove(&d->directory, name, err))
			deploy_state_drop(&d->state, name); /* else it goes with a later one */
	}
	return true;
}

static bool record(struct follow *f, const struct deploy_version *version, bool is_accepted,
		   const char *reason, struct error *err)
{
	struct deployment *d = &f->deployment;
	if (is_accepted && !record_active(f, version, err))
		return false;
	d->state.result = is_accepted ? "active" : "failed";
	d->state.reason = reason;
	d->state.settings = d->told;
	deploy_log(&d->directory, is_accepted ? "served" : "refused", version->name, reason);
	if (!deploy_state_save(&d->directory, &d->state, err))
		return false;
	deploy_tell(d, is_accepted ? "active" : "failed", reason);
	return true;
}

static bool offer(struct follow *f, const struct deploy_version *version, const char *run_id,
		  bool *is_accepted_out, struct error *err)
{
	struct arena *arena = f->cli->arena;
	const struct deploy_version v = *version; /* the state may move */
	const char *reason;
	char path[DEPLOY_PATH_BYTES];
	(void)deploy_directory_version(&f->deployment.directory, v.name, path);
	const struct follow_message message = {
		.kind = FOLLOW_OFFER,
		.model = {.name = arena_cstr(arena, slice_from_cstr(v.name)),
			  .path = arena_cstr(arena, slice_from_cstr(path)),
			  .model = arena_cstr(arena, slice_from_cstr(v.model)),
			  .version = arena_cstr(arena, slice_from_cstr(v.version)),
			  .alias = arena_cstr(arena, slice_from_cstr(f->options->alias)),
			  .run_id = arena_cstr(arena, slice_from_cstr(run_id))},
	};
	/* A server that stops asks us to end, but its last verdict is written down. */
	(void)sigprocmask(SIG_BLOCK, &f->asked_to_end, NULL); /* valid arguments */
	write_message(f, &message);
	bool ok = await_verdict(f, is_accepted_out, &reason, err) &&
		  record(f, &v, *is_accepted_out, reason, err);
	(void)sigprocmask(SIG_UNBLOCK, &f->asked_to_end, NULL); /* valid arguments */
	if (ok && *is_accepted_out)
		(void)snprintf(f->active, sizeof(f->active), "%s", v.name);
	return ok;
}

/* What the directory holds from an earlier time, if it is whole. */
static bool offer_current(struct follow *f, const struct error *why, bool *is_accepted_out,
			  struct error *err)
{
	struct deployment *d = &f->deployment;
	char current[DEPLOY_NAME_BYTES];
	*is_accepted_out = false;
	if (!deploy_directory_link(&d->directory, "current", current, err))
		return false;
	const struct deploy_version *version = deploy_state_find(&d->state, current);
	if (version == NULL || strcmp(current, f->refused) == 0 ||
	    !deploy_directory_holds(&d->directory, current, version->tree_sha256,
				    &f->cli->fetcher.stop))
		return true;
	say(f, !retry_is_silence(why), why->message);
	return offer(f, version, "", is_accepted_out, err);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Waits, for ever when `pause_ms` is negative; false when the server of predictions has ended. */
static bool rest(struct follow *f, int64_t pause_ms)
{
	struct pollfd fd = {.fd = fileno(f->input), .events = POLLIN};
	return poll(&fd, 1, pause_ms < 0 ? -1 : (int)pause_ms) == 0;
}

/* What is due at the daemon, also while a download goes on. */
static void tick(void *context)
{
	struct follow *f = context;
	deploy_tell_tick(&f->deployment);
}
