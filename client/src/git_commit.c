/* Owns the reading of .git: from HEAD to the commit it names. */
#include "src/git_commit.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

enum {
	LINE_BYTES_MAX = 4096,
	PACKED_REFS_BYTES_MAX = 64 * 1024 * 1024,
	REFERENCE_DEPTH_MAX = 5, /* symbolic references to symbolic ones: git's bound */
};

static bool find_git_directory(const char *folder, char directory[PATH_MAX]);
static bool follow_git_file(const char *git_path, char directory[PATH_MAX]);
static bool read_line(const char *directory, const char *name, char line[LINE_BYTES_MAX]);
static bool find_packed(const char *directory, const char *reference,
			char commit[GIT_COMMIT_BYTES]);
static bool is_commit(const char *text);
static char *read_whole(const char *path, size_t bytes_max, size_t *len_out);

bool git_commit_around(const char *folder, char commit[GIT_COMMIT_BYTES])
{
	char directory[PATH_MAX];
	char common[PATH_MAX];
	char line[LINE_BYTES_MAX];
	char reference[LINE_BYTES_MAX] = "HEAD";
	if (!find_git_directory(folder, directory))
		return false;
	/* A linked work tree keeps HEAD for itself and shares the branches. */
	if (read_line(directory, "commondir", line)) {
		if (snprintf(common, sizeof common, "%s%s%s", line[0] == '/' ? "" : directory,
			     line[0] == '/' ? "" : "/", line) >= (int)sizeof common)
			return false;
	} else {
		memcpy(common, directory, sizeof common);
	}
	for (int depth = 0; depth < REFERENCE_DEPTH_MAX; depth++) {
		if (strstr(reference, "..") != NULL)
			return false;
		if (!read_line(directory, reference, line) && !read_line(common, reference, line))
			return find_packed(common, reference, commit);
		if (is_commit(line)) {
			memcpy(commit, line, strlen(line) + 1);
			return true;
		}
		if (strncmp(line, "ref: ", 5) != 0)
			return false;
		memmove(reference, line + 5, strlen(line + 5) + 1);
	}
	return false;
}

static bool find_git_directory(const char *folder, char directory[PATH_MAX])
{
	char at[PATH_MAX];
	if (realpath(folder, at) == NULL)
		return false;
	for (;;) {
		char git_path[PATH_MAX + 8];
		(void)snprintf(git_path, sizeof git_path, "%s/.git",
			       strcmp(at, "/") == 0 ? "" : at);
		if (follow_git_file(git_path, directory))
			return true;
		char head[PATH_MAX + 16];
		(void)snprintf(head, sizeof head, "%s/HEAD", git_path);
		if (access(head, R_OK) == 0 && strlen(git_path) < PATH_MAX) {
			memcpy(directory, git_path, strlen(git_path) + 1);
			return true;
		}
		char *slash = strrchr(at, '/');
		if (slash == NULL || strcmp(at, "/") == 0)
			return false;
		slash[slash == at ? 1 : 0] = '\0';
	}
}

/* A file .git says "gitdir: PATH", relative to where the file is. */
static bool follow_git_file(const char *git_path, char directory[PATH_MAX])
{
	size_t len;
	char *text = read_whole(git_path, LINE_BYTES_MAX, &len);
	if (text == NULL)
		return false;
	bool is_found = false;
	struct slice path = slice_trim(slice_make(text, len));
	if (slice_starts_with(path, SLICE("gitdir: "))) {
		path = slice_from(path, 8);
		bool is_absolute = slice_starts_with(path, SLICE("/"));
		size_t base_len = is_absolute ? 0 : strlen(git_path) - strlen(".git");
		int written = snprintf(directory, PATH_MAX, "%.*s%.*s", (int)base_len, git_path,
				       SLICE_FMT(path));
		is_found = written > 0 && written < PATH_MAX;
	}
	free(text);
	return is_found;
}

/* The first line of a small file, trimmed. */
static bool read_line(const char *directory, const char *name, char line[LINE_BYTES_MAX])
{
	char path[PATH_MAX + LINE_BYTES_MAX];
	size_t len;
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	char *text = read_whole(path, LINE_BYTES_MAX - 1, &len);
	if (text == NULL)
		return false;
	struct slice rest = slice_make(text, len);
	struct slice first;
	bool is_read = slice_next(&rest, '\n', &first);
	first = slice_trim(first);
	if (is_read) {
		memcpy(line, first.ptr, first.len);
		line[first.len] = '\0';
	}
	free(text);
	return is_read && first.len > 0;
}

/* Lines of packed-refs: "<commit> <reference>", comments with '#', "^<commit>" for the tag
 * above. */
static bool find_packed(const char *directory, const char *reference, char commit[GIT_COMMIT_BYTES])
{
	char path[PATH_MAX + 16];
	size_t len;
	(void)snprintf(path, sizeof path, "%s/packed-refs", directory);
	char *text = read_whole(path, PACKED_REFS_BYTES_MAX, &len);
	if (text == NULL)
		return false;
	bool is_found = false;
	struct slice rest = slice_make(text, len);
	struct slice line;
	while (!is_found && slice_next(&rest, '\n', &line)) {
		size_t space = slice_find_byte(line, ' ', 0);
		if (space >= GIT_COMMIT_BYTES ||
		    !slice_eq_cstr(slice_from(line, space + 1), reference))
			continue;
		memcpy(commit, line.ptr, space);
		commit[space] = '\0';
		is_found = is_commit(commit);
	}
	free(text);
	return is_found;
}

static bool is_commit(const char *text)
{
	size_t len = strlen(text);
	return (len == 40 || len == 64) && strspn(text, "0123456789abcdef") == len;
}

/* NULL unless it is a readable regular file of at most bytes_max bytes; gives the memory (free),
 * NUL-terminated. */
static char *read_whole(const char *path, size_t bytes_max, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	off_t end = lseek(fd, 0, SEEK_END);
	char *text = end >= 0 && (uint64_t)end <= bytes_max ? malloc((size_t)end + 1) : NULL;
	if (text != NULL) {
		ssize_t count = pread(fd, text, (size_t)end, 0);
		if (count < 0) {
			free(text);
			text = NULL;
		} else {
			text[count] = '\0';
			*len_out = (size_t)count;
		}
	}
	(void)close(fd);
	return text;
}
