/* Checking the registry's history: that its chain is whole, and that the registry is as its history tells. Each finds
 * what somebody changed in the database behind the daemon's back; what the chain cannot show is in README.md. On any
 * connection; hold a snapshot around a call on a read-only one. */
#ifndef STORE_REGISTRY_VERIFY_H
#define STORE_REGISTRY_VERIFY_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/registry_history.h"

enum { REGISTRY_PROBLEMS_MAX = 100 }; /* that are told of one call; one more says that there are more */

struct registry_problem {
	int64_t seq; /* of the event; 0: of none */
	struct slice text; /* a sentence, without a full stop */
};
struct registry_problem_list {
	struct registry_problem *items;
	size_t count;
};

struct registry_check {
	/* Goes on after this event, which had this digest; 0 and zeros: from the beginning. */
	int64_t after_seq;
	unsigned char after_sha256[SHA256_BYTES];
	size_t rows_max;
	/* A digest that somebody noted; NULL: none. */
	const unsigned char *expected_or_null;
};
struct registry_check_result {
	size_t checked_count;
	int64_t last_seq; /* go on after it, until less than rows_max were checked: then the end was compared, too */
	unsigned char last_sha256[SHA256_BYTES];
	struct registry_head head;
	int64_t expected_seq; /* of the event with the expected digest; 0: not among those checked */
	struct registry_problem_list problems;
};

/* Checks events of the chain, rows_max at most. When there are less, the head is compared with the last one. */
MUST_CHECK bool registry_check_chain(struct db *db, const struct registry_check *check, struct arena *arena,
				     struct registry_check_result *out, struct error *err);

/* Compares models with their history, at most models_max of those after `after_pk`; *last_pk_out is the last one, or 0
 * when those were all: then models that should be there and are not are told, too. */
MUST_CHECK bool registry_check_models(struct db *db, int64_t after_pk, size_t models_max, struct arena *arena,
				      size_t *checked_out, int64_t *last_pk_out,
				      struct registry_problem_list *problems, struct error *err);

#endif
