/* Owns what a deployment directory remembers: its state and its log. */
#include "cli/deploy_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random_id.h"
#include "src/files.h"

#define STATE_FILE "state.json"

enum { STATE_BYTES_MAX = 4 * 1024 * 1024, LOG_BYTES_MAX = 1024 * 1024, FORMAT = 1 };

static const char *const phase_names[] = {
	[DEPLOY_IDLE] = "idle",
	[DEPLOY_ACTIVATING] = "activating",
	[DEPLOY_PUTTING_BACK] = "putting_back",
};

/* ---- reading --------------------------------------------------------------------------------- */

static const char *text_of(struct arena *arena, const struct json_value *object, const char *key)
{
	return arena_cstr(arena, json_text(object, key));
}

static int64_t number_of(const struct json_value *object, const char *key)
{
	return json_tree_i64(json_tree_get(object, key), 0);
}

/* A name goes into paths: what is in the file must be as harmless as what was put there. */
static bool is_harmless(const char *name)
{
	return name[0] != '.' && strchr(name, '/') == NULL;
}

static bool is_id(struct slice text)
{
	size_t at = 0;
	while (at < text.len && slice_hex_digit(text.ptr[at]) >= 0)
		at++;
	return at == text.len && text.len == RANDOM_ID_HEX_LEN;
}

static bool read_versions(const struct json_value *list, struct deploy_state *s)
{
	struct arena *arena = s->arena;
	const struct json_value *item = json_items(list);
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct deploy_version version = {
			.name = text_of(arena, item, "directory"),
			.model = text_of(arena, item, "model"),
			.version = text_of(arena, item, "version"),
			.tree_sha256 = text_of(arena, item, "tree_sha256"),
			.file_count = number_of(item, "file_count"),
			.byte_count = number_of(item, "byte_count"),
			.deployed_ms = number_of(item, "deployed_ms"),
		};
		if (version.name[0] == '\0' || !is_harmless(version.name))
			return false;
		deploy_state_put(s, &version);
	}
	return true;
}

static const char *make_id(struct arena *arena)
{
	char id[RANDOM_ID_HEX_LEN + 1];
	random_id_hex(id);
	return arena_cstr(arena, slice_from_cstr(id));
}

static bool read_state(const struct json_value *root, struct deploy_state *s)
{
	struct arena *arena = s->arena;
	const struct json_value *settings = json_tree_get(root, "settings");
	struct slice phase = json_text(root, "phase");
	size_t at = 0;
	while (at < ARRAY_COUNT(phase_names) && !slice_eq_cstr(phase, phase_names[at]))
		at++;
	s->phase = (enum deploy_phase)at;
	s->from = text_of(arena, root, "from");
	s->to = text_of(arena, root, "to");
	s->previous_before = text_of(arena, root, "previous_before");
	s->cause = text_of(arena, root, "cause");
	s->result = text_of(arena, root, "result");
	s->reason = text_of(arena, root, "reason");
	struct slice id = json_text(root, "deployment_id");
	if (is_id(id)) /* older states have none */
		s->deployment_id = arena_cstr(arena, id);
	s->changed_ms = number_of(root, "changed_ms");
	s->settings = (struct deploy_settings){
		.model = text_of(arena, settings, "model"),
		.alias = text_of(arena, settings, "alias"),
		.target = text_of(arena, settings, "target"),
		.environment = text_of(arena, settings, "environment"),
		.hook = text_of(arena, settings, "hook"),
		.health = text_of(arena, settings, "health"),
		.health_retries = number_of(settings, "health_retries"),
		.health_interval_s = number_of(settings, "health_interval_s"),
		.timeout_s = number_of(settings, "timeout_s"),
	};
	return at < ARRAY_COUNT(phase_names) && number_of(root, "format") == FORMAT &&
	       is_harmless(s->from) && is_harmless(s->to) && is_harmless(s->previous_before) &&
	       read_versions(json_tree_get(root, "versions"), s);
}

