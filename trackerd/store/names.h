/* Interned names of metrics, parameters and run tags: text ↔ name_pk. */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* The number of a name, made if it is new. For the committer's connection. */
MUST_CHECK bool names_intern_in_txn(struct db *db, struct slice name, struct name_pk *out,
				    struct error *err);
/* *found_out false when nothing was ever logged under that name. */
MUST_CHECK bool names_find(struct db *db, struct slice name, struct name_pk *out, bool *found_out,
			   struct error *err);

#endif
