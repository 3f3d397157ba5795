/* The registry's memory: one event for every change of it, in the transaction of that change, chained by SHA-256.
 *
 * An event tells of one subject: a model or a version (that it is there), or one part of it (its name, description,
 * stage, rules, a tag, an alias). `before` and `after` are the subject's whole state as JSON, absent when it was,
 * or is, not there. So how anything was at a moment is in the newest event of its subject up to that moment; a part
 * counts when it is newer than the event that made, adopted or restored what it belongs to, whose `after` holds all
 * parts but aliases and rules. registry_state.h puts that together.
 *
 * Sequence numbers count 1, 2, 3, … over all models without gaps, and times never go back along them. The identity
 * of a model is model_seq, the number of the event that it began with: it survives renames and deletion with
 * restoring, and a model that is made anew under an old name is another one.
 *
 * The chain. sha256 of an event covers the digest of the event before it (32 zero bytes before the first) and then
 * each of its fields in the order of struct registry_event: a number as 8 bytes, big endian; a text as its length
 * in that form and its bytes; an absent text as the length 2^64-1. A row of its own holds number and digest of the
 * last event, so that a tail that is missing shows. What that proves, and what not, is in README.md;
 * registry_verify.h checks it.
 *
 * Size. `after` is kept whole, whatever its size: it is what the request brought. A `before` beyond
 * REGISTRY_BEFORE_BYTES_MAX is in the history already, and is replaced by {"bytes": N, "sha256": "…"}. */
#ifndef STORE_REGISTRY_HISTORY_H
#define STORE_REGISTRY_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/db.h"
#include "digest/digest.h"
#include "store/model_entities.h"

/* Of a model (version 0) or of a version. Numbers are in the database. */
enum registry_part {
	REGISTRY_PART_LIFE = 0, /* that it is there */
	REGISTRY_PART_NAME = 1,
	REGISTRY_PART_DESCRIPTION = 2,
	REGISTRY_PART_STAGE = 3,
	REGISTRY_PART_TAG = 4,
	REGISTRY_PART_ALIAS = 5,
	REGISTRY_PART_RULES = 6,
	REGISTRY_PART_GUARD = 7, /* no state: something that a version needs is gone */
};

/* The rows of registry_events that give, change or end the name of a model, in the words of the index of names. */
#define REGISTRY_NAMES_SQL "version = 0 AND part <= 1"

enum registry_kind {
	REGISTRY_MODEL_CREATED,
	REGISTRY_MODEL_ADOPTED, /* it stood before there was a history */
	REGISTRY_MODEL_RENAMED,
	REGISTRY_MODEL_DESCRIBED,
	REGISTRY_MODEL_TAG_SET,
	REGISTRY_MODEL_TAG_DELETED,
	REGISTRY_MODEL_DELETED,
	REGISTRY_MODEL_RESTORED,
	REGISTRY_MODEL_RULES_SET,
	REGISTRY_VERSION_CREATED,
	REGISTRY_VERSION_ADOPTED,
	REGISTRY_VERSION_DESCRIBED,
	REGISTRY_VERSION_STAGE_MOVED,
	REGISTRY_VERSION_TAG_SET,
	REGISTRY_VERSION_TAG_DELETED,
	REGISTRY_VERSION_DELETED,
	REGISTRY_VERSION_RESTORED,
	REGISTRY_ALIAS_SET,
	REGISTRY_ALIAS_DELETED,
	REGISTRY_ALIAS_PROMOTED,
	REGISTRY_ALIAS_ROLLED_BACK,
	REGISTRY_ALIAS_ADOPTED,
	REGISTRY_GUARD_FORCED, /* a run, experiment or artifact that a version needs was deleted or replaced by force */
	REGISTRY_GUARD_REPLACED, /* files that a version needs got other bytes while nobody used it */
	REGISTRY_KINDS_END
};

/* "alias.set": on the wire and in the database. Static text. */
const char *registry_kind_name(enum registry_kind kind);
/* False when no kind has that name. */
MUST_CHECK bool registry_kind_from_name(struct slice name, enum registry_kind *out);
enum registry_part registry_kind_part(enum registry_kind kind);

/* An event as it is kept: fields in the order of the digest. */
struct registry_event_row {
	int64_t event_seq, time_ms;
	int64_t model_seq;
	struct slice model, kind;
	int64_t version, part;
	struct slice key;
	int64_t alias_version;
	struct slice actor, client, cause, reason;
	struct slice detail, before, after; /* JSON, or absent */
	unsigned char sha256[SHA256_BYTES];  /* not part of what it covers */
};

/* Who changes something, from where and why; "" when that is not known. */
struct registry_author {
	struct slice actor, client, cause;
};

/* What is to be recorded. */
struct registry_change {
	enum registry_kind kind;
	struct model_pk model_pk; /* its row is there: deletion is recorded before it, all else after the change */
	struct slice model;       /* its name after the change */
	int64_t version;          /* the one that changed; 0 for what changed of the model, as its aliases */
	struct slice key;         /* the alias or the key of the tag; else absent */
	int64_t alias_version;    /* of an alias: where it points now, or pointed when it was deleted; else 0 */
	struct slice before, after;  /* JSON (registry_json.h), or absent: not there */
	struct slice reason, detail; /* a text; JSON; either may be absent */
	struct registry_author author; /* absent texts become "" */
	int64_t now_ms;           /* wall time; the event gets the last one's if that is later */
};

/* Records the change; *seq_out is its number. Inside the caller's transaction, with which it stands or falls. A model
 * whose row has no model_seq yet gets this event's number. Costs four statements. */
MUST_CHECK bool registry_record_in_txn(struct db *db, const struct registry_change *change, int64_t *seq_out,
				       struct error *err);

/* Gives a model that was put back its identity, and a next version beyond all that it ever had. */
MUST_CHECK bool registry_continue_in_txn(struct db *db, struct model_pk pk, int64_t model_seq, struct error *err);

/* The end of the chain: number, time and digest of the last event; 0, 0 and zeros when there is none. */
struct registry_head {
	int64_t event_seq, time_ms;
	unsigned char sha256[SHA256_BYTES];
};
/* DATA_LOSS when the row is gone. */
MUST_CHECK bool registry_head_load(struct db *db, struct registry_head *out, struct error *err);
/* The digest that `row` has after an event whose digest is `previous`. `hash` is initialised, and restarted here. */
void registry_event_digest(struct digest *hash, const unsigned char previous[SHA256_BYTES],
			   const struct registry_event_row *row, unsigned char sha256[SHA256_BYTES]);

/* The newest event of an alias: its number is the alias' revision. */
struct registry_alias_event {
	int64_t event_seq; /* 0: it never pointed anywhere */
	int64_t time_ms;
	int64_t version;   /* 0: it is not there; then event_seq tells of its deletion */
	struct slice kind, actor, reason; /* in the arena */
};
MUST_CHECK bool registry_alias_event_load(struct db *db, struct model_pk pk, struct slice alias, struct arena *arena,
					  struct registry_alias_event *out, struct error *err);

/* Is the newest event of what `kind` changes of a version, which has no key, of that kind? */
MUST_CHECK bool registry_newest_is(struct db *db, struct model_pk pk, int64_t version, enum registry_kind kind,
				   bool *out, struct error *err);

/* Gives each model that has none its first events (model.adopted, version.adopted, alias.adopted), in one transaction
 * of its own. At start, before other threads have connections; costs a look when there is nothing to do. `db` is
 * read-write and in no transaction. */
MUST_CHECK bool registry_adopt(struct db *db, int64_t now_ms, struct error *err);

#endif
