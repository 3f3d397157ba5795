/* Owns the table of options and reads it from flags, environment and file. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/slice.h"
#include "limits.h"

enum option_type { OPTION_TEXT, OPTION_COUNT, OPTION_FLAG };

struct option {
	const char *name;
	enum option_type type;
	size_t offset;
	size_t bytes;	  /* of a text */
	int64_t min, max; /* of a count */
	const char *default_text;
	const char *placeholder;
	const char *help;
};

#define TEXT(field)                                                                                \
	OPTION_TEXT, offsetof(struct config, field), sizeof(((struct config *)0)->field), 0, 0
#define COUNT(field, min, max) OPTION_COUNT, offsetof(struct config, field), 0, min, max
#define FLAG(field)	       OPTION_FLAG, offsetof(struct config, field), 0, 0, 0

enum { HOUR_MS = 60 * 60 * 1000, DAY_MS = 24 * HOUR_MS };

// clang-format off
static const struct option options[] = {
	{"data", TEXT(data), "./trackerd-data", "DIR", "folder of the databases; made if missing"},
	{"listen", TEXT(listen), "127.0.0.1:5000", "HOST:PORT", "address to listen on; port 0 lets the kernel choose"},
	{"allow-remote-without-authentication", FLAG(allow_remote), "false", NULL,
	 "listen beyond loopback: everybody who reaches the port may read and change everything"},
	{"allowed-hosts", TEXT(allowed_hosts), "", "NAMES", "host names browsers may use, comma-separated; * for any"},
	{"allowed-origins", TEXT(allowed_origins), "", "ORIGINS", "web pages elsewhere that may call the API, such as https://page.example; comma-separated"},
	{"artifact-root", TEXT(artifact_root), "mlflow-artifacts:/", "URI", "where artifacts of new experiments go"},
	{"public-url", TEXT(public_url), "", "URL", "where clients reach the server, if a proxy does not pass on the Host header; such as https://track.example/mlflow"},
	{"model-source-regex", TEXT(model_source_regex), "", "REGEX", "what sources of model versions must match somewhere: a POSIX extended regular expression"},
	{"upload-expiry-ms", COUNT(upload_expiry_ms, 1000, 365 * (int64_t)DAY_MS), "86400000", "MS", "when an upload in parts that nobody goes on with is given up"},
	{"workers", COUNT(workers, 0, 64), "0", "N", "threads that read; 0: one for each core"},
	{"connections-max", COUNT(connections_max, 1, 1000000), "4096", "N", "connections served at once; three quarters of them may follow live events or wait for an alias"},
	{"query-timeout-ms", COUNT(query_timeout_ms, 1, DAY_MS), "30000", "MS", "longest time a query may take"},
	{"head-timeout-ms", COUNT(head_timeout_ms, 1, DAY_MS), "10000", "MS", "longest time for a request's head"},
	{"body-timeout-ms", COUNT(body_timeout_ms, 1, DAY_MS), "60000", "MS", "longest silence inside a body, either way"},
	{"idle-timeout-ms", COUNT(idle_timeout_ms, 1, DAY_MS), "120000", "MS", "longest wait for a next request"},
	{"drain-timeout-ms", COUNT(drain_timeout_ms, 0, DAY_MS), "10000", "MS", "time for open requests when stopping"},
	{"mlflow-ui", TEXT(mlflow_ui), "", "DIR", "folder of an installed mlflow package, whose web page is served at /mlflow/"},
	{"webhook-allowed-schemes", TEXT(webhook_allowed_schemes), "https", "SCHEMES", "schemes of webhooks' URLs: https, or http,https"},
	{"webhook-ca-file", TEXT(webhook_ca_file), "", "FILE", "certificates to trust for https webhooks instead of the system's (PEM)"},
	{"webhook-allow-private-addresses", FLAG(webhook_allow_private_addresses), "false", NULL,
	 "let webhooks reach loopback and private networks too"},
	{"webhook-timeout-ms", COUNT(webhook_timeout_ms, 1, HOUR_MS), "30000", "MS", "longest time for a webhook's receiver to answer"},
	{"mlflow-version", TEXT(mlflow_version), "3.3.2", "VERSION", "what /version tells MLflow clients"},
	{"log-level", TEXT(log_level), "info", "LEVEL", "debug, info, warn or error"},
};
// clang-format on

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

