/* Loads whole runs for replies: a constant number of statements for any number of runs. */
#ifndef STORE_RUNS_LOAD_H
#define STORE_RUNS_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* runs_out[i] gets everything of run_pks[i] (which must exist, each once): info, latest metrics,
 * params, tags, inputs. */
MUST_CHECK bool runs_load(struct db *db, const struct run_pk *run_pks, size_t count,
			  struct arena *arena, struct run *runs_out, struct error *err);
/* Without metrics, params, tags and inputs. */
MUST_CHECK bool runs_load_info(struct db *db, const struct run_pk *run_pks, size_t count,
			       struct arena *arena, struct run *runs_out, struct error *err);

#endif
