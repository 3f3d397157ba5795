/* Owns the way of a model version into the directory of a deployment. */
#include "cli/deploy_fetch.h"

#include "cli/model_ref.h"
#include "cli/progress.h"
#include "src/deploy_fault.h"
#include "src/model_stage.h"

bool deploy_source_resolve(struct cli *cli, const char *text, struct deploy_source *out,
			   struct error *err)
{
	const struct json_value *version;
	struct model_source source;
	if (!model_ref_resolve(cli, text, &version, err) ||
	    !model_source_find(&cli->fetcher, cli->arena, version, &source, err))
		return false;
	*out = deploy_source_of(cli->arena, &source);
	return true;
}

struct deploy_source deploy_source_of(struct arena *arena, const struct model_source *source)
{
	const struct manifest *m = &source->manifest;
	return (struct deploy_source){
		.manifest = *m,
		.version =
			{
				.name = source->name,
				.model = source->model,
				.version = source->version,
				.tree_sha256 = arena_cstr(arena, slice_from_cstr(m->tree_sha256)),
				.file_count = (int64_t)m->count,
				.byte_count = m->bytes,
			},
	};
}

static bool fill(struct deployment *d, const struct manifest *manifest, struct error *err)
{
	struct progress progress;
	progress_begin(&progress, d->cli, "downloading", manifest->bytes);
	bool ok = model_stage_fill(&d->directory, &d->cli->fetcher, manifest, progress_moved,
				   &progress, err);
	progress_end(&progress);
	return ok;
}

bool deploy_fetch(struct deployment *d, const struct deploy_source *source, bool *is_fetched_out,
		  struct error *err)
{
	const struct deploy_version *version = &source->version;
	char staging[MODEL_STAGE_NAME_BYTES];
	(void)model_stage_name(version->tree_sha256, staging);
	*is_fetched_out = !deploy_directory_holds(&d->directory, version->name,
						  version->tree_sha256, &d->cli->fetcher.stop);
	deploy_directory_sweep(&d->directory, *is_fetched_out ? staging : "");
	if (*is_fetched_out && !fill(d, &source->manifest, err))
		return false;
	/* Known first, so that nothing is in versions/ that later ones would not tidy away. */
	deploy_state_put(&d->state, version);
	if (!deploy_state_save(&d->directory, &d->state, err))
		return false;
	DEPLOY_FAULT("recorded");
	if (*is_fetched_out && !deploy_directory_place(&d->directory, staging, version->name, err))
		return false;
	DEPLOY_FAULT("placed");
	return true;
}
