/* The commit that is checked out around a folder, read from the repository's files without running
 * git. */
#ifndef CLIENT_GIT_COMMIT_H
#define CLIENT_GIT_COMMIT_H

#include <stdbool.h>

enum { GIT_COMMIT_BYTES = 65 }; /* SHA-1 or SHA-256 in hex, and a NUL */

/* Looks for .git in `folder` and above it. Understands work trees and submodules (.git as a file),
 * branches in files and in packed-refs, and a detached HEAD. False where there is no repository, no
 * commit yet, or a reference store of another kind. */
bool git_commit_around(const char *folder, char commit[GIT_COMMIT_BYTES]);

#endif
