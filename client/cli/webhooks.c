/* Owns "trk webhooks": who hears of changes in the registry, and the log of what was delivered. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/table.h"

enum { SECRET_BYTES_MAX = 1024, PAGE_ROWS_MAX = 1000, LOG_ROWS_DEFAULT = 20, EVENT_BYTES_MAX = 64 };

#define WEBHOOKS "/api/2.0/mlflow/webhooks"

/* ---- finding --------------------------------------------------------------------------------- */

/* All of them: the server has no more than a page. */
static bool fetch_webhooks(struct cli *cli, const struct json_value **webhooks, struct error *err)
{
	struct json_value *reply;
	if (!cli_get(cli, &reply, err, WEBHOOKS "?max_results=%d", PAGE_ROWS_MAX))
		return false;
	*webhooks = json_tree_get(reply, "webhooks");
	return true;
}

/* By id, by the beginning of one, or by a name that only one has. */
static bool find_webhook(struct cli *cli, const char *word, const struct json_value **out,
			 struct error *err)
{
	enum { PREFIX_MIN = 6 };
	struct slice wanted = slice_from_cstr(word);
	const struct json_value *webhooks, *w;
	unsigned fitting = 0;
	if (!fetch_webhooks(cli, &webhooks, err))
		return false;
	for (w = json_items(webhooks); w != NULL; w = w->next_sibling_or_null) {
		struct slice id = json_text(w, "webhook_id");
		bool fits = (wanted.len >= PREFIX_MIN && slice_starts_with(id, wanted)) ||
			    slice_eq(json_text(w, "name"), wanted);
		if (!fits)
			continue;
		fitting++;
		*out = w;
	}
	if (fitting == 1)
		return true;
	if (fitting > 1)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "\"%s\" fits %u webhooks; name it by its id, which \"trk webhooks "
				 "list\" shows",
				 word, fitting);
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "there is no webhook \"%s\"", word);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* "model_version.created" of an object with entity and action. */
static struct slice event_text(struct cli *cli, const struct json_value *event)
{
	struct slice text =
		arena_printf(cli->arena, "%.*s.%.*s", SLICE_FMT(json_text(event, "entity")),
			     SLICE_FMT(json_text(event, "action")));
	char *lower = arena_cstr(cli->arena, text);
	for (size_t i = 0; i < text.len; i++) {
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	}
	return slice_make(lower, text.len);
}

static struct slice event_list(struct cli *cli, const struct json_value *webhook)
{
	struct slice text = SLICE("");
	const struct json_value *event = json_items(json_tree_get(webhook, "events"));
	for (; event != NULL; event = event->next_sibling_or_null)
		text = arena_printf(cli->arena, "%.*s%s%.*s", SLICE_FMT(text),
				    text.len > 0 ? ", " : "", SLICE_FMT(event_text(cli, event)));
	return text;
}

