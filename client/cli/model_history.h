/* "trk models show --at": beside what "models show" does without a time. */
#ifndef CLI_MODEL_HISTORY_H
#define CLI_MODEL_HISTORY_H

#include "cli/cli.h"

MUST_CHECK bool model_history_show_at(struct cli *cli, struct error *err);

#endif
