/* Owns "trk sync": delivering spools that programs left behind. */
#include <stdio.h>

#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/terminal.h"
#include "trk.h"

static bool on_progress(void *context, const struct trk_sync_progress *p)
{
	const struct cli *cli = context;
	if (terminal_is(stderr) && !cli->quiet && !cli->json)
		(void)fprintf(stderr, "\rrun %zu of %zu  %.8s  %llu of %llu records\033[K",
			      p->runs_done + 1, p->runs_total, p->run_id,
			      (unsigned long long)p->records_done,
			      (unsigned long long)p->records_total);
	return !cli_is_interrupted();
}

static void on_log(void *context, enum trk_log_level level, const char *sentence)
{
	const struct cli *cli = context;
	if (terminal_is(stderr))
		(void)fputs("\r\033[K", stderr);
	if (level != TRK_LOG_INFO)
		cli_say(cli, "%s", sentence);
}

static bool print_json(struct cli *cli, const struct trk_sync_result *r, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_int(w, "runs_total", (int64_t)r->runs_total);
	json_put_int(w, "runs_delivered", (int64_t)r->runs_delivered);
	json_put_int(w, "runs_busy", (int64_t)r->runs_busy);
	json_put_int(w, "runs_refused", (int64_t)r->runs_refused);
	json_put_int(w, "runs_closed", (int64_t)r->runs_closed);
	json_put_int(w, "records_delivered", (int64_t)r->records_delivered);
	json_put_int(w, "records_rejected", (int64_t)r->records_rejected);
	json_object_end(w);
	return cli_print_json(cli, err);
}

static void print_text(struct cli *cli, const struct trk_sync_result *r)
{
	if (r->runs_total == 0) {
		cli_say(cli, "Nothing waits to be delivered.");
		return;
	}
	(void)printf("%.*s delivered, %.*s\n",
		     SLICE_FMT(format_count(cli->arena, (int64_t)r->runs_delivered, "run")),
		     SLICE_FMT(format_count(cli->arena, (int64_t)r->records_delivered, "record")));
	if (r->runs_closed > 0)
		(void)printf("%.*s left open by a crash: closed as FAILED\n",
			     SLICE_FMT(format_count(cli->arena, (int64_t)r->runs_closed, "run")));
	if (r->runs_busy > 0)
		(void)printf("%.*s still going on: left alone\n",
			     SLICE_FMT(format_count(cli->arena, (int64_t)r->runs_busy, "run")));
	if (r->runs_refused > 0)
		(void)printf("%.*s refused by the server: kept\n",
			     SLICE_FMT(format_count(cli->arena, (int64_t)r->runs_refused, "run")));
	if (r->records_rejected > 0)
		(void)printf("%.*s refused by the server: set aside in \"rejected\"\n",
			     SLICE_FMT(format_count(cli->arena, (int64_t)r->records_rejected,
						    "record")));
}

static enum error_code code_of(enum trk_status status)
{
	switch (status) {
	case TRK_UNREACHABLE:
		return ERR_TEMPORARILY_UNAVAILABLE;
	case TRK_TIMEOUT: /* progress said to stop */
		return ERR_CANCELLED;
	case TRK_REJECTED:
		return ERR_INVALID_STATE;
	case TRK_OK:
	case TRK_INVALID_ARGUMENT:
	case TRK_NO_MEMORY:
	case TRK_DISK:
	case TRK_SPOOL_FULL:
	case TRK_FILE:
	case TRK_BUSY:
	case TRK_FORKED:
	case TRK_DAMAGED:
	case TRK_SYSTEM:
		break;
	}
	return ERR_INTERNAL_ERROR;
}

bool sync_spools(struct cli *cli, struct error *err)
{
	char sentence[ERROR_MESSAGE_BYTES_MAX] = "";
	struct trk_sync_result result = {.size = sizeof(result)};
	const struct trk_sync_options options = {
		.size = sizeof(options),
		.directory = cli_word(cli, 0),
		.url = cli->url_is_given ? cli->url : NULL, /* else each run's own */
		.progress = on_progress,
		.progress_context = cli,
		.log = on_log,
		.log_context = cli,
		.error_text = sentence,
		.error_text_bytes = sizeof(sentence),
	};
	enum trk_status status = trk_sync(&options, &result);
	if (terminal_is(stderr) && !cli->quiet && !cli->json)
		(void)fputs("\r\033[K", stderr);
	if (cli->json) {
		if (!print_json(cli, &result, err))
			return false;
	} else if (!cli->quiet) {
		print_text(cli, &result);
	}
	if (status == TRK_OK)
		return true;
	return error_set(err, code_of(status), "%s",
			 sentence[0] != '\0' ? sentence : trk_strerror(status));
}
