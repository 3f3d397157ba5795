/* What "trk models show" prints of a moment, and what it shares with that of now. */
#ifndef CLI_MODEL_HISTORY_H
#define CLI_MODEL_HISTORY_H

#include "cli/cli.h"

MUST_CHECK bool model_history_show_at(struct cli *cli, struct error *err);
/* A stage for people: empty for "None", so that a table without any has no such column. Borrows. */
struct slice model_stage_shown(struct slice stage);

#endif
