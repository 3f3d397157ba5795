/* Reading whole traces. */
#ifndef STORE_TRACES_LOAD_H
#define STORE_TRACES_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/trace_entities.h"

/* Traces with all that belongs to them, in the arena: traces_out[i] is pks[i], which must exist (INTERNAL_ERROR
 * otherwise). No pk twice. A constant number of statements for each 500. */
MUST_CHECK bool traces_load(struct db *db, const struct trace_pk *pks, size_t count, struct arena *arena,
			    struct trace *traces_out, struct error *err);

#endif
