/* The digest of a directory tree on this machine. */
#ifndef CLI_LOCAL_TREE_H
#define CLI_LOCAL_TREE_H

#include "src/sha256.h"

/* SHA-256 over the lines "<sha256>  <path>\n" of its files, as the server computes it; "" if it
 * holds no files, cannot be read, or Ctrl-C was pressed. Reads every byte. */
void local_tree_digest(const char *path, char digest[SHA256_HEX_LEN + 1]);

#endif
