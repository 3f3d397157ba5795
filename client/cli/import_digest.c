/* Owns the digest by which an import knows a run again. */
#include "cli/import_digest.h"

#include <inttypes.h>
#include <stdio.h>

struct digest {
	struct sha256 hash;
	struct error *err;
	bool has_failed;
};

static void add(struct digest *d, struct slice bytes)
{
	d->has_failed = d->has_failed || !sha256_update(&d->hash, bytes, d->err);
}

static void add_number(struct digest *d, int64_t number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64 ";", number);
	add(d, slice_make(text, (size_t)len));
}

/* With its length, so that no two lists of texts look the same. */
static void add_text(struct digest *d, struct slice text)
{
	add_number(d, slice_is_present(text) ? (int64_t)text.len : -1);
	if (text.len > 0)
		add(d, text);
}

static void add_pairs(struct digest *d, struct import_pairs pairs)
{
	add_number(d, (int64_t)pairs.count);
	for (size_t i = 0; i < pairs.count; i++) {
		add_text(d, pairs.items[i].key);
		add_text(d, pairs.items[i].value);
	}
}

static void add_datasets(struct digest *d, struct import_datasets datasets)
{
	add_number(d, (int64_t)datasets.count);
	for (size_t i = 0; i < datasets.count; i++) {
		const struct import_dataset *set = &datasets.items[i];
		const struct slice texts[] = {set->name,   set->digest, set->source_type,
					      set->source, set->schema, set->profile};
		for (size_t k = 0; k < ARRAY_COUNT(texts); k++)
			add_text(d, texts[k]);
		add_pairs(d, set->tags);
	}
}

static void add_links(struct digest *d, struct import_model_links links)
{
	add_number(d, (int64_t)links.count);
	for (size_t i = 0; i < links.count; i++) {
		add_text(d, links.items[i].model_id);
		add_number(d, links.items[i].step);
	}
}

bool import_digest(const struct import_run *run, bool has_artifacts, char hex[SHA256_HEX_LEN + 1],
		   struct error *err)
{
	struct digest d = {.err = err};
	hex[0] = '\0';
	if (!slice_is_present(run->points_digest))
		return true;
	if (!sha256_init(&d.hash, err))
		return false;
	const struct slice texts[] = {run->name, run->user_id, run->status, run->artifact_uri,
				      run->points_digest};
	const int64_t numbers[] = {run->start_time_ms, run->end_time_ms, run->deleted_time_ms,
				   run->is_deleted, has_artifacts};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		add_text(&d, texts[i]);
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		add_number(&d, numbers[i]);
	add_pairs(&d, run->tags);
	add_pairs(&d, run->params);
	add_datasets(&d, run->datasets);
	add_links(&d, run->model_inputs);
	add_links(&d, run->model_outputs);
	bool ok = !d.has_failed && sha256_finish(&d.hash, hex, err);
	sha256_deinit(&d.hash);
	return ok;
}
