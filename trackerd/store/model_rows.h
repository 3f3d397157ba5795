/* Inside the registry's store: reading texts, tags, aliases and numbers of versions of prepared statements. */
#ifndef STORE_MODEL_ROWS_H
#define STORE_MODEL_ROWS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

/* Reads the one text of a bound statement, into the arena; absent when it has no row. */
MUST_CHECK bool model_rows_text(struct db_statement *st, struct arena *arena, struct slice *out, struct error *err);
/* Reads all rows (key, value) of a bound statement. */
MUST_CHECK bool model_rows_tags(struct db_statement *st, struct arena *arena, struct key_value_list *out,
				struct error *err);
/* Reads all rows (version). */
MUST_CHECK bool model_rows_versions(struct db_statement *st, struct arena *arena, struct version_list *out,
				    struct error *err);
/* Reads all rows (alias, version) of a bound statement. */
MUST_CHECK bool model_rows_aliases(struct db_statement *st, struct arena *arena, struct model_alias_list *out,
				   struct error *err);

#endif