/* {"entity": …, "action": …} of "model_version.created". Which there are is the server's business. */
static bool write_event(struct cli *cli, const char *event, struct error *err)
{
	char upper[EVENT_BYTES_MAX];
	size_t len = strlen(event);
	const char *dot = strchr(event, '.');
	if (dot == NULL || len >= sizeof(upper))
		return cli_fail_usage(cli, err, "\"%s\" is no event, such as model_version.created",
				      event);
	for (size_t i = 0; i < len; i++)
		upper[i] = (char)(event[i] >= 'a' && event[i] <= 'z' ? event[i] - 'a' + 'A'
								     : event[i]);
	size_t entity_len = (size_t)(dot - event);
	json_object_begin(&cli->w);
	json_put_string(&cli->w, "entity", slice_make(upper, entity_len));
	json_put_string(&cli->w, "action",
			slice_make(upper + entity_len + 1, len - entity_len - 1));
	json_object_end(&cli->w);
	return true;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void webhook_json(struct cli *cli, const struct json_value *webhook)
{
	struct json_writer *w = &cli->w;
	json_object_begin(w);
	json_put_string(w, "webhook_id", json_text(webhook, "webhook_id"));
	json_put_string(w, "name", json_text(webhook, "name"));
	json_put_string(w, "url", json_text(webhook, "url"));
	json_put_string(w, "status", json_text(webhook, "status"));
	json_put_string(w, "description", json_text(webhook, "description"));
	json_key(w, "events");
	json_array_begin(w);
	const struct json_value *event = json_items(json_tree_get(webhook, "events"));
	for (; event != NULL; event = event->next_sibling_or_null)
		json_string(w, event_text(cli, event));
	json_array_end(w);
	json_object_end(w);
}

bool webhooks_list(struct cli *cli, struct error *err)
{
	const struct json_value *webhooks;
	struct table table;
	if (!fetch_webhooks(cli, &webhooks, err))
		return false;
	const struct json_value *first = json_items(webhooks);
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_key(w, "webhooks");
		json_array_begin(w);
		for (const struct json_value *v = first; v != NULL; v = v->next_sibling_or_null)
			webhook_json(cli, v);
		json_array_end(w);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	table_init(&table, cli->arena);
	table_column(&table, SLICE("ID"), TABLE_ID);
	table_column(&table, SLICE("NAME"), TABLE_WHOLE);
	table_column(&table, SLICE("STATUS"), TABLE_WHOLE);
	table_column(&table, SLICE("URL"), 0);
	table_column(&table, SLICE("EVENTS"), TABLE_OPTIONAL);
	for (const struct json_value *v = first; v != NULL; v = v->next_sibling_or_null) {
		if (cli->quiet) {
			cli_print_line(cli, json_text(v, "webhook_id"));
			continue;
		}
		table_styled_cell(&table, json_text(v, "webhook_id"), STYLE_CYAN);
		table_styled_cell(&table, json_text(v, "name"), STYLE_BOLD);
		table_cell(&table, json_text(v, "status"));
		table_cell(&table, json_text(v, "url"));
		table_cell(&table, event_list(cli, v));
	}
	if (first == NULL)
		cli_say(cli, "No webhooks.");
	(void)table_print(&table, stdout, 0); /* --json has all */
	return true;
}

/* ---- create, delete -------------------------------------------------------------------------- */

/* The first line of the file that --secret-file names; absent without the option. An argument would
 * be seen by everybody on the machine. */
static bool read_secret(struct cli *cli, struct slice *secret, struct error *err)
{
	const char *path = cli_option(cli, "secret-file", NULL);
	char line[SECRET_BYTES_MAX + 2];
	if (path == NULL)
		return true;
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	if (file == NULL)
		return cli_fail_file(err, "read", path);
	size_t len = fread(line, 1, sizeof(line), file);
	if (!is_stdin)
		(void)fclose(file); /* opened for reading */
	struct slice text = slice_make(line, len);
	text = slice_first(text, slice_find_byte(text, '\n', 0));
	if (text.len == 0 || text.len > SECRET_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "%s: the first line is to be the secret, of 1 to %d bytes", path,
				 SECRET_BYTES_MAX);
	*secret = arena_copy(cli->arena, text);
	return true;
}

static bool write_events(struct cli *cli, struct error *err)
{
	const char *event;
	size_t index = 0, count = 0;
	json_key(&cli->w, "events");
	json_array_begin(&cli->w);
	while ((event = arguments_next(&cli->arguments, "event", &index)) != NULL) {
		if (!write_event(cli, event, err))
			return false;
		count++;
	}
	json_array_end(&cli->w);
	return count > 0 ||
	       cli_fail_usage(cli, err, "--event says what is told, such as model_version.created");
}

bool webhooks_create(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct slice secret = {0};
	if (!read_secret(cli, &secret, err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", cli_word(cli, 0));
	json_put_cstr(w, "url", cli_word(cli, 1));
	json_put_cstr(w, "description", cli_option(cli, "description", NULL));
	json_put_string(w, "secret", secret);
	if (!write_events(cli, err))
		return false;
	json_object_end(w);
	if (!cli_send(cli, "POST", WEBHOOKS, &reply, err))
		return false;
	const struct json_value *webhook = json_tree_get(reply, "webhook");
	if (!cli->json) {
		cli_print_line(cli, json_text(webhook, "webhook_id"));
		return true;
	}
	(void)cli_begin_json(cli);
	webhook_json(cli, webhook);
	return cli_print_json(cli, err);
}

bool webhooks_delete(struct cli *cli, struct error *err)
{
	const struct json_value *webhook;
	struct json_value *reply;
	if (!find_webhook(cli, cli_word(cli, 0), &webhook, err))
		return false;
	struct slice id = json_text(webhook, "webhook_id"), name = json_text(webhook, "name");
	const char *question = arena_cstr(
		cli->arena,
		arena_printf(cli->arena, "Delete webhook \"%.*s\" with the log of its deliveries?",
			     SLICE_FMT(name)));
	if (!cli_confirm(cli, question, err))
		return false;
	(void)cli_begin_json(cli);
	json_object_begin(&cli->w);
	json_object_end(&cli->w);
	const char *path =
		arena_cstr(cli->arena, arena_printf(cli->arena, WEBHOOKS "/%.*s", SLICE_FMT(id)));
	if (!cli_send(cli, "DELETE", path, &reply, err))
		return false;
	cli_say(cli, "Deleted webhook \"%.*s\".", SLICE_FMT(name));
	if (!cli->json)
		return true;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "webhook_id", id);
	json_put_bool(w, "deleted", true);
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* ---- test ------------------------------------------------------------------------------------ */

static bool print_result(struct cli *cli, const struct json_value *result, struct error *err)
{
	int64_t status = json_tree_i64(json_tree_get(result, "response_status"), 0);
	bool success = json_tree_bool(json_tree_get(result, "success"), false);
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_put_bool(w, "success", success);
		if (status != 0) {
			json_put_int(w, "response_status", status);
			json_put_string(w, "response_body", json_text(result, "response_body"));
		}
		json_put_string(w, "error_message", json_text(result, "error_message"));
		json_object_end(w);
		if (!cli_print_json(cli, err))
			return false;
	} else if (success) {
		cli_say(cli, "It answered %lld.", (long long)status);
	}
	if (success)
		return true;
	if (status != 0)
		return error_set(err, ERR_INVALID_STATE, "the receiver answered %lld",
				 (long long)status);
	return error_set(err, ERR_INVALID_STATE, "%.*s",
			 SLICE_FMT(json_text(result, "error_message")));
}

bool webhooks_test(struct cli *cli, struct error *err)
{
	const struct json_value *webhook;
	const char *event = cli_option(cli, "event", NULL);
	struct json_value *reply;
	if (!find_webhook(cli, cli_word(cli, 0), &webhook, err))
		return false;
	(void)cli_begin_json(cli);
	json_object_begin(&cli->w);
	if (event != NULL) {
		json_key(&cli->w, "event");
		if (!write_event(cli, event, err))
			return false;
	}
	json_object_end(&cli->w);
	const char *path =
		arena_cstr(cli->arena, arena_printf(cli->arena, WEBHOOKS "/%.*s/test",
						    SLICE_FMT(json_text(webhook, "webhook_id"))));
	return cli_send(cli, "POST", path, &reply, err) &&
	       print_result(cli, json_tree_get(reply, "result"), err);
}

/* ---- log, replay ----------------------------------------------------------------------------- */

/* The last of the attempts, or NULL. */
static const struct json_value *last_attempt(const struct json_value *delivery)
{
	const struct json_value *last = NULL;
	const struct json_value *a = json_items(json_tree_get(delivery, "attempts"));
	for (; a != NULL; a = a->next_sibling_or_null)
		last = a;
	return last;
}

/* What the last attempt brought: "200", or why there was no answer. */
static struct slice outcome_text(struct cli *cli, const struct json_value *attempt_or_null)
{
	int64_t status = json_tree_i64(json_tree_get(attempt_or_null, "response_status"), 0);
	return status != 0 ? arena_printf(cli->arena, "%lld", (long long)status)
			   : json_text(attempt_or_null, "error_message");
}

static void delivery_json(struct cli *cli, const struct json_value *delivery)
{
	struct json_writer *w = &cli->w;
	const struct json_value *last = last_attempt(delivery);
	json_object_begin(w);
	json_put_string(w, "delivery_id", json_text(delivery, "delivery_id"));
	json_put_string(w, "event", event_text(cli, delivery));
	json_put_int(w, "event_timestamp",
		     json_tree_i64(json_tree_get(delivery, "event_timestamp"), 0));
	json_put_string(w, "state", json_text(delivery, "state"));
	json_put_int(w, "attempts", json_tree_i64(json_tree_get(last, "attempt"), 0));
	json_put_string(w, "outcome", outcome_text(cli, last));
	json_put_string(w, "response_body", json_text(last, "response_body"));
	json_object_end(w);
}

static enum terminal_style state_style(struct slice state)
{
	if (slice_eq(state, SLICE("DELIVERED")))
		return STYLE_GREEN;
	return slice_eq(state, SLICE("FAILED")) ? STYLE_RED : STYLE_YELLOW;
}

static void add_delivery_row(struct cli *cli, struct table *table, const struct json_value *d)
{
	const struct json_value *last = last_attempt(d);
	int64_t told_ms = json_tree_i64(json_tree_get(d, "event_timestamp"), 0);
	table_styled_cell(table, json_text(d, "delivery_id"), STYLE_CYAN);
	table_cell(table, event_text(cli, d));
	table_cell(table, format_age(cli->arena, told_ms, clock_wall_ms(clock_system())));
	table_styled_cell(table, json_text(d, "state"), state_style(json_text(d, "state")));
	table_cell(table,
		   arena_printf(cli->arena, "%lld",
				(long long)json_tree_i64(json_tree_get(last, "attempt"), 0)));
	table_cell(table, outcome_text(cli, last));
}

static bool fetch_log(struct cli *cli, const struct json_value *webhook, int64_t rows,
		      const struct json_value **first, struct error *err)
{
	struct json_value *reply;
	if (!cli_get(cli, &reply, err, "/api/trackerd/v1/webhooks/%s/deliveries?max_results=%lld",
		     cli_encode(cli, json_text(webhook, "webhook_id")), (long long)rows))
		return false;
	*first = json_items(json_tree_get(reply, "deliveries"));
	return true;
}

bool webhooks_log(struct cli *cli, struct error *err)
{
	const struct json_value *webhook, *first;
	struct table table;
	int64_t rows;
	if (!cli_number(cli, "max", 1, LOG_ROWS_DEFAULT, &rows, err) ||
	    !find_webhook(cli, cli_word(cli, 0), &webhook, err) ||
	    !fetch_log(cli, webhook, rows, &first, err))
		return false;
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_key(w, "deliveries");
		json_array_begin(w);
		for (const struct json_value *d = first; d != NULL; d = d->next_sibling_or_null)
			delivery_json(cli, d);
		json_array_end(w);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	table_init(&table, cli->arena);
	table_column(&table, SLICE("DELIVERY"), TABLE_ID);
	table_column(&table, SLICE("EVENT"), TABLE_WHOLE);
	table_column(&table, SLICE("TOLD"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("STATE"), TABLE_WHOLE);
	table_column(&table, SLICE("TRIES"), TABLE_RIGHT | TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("ANSWER"), TABLE_OPTIONAL);
	for (const struct json_value *d = first; d != NULL; d = d->next_sibling_or_null) {
		if (cli->quiet)
			cli_print_line(cli, json_text(d, "delivery_id"));
		else
			add_delivery_row(cli, &table, d);
	}
	if (first == NULL)
		cli_say(cli, "Nothing was delivered yet.");
	(void)table_print(&table, stdout, 0); /* --json has all */
	return true;
}

/* The whole id of a delivery of the log, out of its beginning. */
static bool find_delivery(struct cli *cli, const struct json_value *webhook, const char *word,
			  struct slice *id_out, struct error *err)
{
	enum { PREFIX_MIN = 6 };
	const struct json_value *d;
	struct slice wanted = slice_from_cstr(word);
	unsigned fitting = 0;
	if (!fetch_log(cli, webhook, PAGE_ROWS_MAX, &d, err))
		return false;
	for (; d != NULL; d = d->next_sibling_or_null) {
		struct slice id = json_text(d, "delivery_id");
		if (wanted.len < PREFIX_MIN || !slice_starts_with(id, wanted))
			continue;
		fitting++;
		*id_out = id;
	}
	return fitting == 1 ||
	       error_set(err, fitting == 0 ? ERR_RESOURCE_DOES_NOT_EXIST : ERR_RESOURCE_CONFLICT,
			 "\"%s\" fits %u deliveries", word, fitting);
}

bool webhooks_replay(struct cli *cli, struct error *err)
{
	const struct json_value *webhook;
	struct json_value *reply;
	struct slice id = SLICE("");
	if (!find_webhook(cli, cli_word(cli, 0), &webhook, err) ||
	    !find_delivery(cli, webhook, cli_word(cli, 1), &id, err))
		return false;
	(void)cli_begin_json(cli);
	json_object_begin(&cli->w);
	json_object_end(&cli->w);
	struct slice path =
		arena_printf(cli->arena, "/api/trackerd/v1/webhooks/%.*s/deliveries/%.*s/replay",
			     SLICE_FMT(json_text(webhook, "webhook_id")), SLICE_FMT(id));
	if (!cli_send(cli, "POST", arena_cstr(cli->arena, path), &reply, err))
		return false;
	cli_say(cli, "Queued; \"trk webhooks log\" tells how it goes.");
	if (!cli->json)
		return true;
	(void)cli_begin_json(cli);
	delivery_json(cli, json_tree_get(reply, "delivery"));
	return cli_print_json(cli, err);
}
