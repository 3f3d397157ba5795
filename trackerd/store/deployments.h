/* Deployments in SQL: what really runs where, as the targets report it. Functions ending in _in_txn run inside the
 * caller's transaction. A missing one is RESOURCE_DOES_NOT_EXIST "Deployment with ID X not found." everywhere.
 *
 * What a deployment says is joined with what the registry says now, by the model's name: an alias may have moved, and
 * alias, version and model may be gone. A model that is renamed takes its deployments along, and targets that go on
 * to report it by a name that it had are understood. */
#ifndef STORE_DEPLOYMENTS_H
#define STORE_DEPLOYMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/deployment_state.h"

/* Texts are "" where there is nothing, never absent; versions 0. */
struct deployment {
	int64_t deployment_pk; /* 0 of a row of history */
	struct slice deployment_id;
	int64_t change_seq; /* the row of history that tells of this state; grows over all deployments */
	enum deployment_state state;
	int64_t since_ms; /* the state, and the version, hold */
	int64_t last_seen_ms;
	int64_t heartbeat_ms; /* 0: it sends none, and does not turn stale */
	struct slice model;
	int64_t version;	  /* in place; while deploying: being put there */
	int64_t previous_version; /* before that; while deploying: in place until then */
	struct slice alias;	  /* that it follows */
	struct slice environment, target, host, path;
	struct slice reason;
	struct slice actor; /* of the last change */
	/* What the registry says now: */
	int64_t alias_version; /* 0: no such alias, or no such model */
	bool is_in_registry;   /* the version */
};
struct deployment_list {
	struct deployment *items;
	size_t count;
};

/* Does something else run than what the alias means? */
bool deployment_differs(const struct deployment *d);

/* ---- reports ------------------------------------------------------------------------------------ */

/* Writes what a target says of itself: deployment_id, state, what is deployed and where, heartbeat_ms, reason, actor.
 * previous_version < 0 is not told: what was there before the version changed is taken. Without any change but the
 * time this is only a heartbeat: *has_changed_out says. One that reports itself stale sends no heartbeats any more, and
 * must be known. Fails with REQUEST_LIMIT_EXCEEDED for one more than DEPLOYMENTS_MAX. */
MUST_CHECK bool deployment_report_in_txn(struct db *db, const struct deployment *report, int64_t now_ms,
					 struct arena *arena, bool *has_changed_out, struct error *err);
/* It is there; *state_out is its state now, and *has_changed_out that it was stale. */
MUST_CHECK bool deployment_heartbeat_in_txn(struct db *db, struct slice deployment_id, int64_t now_ms,
					    struct arena *arena, enum deployment_state *state_out,
					    bool *has_changed_out, struct error *err);
/* Its history stays. */
MUST_CHECK bool deployment_forget_in_txn(struct db *db, struct slice deployment_id, struct slice actor,
					 int64_t now_ms, struct arena *arena, struct error *err);

/* The model has another name from now on, and all that said the old one say the new one, in their history too. Gives
 * them. Costs four statements for each. */
MUST_CHECK bool deployments_rename_in_txn(struct db *db, struct slice name, struct slice new_name, struct slice actor,
					  int64_t now_ms, struct arena *arena, struct deployment_list *out,
					  struct error *err);

/* ---- turning stale ------------------------------------------------------------------------------ */

/* When is somebody missed? `since_ms` is from when on there was somebody to be told: a heartbeat that should have come
 * before is nobody's fault. A target that was last seen after `now_ms`, since the clock was set back, counts from
 * there, too. */
struct deployment_watch {
	int64_t now_ms, since_ms;
};
struct deployment_overview {
	int64_t counts[DEPLOYMENT_STATES];
	int64_t next_due_ms; /* when the first of them turns stale, which may have passed; INT64_MAX: none does */
};
MUST_CHECK bool deployments_overview(struct db *db, const struct deployment_watch *watch,
				     struct deployment_overview *out, struct error *err);
/* Those whose time has passed, at most `rows_max`, turn stale. Gives their ids. */
MUST_CHECK bool deployments_mark_stale_in_txn(struct db *db, const struct deployment_watch *watch, size_t rows_max,
					      struct arena *arena, struct deployment_list *out, struct error *err);

/* ---- reading ------------------------------------------------------------------------------------ */

MUST_CHECK bool deployment_load(struct db *db, struct slice deployment_id, struct arena *arena,
				struct deployment *out, struct error *err);

/* Empty or absent texts and DEPLOYMENT_UNKNOWN do not choose. */
struct deployment_filter {
	struct slice model, environment, target;
	enum deployment_state state;
};
/* A page, those that reported last for the first time first; tokens as in search_page_row_before. */
MUST_CHECK bool deployments_list(struct db *db, const struct deployment_filter *filter, size_t rows_max,
				 struct slice page_token, struct arena *arena, struct deployment_list *out,
				 struct slice *next_out, struct error *err);
/* Those that run this version, or are about to, or until then: at most `rows_max`, in order of environment and target.
 * A version of 0 is any of the model. */
MUST_CHECK bool deployments_of_version(struct db *db, struct slice model, int64_t version, size_t rows_max,
				       struct arena *arena, struct deployment_list *out, struct error *err);

#endif
