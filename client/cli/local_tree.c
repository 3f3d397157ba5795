/* Owns the digest of a directory tree on this machine. */
#include "cli/local_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "src/file_tree.h"

static bool hash_member(int root_fd, const char *path, struct sha256 *tree, struct error *err);

void local_tree_digest(const char *path, char digest[SHA256_HEX_LEN + 1])
{
	struct file_tree tree = {0};
	struct sha256 h;
	struct error ignored;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	digest[0] = '\0';
	if (fd < 0)
		return;
	if (file_tree_list(fd, path, &tree, &ignored) && tree.count > 0 &&
	    sha256_init(&h, &ignored)) {
		bool ok = true;
		for (size_t i = 0; i < tree.count && ok && !cli_is_interrupted(); i++)
			ok = hash_member(fd, tree.paths_or_null[i], &h, &ignored);
		if (!ok || !sha256_finish(&h, digest, &ignored))
			digest[0] = '\0';
		sha256_deinit(&h);
	}
	file_tree_deinit(&tree);
	(void)close(fd); /* only read */
}

static bool hash_member(int root_fd, const char *path, struct sha256 *tree, struct error *err)
{
	char hex[SHA256_HEX_LEN + 1];
	int64_t bytes;
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cli_fail_file(err, "read", path);
	bool ok = sha256_of_file(fd, path, hex, &bytes, err);
	(void)close(fd); /* only read */
	return ok && sha256_update(tree, slice_make(hex, SHA256_HEX_LEN), err) &&
	       sha256_update(tree, SLICE("  "), err) &&
	       sha256_update(tree, slice_from_cstr(path), err) &&
	       sha256_update(tree, SLICE("\n"), err);
}
