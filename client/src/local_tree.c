/* Owns the digest of a directory tree on this machine. */
#include "src/local_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "src/file_tree.h"
#include "src/status.h"

static bool hash_member(int root_fd, const char *path, struct sha256 *tree, struct error *err);

void local_tree_digest(const char *path, const struct stop *stop, char digest[SHA256_HEX_LEN + 1])
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
		for (size_t i = 0; i < tree.count && ok && !stop_is_asked(stop); i++)
			ok = hash_member(fd, tree.paths_or_null[i], &h, &ignored);
		if (!ok || stop_is_asked(stop) || !sha256_finish(&h, digest, &ignored))
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
		return status_file_error(err, errno, "read", path);
	bool ok = sha256_of_file(fd, path, hex, &bytes, err);
	(void)close(fd); /* only read */
	return ok && sha256_update_member(tree, hex, path, err);
}
