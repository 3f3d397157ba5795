/* Owns the exchange of directories. */
#include "cli/directory_swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random_id.h"
#include "src/files.h"

enum { NAME_BYTES_MAX = 200 };

/* The real path of a directory that is there, or of the place in a parent that is there. */
static bool find_place(struct cli *cli, const char *target, struct directory_swap *s,
		       struct error *err)
{
	struct stat info;
	char *real = realpath(target, NULL);
	s->had_target = real != NULL;
	if (s->had_target) {
		s->target = arena_cstr(cli->arena, slice_from_cstr(real));
		free(real);
		if (stat(s->target, &info) != 0 || !S_ISDIR(info.st_mode)) {
			errno = ENOTDIR;
			return cli_fail_file(err, "replace", target);
		}
		return true;
	}
	if (errno != ENOENT)
		return cli_fail_file(err, "open", target);
	struct slice path = slice_from_cstr(target);
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	size_t name_at = path.len;
	while (name_at > 0 && path.ptr[name_at - 1] != '/')
		name_at--;
	const char *parent =
		name_at == 0 ? "." : arena_cstr(cli->arena, slice_first(path, name_at));
	real = realpath(parent, NULL);
	if (real == NULL)
		return cli_fail_file(err, "open the directory", parent);
	s->target = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/%.*s",
							strcmp(real, "/") == 0 ? "" : real,
							SLICE_FMT(slice_from(path, name_at))));
	free(real);
	return true;
}

/* A process must not lose the ground under its feet, and "/" has no place to stand. */
static bool check_place(const struct directory_swap *s, struct error *err)
{
	char *here = realpath(".", NULL);
	size_t len = strlen(s->target);
	bool is_around = here != NULL && strncmp(here, s->target, len) == 0 &&
			 (here[len] == '\0' || here[len] == '/');
	free(here);
	if (s->had_target && (is_around || strcmp(s->target, "/") == 0))
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"\"%s\" would be replaced as a whole, and the working directory is in it; "
			"name another directory",
			s->target);
	if (strlen(s->name) == 0 || strlen(s->name) > NAME_BYTES_MAX || strcmp(s->name, "..") == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "\"%s\" cannot be replaced",
				 s->target);
	return true;
}

bool directory_swap_begin(struct cli *cli, const char *target, struct directory_swap *out,
			  struct error *err)
{
	struct directory_swap s = {.parent_fd = -1, .new_fd = -1};
	char id[RANDOM_ID_HEX_LEN + 1];
	if (!find_place(cli, target, &s, err))
		return false;
	s.name = strrchr(s.target, '/') + 1; /* a real path has one */
	if (!check_place(&s, err))
		return false;
	const char *parent =
		arena_cstr(cli->arena, slice_make(s.target, (size_t)(s.name - s.target)));
	random_id_hex(id);
	(void)snprintf(s.new_name, sizeof(s.new_name), ".%s.trk-%.8s", s.name, id);
	s.parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.parent_fd < 0 || mkdirat(s.parent_fd, s.new_name, 0777) != 0) {
		(void)cli_fail_file(err, "make a directory in", parent);
		if (s.parent_fd >= 0)
			(void)close(s.parent_fd);
		return false;
	}
	s.new_fd = openat(s.parent_fd, s.new_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	*out = s;
	if (s.new_fd >= 0)
		return true;
	(void)cli_fail_file(err, "open a directory in", parent);
	directory_swap_abandon(cli, out);
	return false;
}

/* ---- giving up ------------------------------------------------------------------------------- */

static const char *beside(struct cli *cli, const struct directory_swap *s, const char *name)
{
	return arena_cstr(cli->arena, arena_printf(cli->arena, "%.*s%s", (int)(s->name - s->target),
						   s->target, name));
}

static void close_all(struct directory_swap *s)
{
	if (s->new_fd >= 0)
		(void)close(s->new_fd);
	(void)close(s->parent_fd); /* synced before, where it matters */
	s->new_fd = s->parent_fd = -1;
}

void directory_swap_abandon(struct cli *cli, struct directory_swap *s)
{
	(void)files_remove_tree(beside(cli, s, s->new_name)); /* what stays is in nobody's way */
	close_all(s);
}

/* ---- the exchange ---------------------------------------------------------------------------- */

/* Where there is no exchange: the old one away, the new one there, and back if that fails. */
static bool exchange_in_steps(struct directory_swap *s)
{
	char old_name[320];
	(void)snprintf(old_name, sizeof(old_name), "%s.old", s->new_name);
	if (renameat(s->parent_fd, s->name, s->parent_fd, old_name) != 0)
		return false;
	if (renameat(s->parent_fd, s->new_name, s->parent_fd, s->name) != 0) {
		int error_number = errno;
		(void)renameat(s->parent_fd, old_name, s->parent_fd,
			       s->name); /* all that can be done */
		errno = error_number;
		return false;
	}
	return renameat(s->parent_fd, old_name, s->parent_fd, s->new_name) == 0;
}

/* Afterwards the new name holds the old tree, if there was one. */
static bool exchange(struct directory_swap *s)
{
	if (!s->had_target)
		return renameat2(s->parent_fd, s->new_name, s->parent_fd, s->name,
				 RENAME_NOREPLACE) == 0 ||
		       (errno == EINVAL &&
			renameat(s->parent_fd, s->new_name, s->parent_fd, s->name) == 0);
	if (renameat2(s->parent_fd, s->new_name, s->parent_fd, s->name, RENAME_EXCHANGE) == 0)
		return true;
	return (errno == EINVAL || errno == ENOSYS) && exchange_in_steps(s);
}

/* The old tree gets a name that says when it was replaced. */
static bool keep(struct cli *cli, struct directory_swap *s, const char **kept_out,
		 struct error *err)
{
	const char *id = s->new_name + strlen(s->new_name) - 8;
	const char *name =
		arena_cstr(cli->arena, arena_printf(cli->arena, "%s.before-%s", s->name, id));
	if (renameat(s->parent_fd, s->new_name, s->parent_fd, name) != 0)
		return cli_fail_file(err, "rename", beside(cli, s, s->new_name));
	*kept_out = beside(cli, s, name);
	return true;
}

bool directory_swap_commit(struct cli *cli, struct directory_swap *s, bool keep_old,
			   const char **kept_out, struct error *err)
{
	const char *new_path = beside(cli, s, s->new_name);
	bool ok = true;
	*kept_out = NULL;
	if (!files_sync_folders(new_path) || !exchange(s)) {
		(void)cli_fail_file(err, "replace", s->target);
		directory_swap_abandon(cli, s);
		return false;
	}
	if (s->had_target && keep_old)
		ok = keep(cli, s, kept_out, err);
	else if (s->had_target)
		(void)files_remove_tree(new_path); /* the new one is in place */
	if (fsync(s->parent_fd) != 0 && ok)
		ok = cli_fail_file(err, "write", s->target);
	close_all(s);
	return ok;
}
