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
#include "store/model_versions.h"

/* Of a name as JSON: a byte of the body may become six. */
enum { NAME_JSON_BYTES_MAX = 6 * BODY_BYTES_MAX };

#define MODELS_SCHEME SLICE("models:/")

static bool parse_source(struct slice source, struct slice *model_id_out);
static bool inherit(struct db *db, struct slice source, struct arena *arena,
		    struct model_lineage *lineage, struct error *err);
static struct slice version_item(struct slice name, int64_t version, struct arena *arena);
static bool has_version(struct slice list, struct slice name, struct slice version,
			struct arena *arena);

bool model_lineage_resolve(struct db *db, struct slice source, struct slice run_id,
			   struct slice model_id, struct arena *arena, struct model_lineage *out,
			   struct error *err)
{
	struct model_lineage lineage = {
		slice_or_empty(model_id), slice_or_empty(run_id), {NULL, 0}};
	struct slice source_model_id = {NULL, 0};
	struct logged_model model;
	bool is_model = parse_source(source, &source_model_id);
	if (is_model && model_id.len > 0 && !slice_eq(model_id, source_model_id)) {
		char quoted[300];
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid model version source: '%s'. The model_id request "
				 "parameter must identify the resource that contains the source.",
				 error_quote(source, quoted, sizeof(quoted)));
	}
	if (is_model)
		lineage.model_id = source_model_id;
	if (lineage.model_id.len == 0) {
		if (!inherit(db, source, arena, &lineage, err))
			return false;
		*out = lineage;
		return true;
	}
	if (!logged_model_load(db, lineage.model_id, false, arena, &model, err))
		return false;
	if (lineage.run_id.len == 0)
		lineage.run_id = model.source_run_id;
	if (is_model)
		lineage.location = model.artifact_uri;
	*out = lineage;
	return true;
}

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
	struct slice version_text = arena_printf(arena, "%" PRId64, version);
	if (!logged_model_load(db, model_id, true, arena, &model, err))
		return false;
	const struct key_value *tag = key_values_find(model.tags, MODEL_VERSIONS_TAG);
	struct slice list = tag == NULL ? (struct slice){NULL, 0} : tag->value;
	if (has_version(list, name, version_text, arena))
		return true;
	struct key_value new_tag = {
		MODEL_VERSIONS_TAG,
		json_list_append(list, version_item(name, version, arena), arena),
	};
	return logged_model_tags_set_in_txn(db, model.pk, (struct key_value_list){&new_tag, 1},
					    arena, err);
}

/* models:/ID, and not models:/NAME/VERSION or models:/NAME@ALIAS. */
static bool parse_source(struct slice source, struct slice *model_id_out)
{
	if (!slice_starts_with(source, MODELS_SCHEME))
		return false;
	struct slice rest = slice_from(source, MODELS_SCHEME.len);
	bool is_id = rest.len > 0 && slice_find_byte(rest, '/', 0) == rest.len &&
		     slice_find_byte(rest, '@', 0) == rest.len;
	if (is_id)
		*model_id_out = rest;
	return is_id;
}

/* A copy of a version, models:/NAME/VERSION, comes from where that one does. The model may be deleted by now. */
static bool inherit(struct db *db, struct slice source, struct arena *arena,
		    struct model_lineage *lineage, struct error *err)
{
	struct slice name, rest = slice_from(source, MODELS_SCHEME.len);
	struct model_version version;
	int64_t number = 0;
	if (!slice_starts_with(source, MODELS_SCHEME) || !slice_next(&rest, '/', &name) ||
	    !slice_parse_i64(rest, &number))
		return true;
	if (!model_version_load(db, name, number, arena, &version, err))
		return false;
	lineage->model_id = version.model_id;
	if (lineage->run_id.len == 0)
		lineage->run_id = version.run_id;
	return true;
}

static struct slice version_item(struct slice name, int64_t version, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, arena, NAME_JSON_BYTES_MAX);
	json_writer_init(&w, &text);
	json_string(&w, name);
	return arena_printf(arena, "{\"name\": %.*s, \"version\": \"%" PRId64 "\"}",
			    SLICE_FMT(buffer_slice(&text)), version);
}

static bool has_version(struct slice list, struct slice name, struct slice version,
			struct arena *arena)
{
	struct json_node root = {NULL};
	struct error ignored;
	if (list.len == 0 || !json_read(list, arena, &root, &ignored) ||
	    json_node_type(root) != JSON_TYPE_ARRAY)
		return false;
	struct json_node item = json_node_first(root);
	for (; json_node_type(item) != JSON_TYPE_ABSENT; item = json_node_next(item)) {
		struct json_node item_name = json_node_member(item, SLICE("name"));
		struct json_node item_version = json_node_member(item, SLICE("version"));
		if (slice_eq(json_node_string(item_name), name) &&
		    slice_eq(json_node_string(item_version), version))
			return true;
	}
	return false;
}
