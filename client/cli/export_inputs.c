/* Owns the datasets and logged models that an exported run names as read or made. */
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/export.h"
#include "cli/run_view.h"

enum { MD5_BYTES = 16, MD5_HEX_LEN = 32 };

/* The names that file stores give to datasets and links: MD5 of two texts, one after the other. */
static bool digest_of(struct slice a, struct slice b, char hex[MD5_HEX_LEN + 1], struct error *err)
{
	unsigned char digest[MD5_BYTES];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1 &&
		  EVP_DigestUpdate(context, a.ptr, a.len) == 1 &&
		  EVP_DigestUpdate(context, b.ptr, b.len) == 1 &&
		  EVP_DigestFinal_ex(context, digest, NULL) == 1;
	EVP_MD_CTX_free(context);
	if (!ok)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "the crypto library of this system computes no MD5, by which "
				 "MLflow names datasets");
	for (size_t i = 0; i < MD5_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static bool write_dataset(struct export *x, const struct export_experiment *experiment,
			  const struct json_value *dataset, const char *id, struct error *err)
{
	static const char *const members[] = {"digest", "name",	  "profile",
					      "schema", "source", "source_type"};
	struct arena *arena = x->cli->arena;
	const char *folder =
		arena_cstr(arena, arena_printf(arena, "%s/datasets/%s", experiment->folder, id));
	struct slice text;
	yaml_writer_begin(x->yaml);
	for (size_t i = 0; i < ARRAY_COUNT(members); i++)
		yaml_put_string(x->yaml, members[i], export_text(dataset, members[i]));
	return yaml_writer_end(x->yaml, &text, err) && export_tree_folder(&x->tree, folder, err) &&
	       export_tree_replace(&x->tree,
				   arena_cstr(arena, arena_printf(arena, "%s/meta.yaml", folder)),
				   text, err);
}

/* Writes folder_fd/name/meta.yaml from x->yaml. */
static bool write_link(struct export *x, int folder_fd, const char *name, struct error *err)
{
	int fd = export_folder_make(folder_fd, name, err);
	bool ok = fd >= 0 && export_meta(x, fd, err);
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return ok;
}

/* MLflow writes the source's id as the destination's, too, and reads it from there. */
static void begin_link(struct export *x, struct slice id, const char *destination_type,
		       const char *source_type)
{
	yaml_writer_begin(x->yaml);
	yaml_put_string(x->yaml, "destination_id", id);
	yaml_put_string(x->yaml, "destination_type", slice_from_cstr(destination_type));
	yaml_put_string(x->yaml, "source_id", id);
	yaml_put_string(x->yaml, "source_type", slice_from_cstr(source_type));
}

static bool write_dataset_inputs(struct export *x, const struct export_experiment *experiment,
				 const struct json_value *list, struct slice run_id, int inputs_fd,
				 struct error *err)
{
	const struct json_value *input = json_items(list);
	char id[MD5_HEX_LEN + 1], link_id[MD5_HEX_LEN + 1];
	for (; input != NULL; input = input->next_sibling_or_null) {
		const struct json_value *dataset = json_tree_get(input, "dataset");
		if (!digest_of(json_text(dataset, "name"), json_text(dataset, "digest"), id, err) ||
		    !digest_of(slice_from_cstr(id), run_id, link_id, err) ||
		    !write_dataset(x, experiment, dataset, id, err))
			return false;
		begin_link(x, slice_from_cstr(id), "RUN", "DATASET");
		export_put_map(x, "tags", EXPORT_TAGS(json_tree_get(input, "tags")));
		if (!write_link(x, inputs_fd, link_id, err))
			return false;
	}
	return true;
}

static bool write_model_inputs(struct export *x, const struct json_value *list, struct slice run_id,
			       int inputs_fd, struct error *err)
{
	const struct json_value *input = json_items(list);
	char link_id[MD5_HEX_LEN + 1];
	for (; input != NULL; input = input->next_sibling_or_null) {
		struct slice id = json_text(input, "model_id");
		if (!digest_of(id, run_id, link_id, err))
			return false;
		begin_link(x, id, "RUN", "MODEL");
		export_put_map(x, "tags", EXPORT_TAGS(NULL));
		if (!write_link(x, inputs_fd, link_id, err))
			return false;
	}
	return true;
}

static bool write_outputs(struct export *x, const struct json_value *list, int outputs_fd,
			  struct error *err)
{
	const struct json_value *output = json_items(list);
	for (; output != NULL; output = output->next_sibling_or_null) {
		struct slice id = json_text(output, "model_id");
		if (export_name_fault(id) != NULL)
			return error_set(err, ERR_DATA_LOSS, "the server names a model by no id");
		begin_link(x, id, "MODEL_OUTPUT", "RUN_OUTPUT");
		yaml_put_int(x->yaml, "step", json_tree_i64(json_tree_get(output, "step"), 0));
		export_put_map(x, "tags", EXPORT_TAGS(NULL));
		if (!write_link(x, outputs_fd, arena_cstr(x->cli->arena, id), err))
			return false;
	}
	return true;
}

bool export_inputs(struct export *x, const struct export_experiment *experiment,
		   const struct json_value *run, int run_fd, struct error *err)
{
	const struct json_value *datasets = json_tree_path(run, "inputs.dataset_inputs"),
				*inputs = json_tree_path(run, "inputs.model_inputs"),
				*outputs = json_tree_path(run, "outputs.model_outputs");
	struct slice run_id = run_id_of(run);
	bool ok = true;
	if (json_items(datasets) != NULL || json_items(inputs) != NULL) {
		int fd = export_folder_make(run_fd, "inputs", err);
		ok = fd >= 0 && write_dataset_inputs(x, experiment, datasets, run_id, fd, err) &&
		     write_model_inputs(x, inputs, run_id, fd, err);
		if (fd >= 0)
			(void)close(fd); /* only a handle */
	}
	if (ok && json_items(outputs) != NULL) {
		int fd = export_folder_make(run_fd, "outputs", err);
		ok = fd >= 0 && write_outputs(x, outputs, fd, err);
		if (fd >= 0)
			(void)close(fd); /* only a handle */
	}
	return ok;
}
