/* Owns the lines between the follower and the server. */
#include "serve/follow_message.h"

#include "base/json_scanner.h"
#include "base/json_writer.h"

static const char *const kind_names[] = {"offer", "note", "give_up", "accepted", "refused"};

void follow_message_write(const struct follow_message *m, struct buffer *out)
{
	struct json_writer w;
	json_writer_init(&w, out);
	json_object_begin(&w);
	json_put_cstr(&w, "kind", kind_names[m->kind]);
	if (m->kind == FOLLOW_OFFER) {
		json_put_cstr(&w, "name", m->model.name);
		json_put_cstr(&w, "path", m->model.path);
		json_put_cstr(&w, "model", m->model.model);
		json_put_cstr(&w, "version", m->model.version);
		json_put_cstr(&w, "alias", m->model.alias);
		json_put_cstr(&w, "run_id", m->model.run_id);
	} else {
		json_put_cstr(&w, "text", m->text);
		json_put_bool(&w, "reachable", m->is_reachable);
		json_put_cstr(&w, "code", error_code_name(m->code));
	}
	json_object_end(&w);
	buffer_append_byte(out, '\n');
}

static char *text_of(const struct json_value *tree, const char *key, struct arena *arena)
{
	return arena_cstr(arena, json_tree_string(json_tree_get(tree, key), SLICE("")));
}

bool follow_message_read(struct slice line, struct arena *arena, struct follow_message *out,
			 struct error *err)
{
	struct json_value *tree;
	size_t kind = 0;
	if (!json_tree_parse(line, arena, &tree, err))
		return false;
	struct slice name = json_tree_string(json_tree_get(tree, "kind"), SLICE(""));
	while (kind < ARRAY_COUNT(kind_names) && !slice_eq_cstr(name, kind_names[kind]))
		kind++;
	if (kind == ARRAY_COUNT(kind_names))
		return error_set(err, ERR_BAD_REQUEST, "a message of an unknown kind");
	*out = (struct follow_message){
		.kind = (enum follow_kind)kind,
		.model = {.name = text_of(tree, "name", arena),
			  .path = text_of(tree, "path", arena),
			  .model = text_of(tree, "model", arena),
			  .version = text_of(tree, "version", arena),
			  .alias = text_of(tree, "alias", arena),
			  .run_id = text_of(tree, "run_id", arena)},
		.text = text_of(tree, "text", arena),
		.is_reachable = json_tree_bool(json_tree_get(tree, "reachable"), false),
		.code = error_code_from_name(
			json_tree_string(json_tree_get(tree, "code"), SLICE(""))),
	};
	return true;
}
