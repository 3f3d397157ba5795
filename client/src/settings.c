/* Owns the defaults: option, then environment, then what the manual says. */
#include "src/settings.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/record.h"

static const uint64_t SPOOL_BYTES_DEFAULT = (uint64_t)4 << 30;

static const char *first_set(const char *option_or_null, const char *name, const char *other_name,
			     const char *otherwise);
static const char *environment(const char *name);
static bool resolve_run_id(const struct trk_run_options *o, struct settings *s, struct error *err);
static bool check_tags(const struct trk_run_options *o, struct error *err);
static bool put_path(char path[SETTINGS_PATH_BYTES], const char *first, const char *rest,
		     struct error *err);

bool settings_resolve(const struct trk_run_options *options_or_null, struct settings *out,
		      struct error *err)
{
	struct trk_run_options o = {.size = sizeof o};
	struct settings s = {.is_continued = false};
	if (options_or_null != NULL &&
	    !settings_copy_struct(&o, sizeof o, options_or_null, options_or_null->size, err))
		return false;
	s.url = o.url != NULL && o.url[0] != '\0' ? o.url : settings_default_url();
	s.experiment =
		first_set(o.experiment, "TRK_EXPERIMENT", "MLFLOW_EXPERIMENT_NAME", "Default");
	s.run_name_or_null = o.run_name;
	s.parent_run_id_or_null = o.parent_run_id;
	s.tags = o.tags;
	s.tags_count = o.tags == NULL ? 0 : o.tags_count;
	s.source_name_or_null = o.source_name;
	s.spool_bytes_max = o.spool_bytes_max == 0 ? SPOOL_BYTES_DEFAULT : o.spool_bytes_max;
	s.without_command = o.without_command;
	s.log_or_null = o.log;
	s.log_context = o.log_context;
	s.connect_timeout_ms =
		o.connect_timeout_ms > 0 ? o.connect_timeout_ms : SETTINGS_CONNECT_TIMEOUT_MS;
	s.request_timeout_ms =
		o.request_timeout_ms > 0 ? o.request_timeout_ms : SETTINGS_REQUEST_TIMEOUT_MS;
	const char *offline = environment("TRK_OFFLINE");
	s.is_online = o.mode == TRK_ONLINE || (o.mode == TRK_MODE_DEFAULT &&
					       (offline == NULL || strcmp(offline, "0") == 0));
	if (o.mode != TRK_MODE_DEFAULT && o.mode != TRK_ONLINE && o.mode != TRK_OFFLINE)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "mode is none of the known ones");
	if (s.parent_run_id_or_null != NULL && !settings_is_run_id(s.parent_run_id_or_null))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "parent_run_id is not 32 lower-case hexadecimal digits");
	if (!check_tags(&o, err) || !resolve_run_id(&o, &s, err))
		return false;
	bool ok = o.spool_directory != NULL
			  ? put_path(s.spool_directory, o.spool_directory, "", err)
			  : settings_default_spool(s.spool_directory, err);
	if (ok)
		*out = s;
	return ok;
}

bool settings_copy_struct(void *own, size_t own_bytes, const void *given, size_t size,
			  struct error *err)
{
	const unsigned char *bytes = given;
	/* The first field is the size itself. */
	if (size < sizeof(size_t) || size > 64 * 1024)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the options struct has no size: set its field size");
	for (size_t i = own_bytes; i < size; i++) {
		if (bytes[i] != 0)
			return error_set(
				err, ERR_INVALID_PARAMETER_VALUE,
				"the program uses an option that this library does not know");
	}
	memset(own, 0, own_bytes);
	memcpy(own, given, size < own_bytes ? size : own_bytes);
	return true;
}

bool settings_default_spool(char path[SETTINGS_PATH_BYTES], struct error *err)
{
	const char *directory = environment("TRK_SPOOL_DIR");
	if (directory != NULL)
		return put_path(path, directory, "", err);
	const char *state = environment("XDG_STATE_HOME");
	if (state != NULL && state[0] == '/')
		return put_path(path, state, "/trk/spool", err);
	const char *home = environment("HOME");
	if (home != NULL)
		return put_path(path, home, "/.local/state/trk/spool", err);
	struct passwd entry;
	struct passwd *found = NULL;
	char text[4096];
	if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) == 0 && found != NULL)
		return put_path(path, found->pw_dir, "/.local/state/trk/spool", err);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "there is no home directory: set TRK_SPOOL_DIR");
}

const char *settings_default_url(void)
{
	return first_set(NULL, "TRK_URL", "MLFLOW_TRACKING_URI", "http://127.0.0.1:5000");
}

bool settings_is_run_id(const char *text)
{
	return strlen(text) == RANDOM_ID_HEX_LEN &&
	       strspn(text, "0123456789abcdef") == RANDOM_ID_HEX_LEN;
}

static const char *first_set(const char *option_or_null, const char *name, const char *other_name,
			     const char *otherwise)
{
	if (option_or_null != NULL && option_or_null[0] != '\0')
		return option_or_null;
	const char *value = environment(name);
	if (value == NULL)
		value = environment(other_name);
	return value == NULL ? otherwise : value;
}

/* NULL when unset or empty. */
static const char *environment(const char *name)
{
	/* The manual says when the environment is read; a program that changes it meanwhile is on
	 * its own. */
	const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe)
	return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool resolve_run_id(const struct trk_run_options *o, struct settings *s, struct error *err)
{
	const char *id = first_set(o->run_id, "TRK_RUN_ID", "TRK_RUN_ID", NULL);
	s->is_continued = id != NULL;
	if (id == NULL) {
		random_id_hex(s->run_id);
		return true;
	}
	if (!settings_is_run_id(id))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "run_id is not 32 lower-case hexadecimal digits");
	memcpy(s->run_id, id, RANDOM_ID_HEX_LEN + 1);
	return true;
}

static bool check_tags(const struct trk_run_options *o, struct error *err)
{
	if (o->tags == NULL && o->tags_count > 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "tags is NULL, but tags_count is not 0");
	for (size_t i = 0; i < o->tags_count; i++) {
		if (o->tags[i].key == NULL || o->tags[i].value == NULL)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "tag number %zu has no key or no value", i);
		if (!record_check_name(slice_from_cstr(o->tags[i].key), err))
			return false;
	}
	return true;
}

static bool put_path(char path[SETTINGS_PATH_BYTES], const char *first, const char *rest,
		     struct error *err)
{
	if (first[0] == '\0')
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the spool directory is empty text");
	int len = snprintf(path, SETTINGS_PATH_BYTES, "%s%s", first, rest);
	if (len > 0 && len < SETTINGS_PATH_BYTES - 64)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "the path of the spool directory is too long");
}
