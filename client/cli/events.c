/* Owns "trk events": what happens on the server, as it happens. */
#include <poll.h>
#include <stdio.h>

#include "cli/event_text.h"
#include "cli/handlers.h"

enum { LINE_BYTES_MAX = 32 * 1024 * 1024, ID_BYTES = 96, PAUSE_MS = 1000 };

/* One stream after the other: what a lost connection missed, the next one brings. */
struct follower {
	struct cli *cli;
	struct buffer line;
	char id[ID_BYTES]; /* of the last event, or what the server greeted with; "" at first */
	char event[32];
	int64_t count, count_max; /* printed; 0: no end */
};

static bool begin(void *context, int64_t from, struct error *err)
{
	(void)context;
	(void)from;
	(void)err;
	return true;
}

static bool print_event(struct follower *f, struct slice data, struct error *err)
{
	if (f->cli->json) {
		struct json_writer *w = cli_begin_json(f->cli);
		json_object_begin(w);
		json_put_cstr(w, "id", f->id);
		json_put_cstr(w, "event", f->event);
		json_key(w, "data");
		json_raw(w, data);
		json_object_end(w);
		if (!cli_print_json(f->cli, err))
			return false;
	} else {
		struct arena_mark mark = arena_mark(f->cli->arena);
		struct json_value *tree;
		if (!json_tree_parse(data, f->cli->arena, &tree, err))
			return false;
		struct slice text = event_text_live(f->cli->arena, slice_from_cstr(f->event), tree);
		cli_print_line(f->cli, arena_printf(f->cli->arena, "%-10s  %.*s", f->event,
						    SLICE_FMT(text)));
		arena_rewind(f->cli->arena, mark);
	}
	(void)fflush(stdout); /* whoever reads along sees it now; main says when it failed */
	f->count++;
	return true;
}

static bool take_line(struct follower *f, struct slice line, struct error *err)
{
	struct slice name, value = line;
	if (!slice_next(&value, ':', &name) || !slice_is_present(value))
		return true;
	if (value.len > 0 && value.ptr[0] == ' ')
		value = slice_from(value, 1);
	if (slice_eq(name, SLICE("id")) && value.len < sizeof(f->id))
		(void)snprintf(f->id, sizeof(f->id), "%.*s", SLICE_FMT(value));
	else if (slice_eq(name, SLICE("event")))
		(void)snprintf(f->event, sizeof(f->event), "%.*s", SLICE_FMT(value));
	else if (slice_eq(name, SLICE("data")))
		return print_event(f, value, err);
	return true;
}

static bool take_bytes(void *context, struct slice bytes, struct error *err)
{
	struct follower *f = context;
	for (size_t end; (end = slice_find_byte(bytes, '\n', 0)) < bytes.len;) {
		buffer_append(&f->line, slice_first(bytes, end));
		bytes = slice_from(bytes, end + 1);
		if (!buffer_check(&f->line, "An event", err) ||
		    !take_line(f, buffer_slice(&f->line), err))
			return false;
		buffer_reset(&f->line);
		if (f->count_max > 0 && f->count >= f->count_max)
			return error_set(err, ERR_CANCELLED, "as many events as were wanted");
	}
	buffer_append(&f->line, bytes);
	return buffer_check(&f->line, "An event", err);
}

static bool follow_once(struct follower *f, const char *topics, struct error *err)
{
	struct api *api;
	struct arena_mark mark = arena_mark(f->cli->arena);
	const struct fetch_range range = {
		.path = arena_printf(f->cli->arena,
				     "/api/trackerd/v1/events?topics=%s&last_event_id=%s", topics,
				     f->id),
		.begin = begin,
		.bytes = take_bytes,
		.context = f,
	};
	buffer_reset(&f->line);
	bool ok = cli_api(f->cli, &api, err) && api_download(api, &range, err);
	arena_rewind(f->cli->arena, mark);
	return ok;
}

/* The words of the command line as one list, encoded; all of models and deployments without any. */
static const char *topics_of(struct cli *cli)
{
	struct slice list = SLICE("");
	for (size_t i = 0; i < cli->arguments.word_count; i++)
		list = arena_printf(cli->arena, "%.*s%s%s", SLICE_FMT(list), i > 0 ? "," : "",
				    cli->arguments.words[i]);
	return cli_encode(cli, list.len > 0 ? list : SLICE("model:*,deployment:*"));
}

/* Is it worth to come again? */
static bool is_passing(const struct error *err)
{
	return err->code == ERR_TEMPORARILY_UNAVAILABLE || err->code == ERR_REQUEST_TIMEOUT;
}

bool events(struct cli *cli, struct error *err)
{
	struct follower f = {.cli = cli};
	bool was_away = false;
	const char *topics = topics_of(cli);
	if (!cli_number(cli, "max", 1, 0, &f.count_max, err))
		return false;
	buffer_init(&f.line, LINE_BYTES_MAX);
	bool goes_on = true;
	while (goes_on) {
		bool has_ended = follow_once(&f, topics, err); /* by a server that stops */
		bool has_all = f.count_max > 0 && f.count >= f.count_max;
		if (has_all || cli_is_interrupted())
			break;
		goes_on = has_ended || (f.id[0] != '\0' && is_passing(err));
		if (goes_on && !was_away)
			cli_say(cli, "the server is away; going on when it is back");
		was_away = goes_on;
		if (goes_on)
			(void)poll(NULL, 0, PAUSE_MS); /* a signal ends it early */
	}
	buffer_deinit(&f.line);
	if (cli_is_interrupted())
		return cli_fail_interrupted(err);
	return goes_on;
}