bool deploy_state_load(const struct deploy_directory *d, struct arena *arena,
		       struct deploy_state *out, struct error *err)
{
	struct deploy_state s = {.arena = arena,
				 .deployment_id = make_id(arena),
				 .from = "",
				 .to = "",
				 .previous_before = "",
				 .cause = "",
				 .result = "",
				 .reason = "",
				 .settings = {.model = "",
					      .alias = "",
					      .target = "",
					      .environment = "",
					      .hook = "",
					      .health = ""}};
	struct stat info;
	struct slice text;
	struct json_value *root;
	*out = s;
	if (fstatat(d->admin_fd, STATE_FILE, &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return true;
	if (!files_read(d->admin_fd, STATE_FILE, STATE_BYTES_MAX, arena, &text, err))
		return error_prefix(err, "%s", d->path);
	if (!json_tree_parse(text, arena, &root, err) || !read_state(root, &s))
		return error_set(err, ERR_DATA_LOSS,
				 "%s does not read as the state of a deployment",
				 deploy_admin_path(d, arena, STATE_FILE));
	*out = s;
	return true;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_settings(struct json_writer *w, const struct deploy_settings *settings)
{
	json_key(w, "settings");
	json_object_begin(w);
	json_put_cstr(w, "model", settings->model);
	json_put_cstr(w, "alias", settings->alias);
	json_put_cstr(w, "target", settings->target);
	json_put_cstr(w, "environment", settings->environment);
	json_put_cstr(w, "hook", settings->hook);
	json_put_cstr(w, "health", settings->health);
	json_put_int(w, "health_retries", settings->health_retries);
	json_put_int(w, "health_interval_s", settings->health_interval_s);
	json_put_int(w, "timeout_s", settings->timeout_s);
	json_object_end(w);
}

static void write_version(struct json_writer *w, const struct deploy_version *version)
{
	json_object_begin(w);
	json_put_cstr(w, "directory", version->name);
	json_put_cstr(w, "model", version->model);
	json_put_cstr(w, "version", version->version);
	json_put_cstr(w, "tree_sha256", version->tree_sha256);
	json_put_int(w, "file_count", version->file_count);
	json_put_int(w, "byte_count", version->byte_count);
	json_put_int(w, "deployed_ms", version->deployed_ms);
	json_object_end(w);
}

static void write_state(struct json_writer *w, const struct deploy_state *s)
{
	json_object_begin(w);
	json_put_int(w, "format", FORMAT);
	json_put_cstr(w, "phase", phase_names[s->phase]);
	json_put_cstr(w, "from", s->from);
	json_put_cstr(w, "to", s->to);
	json_put_cstr(w, "previous_before", s->previous_before);
	json_put_cstr(w, "cause", s->cause);
	json_put_cstr(w, "deployment_id", s->deployment_id);
	json_put_cstr(w, "result", s->result);
	json_put_cstr(w, "reason", s->reason);
	json_put_int(w, "changed_ms", s->changed_ms);
	write_settings(w, &s->settings);
	json_key(w, "versions");
	json_array_begin(w);
	for (size_t i = 0; i < s->version_count; i++)
		write_version(w, &s->versions[i]);
	json_array_end(w);
	json_object_end(w);
}

bool deploy_state_save(const struct deploy_directory *d, struct deploy_state *state,
		       struct error *err)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, state->arena, STATE_BYTES_MAX);
	json_writer_init(&w, &text);
	state->changed_ms = clock_wall_ms(clock_system());
	write_state(&w, state);
	if (!buffer_check(&text, "the state of the deployment", err))
		return false;
	return files_replace(d->admin_fd, STATE_FILE, buffer_slice(&text)) ||
	       cli_fail_file(err, "write", deploy_admin_path(d, state->arena, STATE_FILE));
}

/* ---- versions -------------------------------------------------------------------------------- */

const struct deploy_version *deploy_state_find(const struct deploy_state *state, const char *name)
{
	for (size_t i = 0; i < state->version_count; i++) {
		if (strcmp(state->versions[i].name, name) == 0)
			return &state->versions[i];
	}
	return NULL;
}

void deploy_state_put(struct deploy_state *state, const struct deploy_version *version)
{
	struct deploy_version added = *version;
	deploy_state_drop(state, added.name);
	state->versions = arena_list_room(state->arena, state->versions, state->version_count,
					  sizeof(*state->versions));
	state->versions[state->version_count++] = added;
}

void deploy_state_drop(struct deploy_state *state, const char *name)
{
	size_t kept = 0;
	for (size_t i = 0; i < state->version_count; i++) {
		if (strcmp(state->versions[i].name, name) != 0)
			state->versions[kept++] = state->versions[i];
	}
	state->version_count = kept;
}

/* ---- paths ----------------------------------------------------------------------------------- */

bool deploy_link(const struct deploy_directory *d, struct arena *arena, const char *link,
		 const char **name_out, struct error *err)
{
	char name[DEPLOY_NAME_BYTES];
	if (!deploy_directory_link(d, link, name, err))
		return false;
	*name_out = arena_cstr(arena, slice_from_cstr(name));
	return true;
}

const char *deploy_version_path(const struct deploy_directory *d, struct arena *arena,
				const char *name)
{
	char path[DEPLOY_PATH_BYTES];
	return arena_cstr(arena, slice_from_cstr(deploy_directory_version(d, name, path)));
}

const char *deploy_admin_path(const struct deploy_directory *d, struct arena *arena,
			      const char *name)
{
	char path[DEPLOY_PATH_BYTES];
	return arena_cstr(arena, slice_from_cstr(deploy_directory_admin(d, name, path)));
}

/* ---- log ------------------------------------------------------------------------------------- */

void deploy_log(const struct deploy_directory *d, const char *event, const char *name,
		const char *detail)
{
	struct stat info;
	struct buffer line;
	struct json_writer w;
	if (fstatat(d->admin_fd, "log", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
	    info.st_size > LOG_BYTES_MAX)
		(void)renameat(d->admin_fd, "log", d->admin_fd, "log.old");
	int fd = openat(d->admin_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
			0666);
	if (fd < 0)
		return;
	buffer_init(&line, LOG_BYTES_MAX);
	json_writer_init(&w, &line);
	json_object_begin(&w);
	json_put_int(&w, "time_ms", clock_wall_ms(clock_system()));
	json_put_cstr(&w, "event", event);
	json_put_cstr(&w, "directory", name);
	json_put_cstr(&w, "detail", detail);
	json_object_end(&w);
	buffer_append_byte(&line, '\n');
	(void)files_write_all(fd, buffer_slice(&line)); /* a diary, nothing depends on it */
	buffer_deinit(&line);
	(void)close(fd);
}
