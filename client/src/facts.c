/* Owns what the library finds out about the program and its surroundings. */
#include "src/facts.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/git_commit.h"
#include "src/record.h"

enum { TAGS_BYTES_MAX = 1024 * 1024 };

static void add(struct facts *f, const struct settings *settings, const char *key,
		struct slice value);
static void add_source(struct facts *f, const struct settings *settings);
static void add_command(struct facts *f, const struct settings *settings);
static bool find_executable(char path[PATH_MAX]);

bool facts_gather(const struct settings *settings, const char *compiler, struct facts *out,
		  struct error *err)
{
	struct facts f = {.count = 0};
	struct utsname system;
	buffer_init(&f.tags, TAGS_BYTES_MAX);
	facts_find_user(f.user, sizeof f.user);
	for (size_t i = 0; i < settings->tags_count; i++) {
		record_encode_pair(&f.tags, slice_from_cstr(settings->tags[i].key),
				   slice_from_cstr(settings->tags[i].value));
		f.count++;
	}
	if (settings->parent_run_id_or_null != NULL)
		add(&f, settings, "mlflow.parentRunId",
		    slice_from_cstr(settings->parent_run_id_or_null));
	f.given_count = f.count;
	if (f.user[0] != '\0')
		add(&f, settings, "mlflow.user", slice_from_cstr(f.user));
	add_source(&f, settings);
	if (uname(&system) == 0)
		add(&f, settings, "trk.host", slice_from_cstr(system.nodename));
	add_command(&f, settings);
	if (compiler != NULL && compiler[0] != '\0')
		add(&f, settings, "trk.compiler", slice_from_cstr(compiler));
	add(&f, settings, "trk.version", slice_from_cstr(trk_version()));
	if (buffer_check(&f.tags, "the tags of the run", err)) {
		*out = f;
		return true;
	}
	facts_deinit(&f);
	return false;
}

void facts_deinit(struct facts *facts)
{
	buffer_deinit(&facts->tags);
}

void facts_find_user(char *user, size_t user_bytes)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char text[4096];
	const char *name = NULL;
	if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) == 0 && found != NULL)
		name = found->pw_name;
	if (name == NULL)
		name = getenv("USER"); // NOLINT(concurrency-mt-unsafe): as in settings.c
	(void)snprintf(user, user_bytes, "%s", name == NULL ? "" : name);
}

void facts_quote_command(struct slice arguments, struct buffer *out)
{
	/* The last argument ends with a NUL too, and is not followed by an empty one. */
	if (arguments.len > 0 && arguments.ptr[arguments.len - 1] == '\0')
		arguments.len--;
	struct slice argument;
	for (bool is_first = true; slice_next(&arguments, '\0', &argument); is_first = false) {
		static const char plain[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
		bool is_plain = argument.len > 0;
		for (size_t i = 0; i < argument.len; i++)
			is_plain = is_plain && argument.ptr[i] != '\0' &&
				   strchr(plain, argument.ptr[i]) != NULL;
		if (!is_first)
			buffer_append_byte(out, ' ');
		if (is_plain) {
			buffer_append(out, argument);
			continue;
		}
		buffer_append_byte(out, '\'');
		for (size_t i = 0; i < argument.len; i++) {
			if (argument.ptr[i] == '\'')
				buffer_append_cstr(out, "'\\''");
			else
				buffer_append_byte(out, argument.ptr[i]);
		}
		buffer_append_byte(out, '\'');
	}
}

/* Unless the caller gave a tag of that name. */
static void add(struct facts *f, const struct settings *settings, const char *key,
		struct slice value)
{
	for (size_t i = 0; i < settings->tags_count; i++) {
		if (strcmp(settings->tags[i].key, key) == 0)
			return;
	}
	record_encode_pair(&f->tags, slice_from_cstr(key), value);
	f->count++;
}

static void add_source(struct facts *f, const struct settings *settings)
{
	char executable[PATH_MAX];
	char folder[PATH_MAX];
	char commit[GIT_COMMIT_BYTES];
	bool has_executable = find_executable(executable);
	if (settings->source_name_or_null != NULL)
		add(f, settings, "mlflow.source.name",
		    slice_from_cstr(settings->source_name_or_null));
	else if (has_executable)
		add(f, settings, "mlflow.source.name", slice_from_cstr(executable));
	add(f, settings, "mlflow.source.type", SLICE("LOCAL"));
	bool is_found = false;
	if (has_executable) {
		(void)snprintf(folder, sizeof folder, "%.*s",
			       (int)(strrchr(executable, '/') - executable), executable);
		is_found = git_commit_around(folder[0] == '\0' ? "/" : folder, commit);
	}
	if (is_found || git_commit_around(".", commit))
		add(f, settings, "mlflow.source.git.commit", slice_from_cstr(commit));
}

static void add_command(struct facts *f, const struct settings *settings)
{
	char arguments[FACTS_COMMAND_BYTES_MAX];
	struct buffer command;
	if (settings->without_command)
		return;
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t count = read(fd, arguments, sizeof arguments);
	(void)close(fd);
	if (count <= 0)
		return;
	/* Each quote of the arguments becomes four bytes at most. */
	buffer_init(&command, 5 * sizeof arguments + 16);
	facts_quote_command(slice_make(arguments, (size_t)count), &command);
	if (!command.failed)
		add(f, settings, "trk.command",
		    slice_first(buffer_slice(&command), FACTS_COMMAND_BYTES_MAX));
	buffer_deinit(&command);
}

static bool find_executable(char path[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len <= 0)
		return false;
	path[len] = '\0';
	return path[0] == '/';
}
