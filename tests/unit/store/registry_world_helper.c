/* Owns the changes that tests make to the registry. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/store/registry_world_helper.h"

#include "store/model_versions.h"
#include "store/models.h"
#include "store/registry_json.h"

static int64_t record(struct tracker_db *t, const struct registry_change *change)
{
	int64_t seq = 0;
	CHECK(t, registry_record_in_txn(t->db, change, &seq, &t->err));
	return seq;
}

struct model_pk world_add_model(struct tracker_db *t, const char *name, int64_t now_ms)
{
	struct registered_model model;
	struct model_pk pk = {0};
	CHECK(t, model_insert_in_txn(t->db, slice_from_cstr(name), SLICE("what it is"),
				     (struct key_value_list){0}, now_ms, &t->err));
	CHECK(t, model_find(t->db, slice_from_cstr(name), &pk, &t->err));
	CHECK(t, model_load(t->db, pk, &t->arena, &model, &t->err));
	(void)record(t, &(struct registry_change){.kind = REGISTRY_MODEL_CREATED,
						  .model_pk = pk,
						  .model = model.name,
						  .after = registry_json_model(&t->arena, &model),
						  .now_ms = now_ms});
	return pk;
}

int64_t world_add_version(struct tracker_db *t, struct model_pk pk, const char *name,
			  int64_t now_ms)
{
	struct key_value tag = {SLICE("k"), SLICE("v")};
	const struct model_version_new new = {.name = slice_from_cstr(name),
					      .source = SLICE("s3://b"),
					      .tags = {&tag, 1},
					      .now_ms = now_ms};
	struct model_version version;
	int64_t number = 0;
	CHECK(t, model_version_insert_in_txn(t->db, &new, &number, &t->err));
	CHECK(t, model_version_load_by_pk(t->db, pk, number, &t->arena, &version, &t->err));
	return record(t,
		      &(struct registry_change){.kind = REGISTRY_VERSION_CREATED,
						.model_pk = pk,
						.model = slice_from_cstr(name),
						.version = number,
						.after = registry_json_version(&t->arena, &version),
						.now_ms = now_ms});
}

int64_t world_move_alias(struct tracker_db *t, struct model_pk pk, const char *name,
			 const char *alias, int64_t version, int64_t now_ms)
{
	struct registry_alias_event last;
	struct slice key = slice_from_cstr(alias);
	CHECK(t, registry_alias_event_load(t->db, pk, key, &t->arena, &last, &t->err));
	if (version != 0)
		CHECK(t, model_alias_set_in_txn(t->db, pk, key, version, &t->err));
	else
		CHECK(t, model_alias_delete_in_txn(t->db, pk, key, &t->err));
	return record(t, &(struct registry_change){
				 .kind = version != 0 ? REGISTRY_ALIAS_SET : REGISTRY_ALIAS_DELETED,
				 .model_pk = pk,
				 .model = slice_from_cstr(name),
				 .key = key,
				 .alias_version = version != 0 ? version : last.version,
				 .before = registry_json_alias(&t->arena, last.version),
				 .after = registry_json_alias(&t->arena, version),
				 .author = {.actor = SLICE("ana")},
				 .now_ms = now_ms});
}

int64_t world_record(struct tracker_db *t, enum registry_kind kind, struct model_pk pk,
		     const char *name, int64_t version, const char *key, const char *member,
		     const char *text_or_null, int64_t now_ms)
{
	return record(t, &(struct registry_change){
				 .kind = kind,
				 .model_pk = pk,
				 .model = slice_from_cstr(name),
				 .version = version,
				 .key = slice_from_cstr(key),
				 .after = registry_json_text(&t->arena, member,
							     slice_from_cstr(text_or_null)),
				 .now_ms = now_ms});
}
