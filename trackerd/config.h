/* The daemon's options: one table for flags, environment, file and help.
 *
 * Precedence: flag > environment (TRACKERD_ and the name in capitals) > file (--config; lines "name = value", '#'
 * starts a comment) > default. An unknown name or a bad value is an error that says where it stood. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

enum { CONFIG_TEXT_BYTES_MAX = 4096 };

struct config {
	char data[CONFIG_TEXT_BYTES_MAX];
	char listen[256];
	char allowed_hosts[CONFIG_TEXT_BYTES_MAX];
	char allowed_origins[CONFIG_TEXT_BYTES_MAX];
	char artifact_root[CONFIG_TEXT_BYTES_MAX];
	char mlflow_ui[CONFIG_TEXT_BYTES_MAX];
	char public_url[CONFIG_TEXT_BYTES_MAX]; /* without a slash at the end */
	char mlflow_version[64];
	char log_level[16];
	char model_source_regex[CONFIG_TEXT_BYTES_MAX];
	char webhook_allowed_schemes[32];
	char webhook_ca_file[CONFIG_TEXT_BYTES_MAX];
	bool webhook_allow_private_addresses;
	bool allow_remote; /* listen beyond loopback although there is no authentication */
	int64_t workers;
	int64_t connections_max;
	int64_t query_timeout_ms;
	int64_t head_timeout_ms;
	int64_t body_timeout_ms;
	int64_t idle_timeout_ms;
	int64_t drain_timeout_ms;
	int64_t webhook_timeout_ms;
	int64_t upload_expiry_ms;

	/* Taken apart from the texts above by config_load. */
	char host[256];
	unsigned port;
	enum log_level level;
};

enum config_action { CONFIG_RUN, CONFIG_SHOW_HELP, CONFIG_SHOW_VERSION };

/* Fills *config from all sources. Fails with a sentence for the person at the terminal. */
MUST_CHECK bool config_load(int argc, char **argv, char **environment, struct config *config,
			    enum config_action *action, struct error *err);
/* Prints the help made from the table to standard output. */
void config_print_help(void);

#endif
