#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_server_helper.h"
#include "src/git_commit.h"

#define SHA1   "0123456789abcdef0123456789abcdef01234567"
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct file {
	const char *path;    /* folders are made */
	const char *content; /* %s: the root */
};

static void write_files(const char *root, const struct file *files)
{
	for (; files->path != NULL; files++) {
		char path[400];
		snprintf(path, sizeof path, "%s/%s", root, files->path);
		for (char *slash = strchr(path + strlen(root) + 1, '/'); slash != NULL;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			(void)mkdir(path, 0700);
			*slash = '/';
		}
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		const char *mark = strstr(files->content, "ROOT");
		if (mark != NULL)
			fprintf(file, "%.*s%s%s", (int)(mark - files->content), files->content,
				root, mark + 4);
		else
			fputs(files->content, file);
		assert_int_equal(fclose(file), 0);
	}
}

/* Each row is a tree of files, where to look, and what is found. */
static void test_commits_are_found_as_git_finds_them(void **state)
{
	(void)state;
	static const struct {
		struct file files[6];
		const char *folder;
		const char *commit_or_null;
	} rows[] = {
		{{{".git/HEAD", SHA1 "\n"}}, "", SHA1},
		{{{".git/HEAD", SHA256 "\n"}}, "", SHA256},
		{{{".git/HEAD", "ref: refs/heads/main\n"}, {".git/refs/heads/main", SHA1 "\n"}},
		 "",
		 SHA1},
		{{{".git/HEAD", "ref: refs/heads/a/b\n"},
		  {".git/refs/heads/a/b", SHA1},
		  {"x/y/z", ""}},
		 "x/y",
		 SHA1},
		{{{".git/HEAD", "ref: refs/heads/main\n"},
		  {".git/packed-refs", "# pack-refs with: peeled\n" SHA1 "x refs/heads/no\n" SHA1
				       " refs/heads/main2\n^" SHA1 "\n" SHA1 " refs/heads/main\n"}},
		 "",
		 SHA1},
		/* A loose reference wins over a packed one. */
		{{{".git/HEAD", "ref: refs/heads/main\n"},
		  {".git/packed-refs", SHA256 " refs/heads/main\n"},
		  {".git/refs/heads/main", SHA1 "\n"}},
		 "",
		 SHA1},
		/* A linked work tree. */
		{{{"tree/.git", "gitdir: ROOT/main/.git/worktrees/tree\n"},
		  {"main/.git/worktrees/tree/HEAD", "ref: refs/heads/topic\n"},
		  {"main/.git/worktrees/tree/commondir", "../..\n"},
		  {"main/.git/HEAD", SHA256},
		  {"main/.git/refs/heads/topic", SHA1 "\n"}},
		 "tree",
		 SHA1},
		/* A submodule. */
		{{{"sub/.git", "gitdir: ../.git/modules/sub\n"},
		  {".git/modules/sub/HEAD", SHA1 "\n"},
		  {".git/HEAD", SHA256}},
		 "sub",
		 SHA1},
		{{{".git/HEAD", "ref: refs/heads/unborn\n"}}, "", NULL},
		{{{".git/HEAD", "ref: ../../etc/passwd\n"}}, "", NULL},
		{{{".git/HEAD", "ref: HEAD\n"}}, "", NULL},
		{{{".git/HEAD", "nonsense"}}, "", NULL},
		{{{".git/HEAD", ""}}, "", NULL},
		{{{"file", ""}}, "missing", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *root = temporary_folder();
		char folder[200];
		char commit[GIT_COMMIT_BYTES];
		write_files(root, rows[i].files);
		snprintf(folder, sizeof folder, "%s/%s", root, rows[i].folder);
		bool is_found = git_commit_around(folder, commit);
		if (is_found != (rows[i].commit_or_null != NULL))
			fail_msg("row %zu", i);
		if (is_found)
			assert_string_equal(commit, rows[i].commit_or_null);
		temporary_folder_remove(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commits_are_found_as_git_finds_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
