/* Owns the shape of live events about runs and experiments. */
#include "api/live_json.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_writer.h"

static const struct {
	enum live_what what;
	const char *name;
} whats[] = {
	{LIVE_CREATED, "created"},   {LIVE_DELETED, "deleted"},
	{LIVE_RESTORED, "restored"}, {LIVE_STATUS, "status"},
	{LIVE_NAME, "name"},	     {LIVE_METRICS, "metrics"},
	{LIVE_PARAMS, "params"},     {LIVE_TAGS, "tags"},
	{LIVE_INPUTS, "inputs"},     {LIVE_ARTIFACTS, "artifacts"},
	{LIVE_TRACES, "traces"},     {LIVE_LOGGED_MODELS, "logged_models"},
};

void live_json_change(struct buffer *out, const struct live_change *change)
{
	struct json_writer w;
	char experiment_id[24];
	json_writer_init(&w, out);
	json_object_begin(&w);
	if (change->subject == LIVE_RUN)
		json_put_string(&w, "run_id", live_change_run_id(change));
	/* Fits: 20 characters. */
	(void)snprintf(experiment_id, sizeof(experiment_id), "%" PRId64, change->experiment_id);
	json_put_cstr(&w, "experiment_id", experiment_id);
	json_key(&w, "what");
	json_array_begin(&w);
	for (size_t i = 0; i < ARRAY_COUNT(whats); i++) {
		if ((change->what & (unsigned)whats[i].what) != 0)
			json_string(&w, slice_from_cstr(whats[i].name));
	}
	json_array_end(&w);
	if (change->status[0] != '\0')
		json_put_cstr(&w, "status", change->status);
	json_object_end(&w);
}
