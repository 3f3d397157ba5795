/* Inside the store of deployments: the columns that deployments and deployment_changes share. */
#ifndef STORE_DEPLOYMENT_ROWS_H
#define STORE_DEPLOYMENT_ROWS_H

#include "store/deployments.h"

/* What deployment_row_bind binds, in order. */
#define DEPLOYMENT_KEPT                                                                                              \
	"state, since_ms, last_seen_ms, heartbeat_ms, model, version, previous_version, alias, environment, target," \
	" host, path, reason, actor"
enum { DEPLOYMENT_KEPT_COUNT = 14 };

/* What deployment_row_read reads, from either table, called d, with DEPLOYMENT_REGISTRY joined. */
#define DEPLOYMENT_COLUMNS                                                                                           \
	"d.deployment_id, d.change_seq, d.state, d.since_ms, d.last_seen_ms, d.heartbeat_ms, d.model, d.version,"    \
	" d.previous_version, d.alias, d.environment, d.target, d.host, d.path, d.reason, d.actor,"                  \
	" CASE WHEN lower(d.alias) = 'latest'"                                                                       \
	" THEN (SELECT max(version) FROM model_versions AS v WHERE v.model_pk = m.model_pk)"                         \
	" ELSE (SELECT version FROM model_aliases AS a WHERE a.model_pk = m.model_pk AND a.alias = d.alias) END,"    \
	" EXISTS (SELECT 1 FROM model_versions AS v WHERE v.model_pk = m.model_pk AND v.version = d.version)"
enum { DEPLOYMENT_COLUMN_COUNT = 18 };
#define DEPLOYMENT_REGISTRY " LEFT JOIN registered_models AS m ON m.name = d.model"

/* To the parameters from `first` on. */
void deployment_row_bind(struct db_statement *st, int first, const struct deployment *d);
/* Texts in the arena; deployment_pk is 0. */
struct deployment deployment_row_read(const struct db_statement *st, struct arena *arena);
/* RESOURCE_DOES_NOT_EXIST; returns false. */
bool deployment_error_missing(struct error *err, struct slice deployment_id);

#endif
