/* The digest of a directory tree on this machine. */
#ifndef CLIENT_LOCAL_TREE_H
#define CLIENT_LOCAL_TREE_H

#include "src/sha256.h"
#include "src/stop.h"

/* SHA-256 over the lines "<sha256>  <path>\n" of its files, as the server computes it; "" if it
 * holds no files, cannot be read, or the work is to stop. Reads every byte. */
void local_tree_digest(const char *path, const struct stop *stop, char digest[SHA256_HEX_LEN + 1]);

#endif