/* ---- help --------------------------------------------------------------------------------------- */

/* Prints words from `text` at HELP_COLUMN, broken so that no line passes HELP_WIDTH. */
static void print_wrapped(const char *text)
{
	int position = HELP_COLUMN;
	while (*text != '\0') {
		int word = (int)strcspn(text, " ");
		if (position > HELP_COLUMN && position + 1 + word > HELP_WIDTH) {
			printf("\n%*s", HELP_COLUMN, "");
			position = HELP_COLUMN;
		}
		bool is_first = position == HELP_COLUMN;
		position += printf("%s%.*s", is_first ? "" : " ", word, text);
		text += word + (text[word] == ' ' ? 1 : 0);
	}
	printf("\n");
}

static void print_option(const struct option *option)
{
	int column = printf("  --%s%s%s", option->name, option->placeholder != NULL ? " " : "",
			    option->placeholder != NULL ? option->placeholder : "");
	if (column >= HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	else
		printf("%*s", HELP_COLUMN - column, "");
	char text[512];
	bool has_default = option->type != OPTION_FLAG && option->default_text[0] != '\0';
	(void)snprintf(text, sizeof(text), "%s%s%s%s", option->help,
		       has_default ? " (default " : "", has_default ? option->default_text : "",
		       has_default ? ")" : "");
	print_wrapped(text);
}

void config_print_help(void)
{
	printf("Usage: trackerd [OPTIONS]\n\n"
	       "Experiment tracker and model registry that speaks the MLflow REST API.\n\n");
	for (size_t i = 0; i < ARRAY_COUNT(options); i++)
		print_option(&options[i]);
	printf("  --config FILE               read options from FILE: lines \"name = value\"\n"
	       "  --version                   print the version\n"
	       "  --help                      print this help\n\n"
	       "Each option can also be set in the environment: --query-timeout-ms as\n"
	       "TRACKERD_QUERY_TIMEOUT_MS. A flag wins over the environment, and that over the\n"
	       "file. SIGTERM or Ctrl-C finishes the open requests and stops.\n");
}

/* ---- values ------------------------------------------------------------------------------------- */

static const struct option *find_option(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		if (slice_eq_cstr(name, options[i].name))
			return &options[i];
	}
	return NULL;
}

/* `where` names the source in messages: "--workers", "TRACKERD_WORKERS", "file.conf:3". */
static bool set_value(struct config *config, const struct option *option, struct slice value,
		      const char *where, struct error *err)
{
	char *target = (char *)config + option->offset;
	char quoted[200];
	switch (option->type) {
	case OPTION_TEXT:
		if (value.len >= option->bytes)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "%s: the value is longer than %zu bytes", where,
					 option->bytes - 1);
		memcpy(target, value.ptr, value.len);
		target[value.len] = '\0';
		return true;
	case OPTION_COUNT: {
		int64_t number;
		if (!slice_parse_i64(value, &number) || number < option->min ||
		    number > option->max)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "%s: \"%s\" is not a whole number from %lld to %lld",
					 where, error_quote(value, quoted, sizeof(quoted)),
					 (long long)option->min, (long long)option->max);
		memcpy(target, &number, sizeof(number));
		return true;
	}
	case OPTION_FLAG: {
		bool is_true = slice_eq(value, SLICE("true"));
		if (!is_true && !slice_eq(value, SLICE("false")))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "%s: \"%s\" is neither true nor false", where,
					 error_quote(value, quoted, sizeof(quoted)));
		memcpy(target, &is_true, sizeof(is_true));
		return true;
	}
	}
	UNREACHABLE("unknown option type");
}

/* ---- sources ------------------------------------------------------------------------------------ */

static bool load_defaults(struct config *config, struct error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		if (!set_value(config, &options[i], slice_from_cstr(options[i].default_text),
			       options[i].name, err))
			return false;
	}
	return true;
}

