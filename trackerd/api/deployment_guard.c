/* Owns the refusal to delete what runs somewhere. */
#include "api/deployment_guard.h"

#include <inttypes.h>

#include "store/deployments.h"

enum { TARGETS_NAMED_MAX = 3, TARGET_BYTES_SHOWN = 80, MODEL_BYTES_SHOWN = 200 };

/* "prod/dispatch, prod/edge-1 and more" */
static struct slice places(const struct deployment_list *list, struct arena *arena)
{
	struct slice text = SLICE("");
	char environment[TARGET_BYTES_SHOWN], target[TARGET_BYTES_SHOWN];
	for (size_t i = 0; i < list->count && i < TARGETS_NAMED_MAX; i++) {
		const struct deployment *d = &list->items[i];
		text = arena_printf(arena, "%.*s%s%s%s%s", SLICE_FMT(text), i > 0 ? ", " : "",
				    error_quote(d->environment, environment, sizeof(environment)),
				    d->environment.len > 0 ? "/" : "",
				    error_quote(d->target, target, sizeof(target)));
	}
	return list->count > TARGETS_NAMED_MAX ? arena_concat(arena, text, SLICE(" and more"))
					       : text;
}

bool deployment_guard(struct call *call, struct db *tracker, struct slice model, int64_t version,
		      struct error *err)
{
	struct deployment_list list;
	char quoted[MODEL_BYTES_SHOWN];
	if (!deployments_of_version(tracker, model, version, TARGETS_NAMED_MAX + 1, call->arena,
				    &list, err))
		return false;
	if (list.count == 0)
		return true;
	struct slice where = places(&list, call->arena);
	error_quote(model, quoted, sizeof(quoted));
	if (version == 0)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "Model '%s' runs at %.*s; force=true deletes it anyway.", quoted,
				 SLICE_FMT(where));
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "Version %" PRId64 " of model '%s' runs at %.*s; force=true deletes it "
			 "anyway.",
			 version, quoted, SLICE_FMT(where));
}
