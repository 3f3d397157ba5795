/* Owns the ties between model versions and logged models. */
#include "store/model_lineage.h"

#include <inttypes.h>

#include "base/json_writer.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/json_list.h"
#include "store/key_values.h"
#include "store/logged_models.h"
#include "store/logged_models_load.h"

/* Of a name as JSON: a byte of the body may become six. */
enum { NAME_JSON_BYTES_MAX = 6 * BODY_BYTES_MAX };

static struct slice version_item(struct slice name, int64_t version, struct arena *arena);
static bool has_version(struct slice list, struct slice name, int64_t version,
			struct arena *arena);

bool model_lineage_load(struct db *db, struct model_version *version, struct arena *arena,
			struct error *err)
{
	struct logged_model_pk pk;
	bool found = false;
	if (version->model_id.len == 0)
		return true;
	if (!logged_model_find_if_any(db, version->model_id, &pk, &found, err))
		return false;
	if (!found)
		return true;
	struct logged_model *model = ARENA_NEW(arena, struct logged_model, 1);
	version->logged_model_or_null = model;
	return logged_models_load(db, &pk.value, 1, arena, model, err);
}

bool model_lineage_record_in_txn(struct db *db, struct slice model_id, struct slice name,
				 int64_t version, struct arena *arena, struct error *err)
{
	struct logged_model model;
	if (!logged_model_load(db, model_id, true, arena, &model, err))
		return false;
	const struct key_value *tag = key_values_find(model.tags, MODEL_VERSIONS_TAG);
	struct slice list = tag == NULL ? (struct slice){NULL, 0} : tag->value;
	if (has_version(list, name, version, arena))
		return true;
	struct key_value new_tag = {
		MODEL_VERSIONS_TAG,
		json_list_append(list, version_item(name, version, arena), arena),
	};
	return logged_model_tags_set_in_txn(db, model.pk, (struct key_value_list){&new_tag, 1},
					    arena, err);
}

static struct slice version_item(struct slice name, int64_t version, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, arena, NAME_JSON_BYTES_MAX);
	json_writer_init(&w, &text);
	json_string(&w, name);
	return arena_printf(arena, "{\"name\": %.*s, \"version\": %" PRId64 "}",
			    SLICE_FMT(buffer_slice(&text)), version);
}

/* Clients write the number as a text. */
static bool is_version(struct json_node node, int64_t version)
{
	int64_t number = 0;
	bool is_number = json_node_i64(node, &number) ||
			 slice_parse_i64(json_node_string(node), &number);
	return is_number && number == version;
}

static bool has_version(struct slice list, struct slice name, int64_t version, struct arena *arena)
{
	struct json_node root = {NULL};
	struct error ignored;
	if (list.len == 0 || !json_read(list, arena, &root, &ignored) ||
	    json_node_type(root) != JSON_TYPE_ARRAY)
		return false;
	struct json_node item = json_node_first(root);
	for (; json_node_type(item) != JSON_TYPE_ABSENT; item = json_node_next(item)) {
		if (slice_eq(json_node_string(json_node_member(item, SLICE("name"))), name) &&
		    is_version(json_node_member(item, SLICE("version")), version))
			return true;
	}
	return false;
}