static bool load_line(struct config *config, struct slice line, const char *where,
		      struct error *err)
{
	struct slice value = slice_first(line, slice_find_byte(line, '#', 0));
	struct slice name;
	char quoted[200];
	if (slice_trim(value).len == 0)
		return true;
	(void)slice_next(&value, '=', &name); /* a line that is not empty has a head */
	const struct option *option = find_option(slice_trim(name));
	if (option == NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%s: there is no option \"%s\"",
				 where, error_quote(slice_trim(name), quoted, sizeof(quoted)));
	if (!slice_is_present(value))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%s: expected \"name = value\"",
				 where);
	return set_value(config, option, slice_trim(value), where, err);
}

static bool load_file(struct config *config, const char *path, struct error *err)
{
	char line[CONFIG_TEXT_BYTES_MAX + 256], where[512];
	FILE *file = fopen(path, "re");
	bool ok = file != NULL;
	if (!ok)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "cannot read the configuration file %s: %s", path,
				 strerrordesc_np(errno));
	for (unsigned number = 1; ok && fgets(line, sizeof(line), file) != NULL; number++) {
		(void)snprintf(where, sizeof(where), "%s:%u", path, number);
		ok = load_line(config, slice_from_cstr(line), where, err);
	}
	if (ok && ferror(file) != 0)
		ok = error_set(err, ERR_INVALID_PARAMETER_VALUE,
			       "cannot read the configuration file %s", path);
	(void)fclose(file); /* opened for reading */
	return ok;
}

/* "TRACKERD_QUERY_TIMEOUT_MS" of "query-timeout-ms". */
static void environment_name(const char *option_name, char name[96])
{
	(void)snprintf(name, 96, "TRACKERD_%s", option_name);
	for (char *c = name; *c != '\0'; c++) {
		if (*c == '-')
			*c = '_';
		else if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
}

static const char *environment_value(char **environment, const char *name)
{
	size_t len = strlen(name);
	for (char **entry = environment; entry != NULL && *entry != NULL; entry++) {
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	}
	return NULL;
}

static bool load_environment(struct config *config, char **environment, struct error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		char name[96];
		environment_name(options[i].name, name);
		const char *value = environment_value(environment, name);
		if (value != NULL &&
		    !set_value(config, &options[i], slice_from_cstr(value), name, err))
			return false;
	}
	return true;
}

/* One flag at argv[*index], "--name value", "--name=value" or "--flag"; moves *index behind it. */
static bool load_flag(struct config *config, char **argv, int *index, struct slice *config_file,
		      struct error *err)
{
	struct slice rest = slice_from_cstr(argv[*index]), name;
	char quoted[200];
	if (!slice_starts_with(rest, SLICE("--")))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "unexpected argument \"%s\"; see trackerd --help",
				 error_quote(rest, quoted, sizeof(quoted)));
	rest = slice_from(rest, 2);
	(void)slice_next(&rest, '=', &name); /* present: the argument starts with "--" */
	bool is_config = slice_eq(name, SLICE("config"));
	const struct option *option = find_option(name);
	if (option == NULL && !is_config)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "there is no option --%s; see trackerd --help",
				 error_quote(name, quoted, sizeof(quoted)));
	if (!slice_is_present(rest) && option != NULL && option->type == OPTION_FLAG)
		rest = SLICE("true");
	if (!slice_is_present(rest) && argv[*index + 1] != NULL)
		rest = slice_from_cstr(argv[++*index]);
	if (!slice_is_present(rest))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s needs a value",
				 is_config ? "config" : option->name);
	++*index;
	if (is_config) {
		*config_file = rest;
		return true;
	}
	char where[96];
	(void)snprintf(where, sizeof(where), "--%s", option->name);
	return config == NULL || set_value(config, option, rest, where, err);
}

/* With config NULL only finds --config, and checks that all flags are known. */
static bool load_flags(struct config *config, char **argv, struct slice *config_file,
		       struct error *err)
{
	for (int index = 1; argv[index] != NULL;) {
		if (!load_flag(config, argv, &index, config_file, err))
			return false;
	}
	return true;
}

