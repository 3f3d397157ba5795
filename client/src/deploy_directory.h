/* The directory that a deployment keeps:
 *
 *     DIR/versions/NAME/…     complete, verified models, by names that never say anything else
 *     DIR/current             link to versions/NAME: what is to be used
 *     DIR/previous            link to what was used before; what a rollback goes back to
 *     DIR/.trk-deploy/        lock, state.json (deploy_state.h), log, and while one is under way
 *                             staging-DIGEST (a download), trash-NAME (a removal), link.tmp;
 *                             "target", the ID of a program that follows the model itself
 *
 * A link is replaced by a rename, and versions/NAME appears by a rename after all of it is on the disk:
 * whoever opens DIR/current finds one whole model at every instant, also after a crash. Links in place
 * of DIR's own folders are not followed, and a `current` that is not ours is left alone and refused. */
#ifndef CLIENT_DEPLOY_DIRECTORY_H
#define CLIENT_DEPLOY_DIRECTORY_H

#include "base/error.h"
#include "src/stop.h"

enum {
	DEPLOY_PATH_BYTES = 4096 + 512, /* of DIR, and of what is in it */
	DEPLOY_NAME_BYTES = 256,
	DEPLOY_HOLDER_BYTES = 256
};

struct deploy_directory {
	char path[4096]; /* real path */
	int fd, versions_fd, admin_fd;
	int lock_fd; /* -1 while it is not locked */
};

/* What deploy_directory_close may be called for before anything was opened. */
void deploy_directory_init(struct deploy_directory *d);
/* Opens DIR, making it and its folders when `is_made`; its parent must be there. Otherwise
 * NOT_FOUND says that nothing was ever deployed there. *out is closed by deploy_directory_close, also
 * after a failure. */
MUST_CHECK bool deploy_directory_open(const char *path, bool is_made, struct deploy_directory *out,
				      struct error *err);
void deploy_directory_close(struct deploy_directory *d);

enum { DEPLOY_ID_BYTES = 33 };
/* The name at the daemon of a directory without a state.json: made once, and kept in it. Locked. */
MUST_CHECK bool deploy_directory_id(const struct deploy_directory *d, char id[DEPLOY_ID_BYTES],
				    struct error *err);

/* One deployer per directory, until the process ends. RESOURCE_CONFLICT says who holds it. */
MUST_CHECK bool deploy_directory_lock(struct deploy_directory *d, struct error *err);
/* Does somebody deploy into it right now? `holder` then says who. Takes nothing. */
bool deploy_directory_is_held(const struct deploy_directory *d, char holder[DEPLOY_HOLDER_BYTES]);

/* What the link "current" or "previous" leads to: a name in versions/, "" for no link. */
MUST_CHECK bool deploy_directory_link(const struct deploy_directory *d, const char *link,
				      char name[DEPLOY_NAME_BYTES], struct error *err);
/* Makes the link lead to versions/NAME, or removes it when the name is "". Durable. */
MUST_CHECK bool deploy_directory_point(const struct deploy_directory *d, const char *link,
				       const char *name, struct error *err);

/* versions/NAME as a whole path, and NAME within .trk-deploy. "" for "". Return `path`. */
const char *deploy_directory_version(const struct deploy_directory *d, const char *name,
				     char path[DEPLOY_PATH_BYTES]);
const char *deploy_directory_admin(const struct deploy_directory *d, const char *name,
				   char path[DEPLOY_PATH_BYTES]);
/* Does versions/NAME hold the tree of this digest, and nothing else? Reads all of it. */
bool deploy_directory_holds(const struct deploy_directory *d, const char *name,
			    const char *tree_sha256, const struct stop *stop);
/* Renames .trk-deploy/STAGING to versions/NAME, durably. A damaged one of that name is exchanged in the
 * same step, and removed. */
MUST_CHECK bool deploy_directory_place(const struct deploy_directory *d, const char *staging,
				       const char *name, struct error *err);
/* Removes versions/NAME: it is gone from there at once, or stays whole. */
MUST_CHECK bool deploy_directory_remove(const struct deploy_directory *d, const char *name,
					struct error *err);
/* Removes what a killed deployment left in .trk-deploy, but for the download to go on with
 * ("" for none). */
void deploy_directory_sweep(const struct deploy_directory *d, const char *staging_to_keep);

#endif
