/* What a run is started with, after options, environment and defaults were put together. */
#ifndef CLIENT_SETTINGS_H
#define CLIENT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/random_id.h"
#include "trk.h"

enum { SETTINGS_PATH_BYTES = 4096 };

/* Texts borrow from the options and the environment; use them before trk_run_start returns. */
struct settings {
	const char *url;
	const char *experiment;
	const char *run_name_or_null;
	char run_id[RANDOM_ID_HEX_LEN + 1];
	bool is_continued;
	const char *parent_run_id_or_null;
	const struct trk_pair *tags;
	size_t tags_count;
	const char *source_name_or_null;
	char spool_directory[SETTINGS_PATH_BYTES]; /* of all runs */
	uint64_t spool_bytes_max;
	bool is_online;
	bool without_command;
	trk_log_fn log_or_null;
	void *log_context;
	int64_t connect_timeout_ms;
	int64_t request_timeout_ms;
};

/* INVALID_PARAMETER_VALUE with a sentence that names the option. */
MUST_CHECK bool settings_resolve(const struct trk_run_options *options_or_null,
				 struct settings *out, struct error *err);
/* The caller's struct of `size` bytes in ours of `own_bytes`: a shorter one is filled up with
 * zeros, a longer one must have zeros in what we do not know. */
MUST_CHECK bool settings_copy_struct(void *own, size_t own_bytes, const void *given, size_t size,
				     struct error *err);
/* $TRK_SPOOL_DIR, else below $XDG_STATE_HOME or the home directory. */
MUST_CHECK bool settings_default_spool(char path[SETTINGS_PATH_BYTES], struct error *err);
/* $TRK_URL, $MLFLOW_TRACKING_URI, or the local daemon. */
const char *settings_default_url(void);
bool settings_is_run_id(const char *text);

enum { SETTINGS_CONNECT_TIMEOUT_MS = 5000, SETTINGS_REQUEST_TIMEOUT_MS = 60000 };

#endif