/* ---- what follows from the values --------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* "127.0.0.1:5000", "[::1]:5000", "localhost:5000". */
static bool take_listen_apart(struct config *config, struct error *err)
{
	const char *colon = strrchr(config->listen, ':');
	int64_t port = -1;
	if (colon == NULL || !slice_parse_i64(slice_from_cstr(colon + 1), &port) || port < 0 ||
	    port > 65535)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "--listen: \"%s\" is not HOST:PORT, such as 127.0.0.1:5000",
				 config->listen);
	struct slice host = slice_make(config->listen, (size_t)(colon - config->listen));
	if (slice_starts_with(host, SLICE("[")) && slice_ends_with(host, SLICE("]")))
		host = slice_make(host.ptr + 1, host.len - 2);
	memcpy(config->host, host.ptr, host.len);
	config->host[host.len] = '\0';
	config->port = (unsigned)port;
	if (is_loopback(config->host) || config->allow_remote)
		return true;
	return error_set(err, ERR_PERMISSION_DENIED,
			 "%s is reachable from other machines, and trackerd has no authentication "
			 "yet: everybody who "
			 "reaches the port could read and change everything. Listen on 127.0.0.1 "
			 "behind a proxy, or "
			 "say --allow-remote-without-authentication.",
			 config->host);
}

static bool check_schemes(const char *schemes, struct error *err)
{
	struct slice rest = slice_from_cstr(schemes), scheme;
	char quoted[64];
	while (slice_next(&rest, ',', &scheme)) {
		if (!slice_eq(scheme, SLICE("https")) && !slice_eq(scheme, SLICE("http")))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "--webhook-allowed-schemes: \"%s\" is neither http nor "
					 "https; name several as http,https",
					 error_quote(scheme, quoted, sizeof(quoted)));
	}
	return true;
}

static bool check_public_url(struct config *config, struct error *err)
{
	struct slice url = slice_from_cstr(config->public_url);
	while (slice_ends_with(url, SLICE("/")))
		url.len--;
	config->public_url[url.len] = '\0';
	if (url.len == 0 || slice_starts_with(url, SLICE("http://")) ||
	    slice_starts_with(url, SLICE("https://")))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "--public-url: \"%s\" does not begin with http:// or https://",
			 config->public_url);
}

static bool check_ca_file(const char *file, struct error *err)
{
	if (file[0] == '\0' || access(file, R_OK) == 0)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--webhook-ca-file: cannot read %s: %s",
			 file, strerror(errno));
}

static bool derive(struct config *config, struct error *err)
{
	char quoted[64];
	if (!log_level_parse(slice_from_cstr(config->log_level), &config->level))
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"--log-level: \"%s\" is not debug, info, warn or error",
			error_quote(slice_from_cstr(config->log_level), quoted, sizeof(quoted)));
	if (config->workers == 0) {
		long cores = sysconf(_SC_NPROCESSORS_ONLN);
		config->workers = cores < 1 ? 1 : cores > 64 ? 64 : cores;
	}
	return check_public_url(config, err) &&
	       check_schemes(config->webhook_allowed_schemes, err) &&
	       check_ca_file(config->webhook_ca_file, err) && take_listen_apart(config, err);
}

bool config_load(int argc, char **argv, char **environment, struct config *config,
		 enum config_action *action, struct error *err)
{
	struct slice config_file = slice_make(NULL, 0);
	*action = CONFIG_RUN;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			*action = CONFIG_SHOW_HELP;
		else if (strcmp(argv[i], "--version") == 0)
			*action = CONFIG_SHOW_VERSION;
		if (*action != CONFIG_RUN)
			return true;
	}
	const char *from_environment = environment_value(environment, "TRACKERD_CONFIG");
	if (from_environment != NULL)
		config_file = slice_from_cstr(from_environment);
	memset(config, 0, sizeof(*config));
	return load_flags(NULL, argv, &config_file, err) && load_defaults(config, err) &&
	       (!slice_is_present(config_file) || load_file(config, config_file.ptr, err)) &&
	       load_environment(config, environment, err) &&
	       load_flags(config, argv, &config_file, err) && derive(config, err);
}
