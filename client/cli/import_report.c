/* Owns what an import or an export tells: how much went over, and what did not, or not as it was. */
#include "cli/import_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/progress.h"

enum { REASON_BYTES_MAX = 512, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static const char *const marks[IMPORT_MARKS_COUNT] = {
	[IMPORT_CHANGED] = "changed",
	[IMPORT_UNSUPPORTED] = "left out",
	[IMPORT_FAILED] = "failed",
};

void import_report_init(struct import_report *report, struct cli *cli)
{
	*report = (struct import_report){.cli = cli};
	arena_init(&report->arena, ARENA_BYTES_MAX);
	report->items = ARENA_NEW(&report->arena, struct import_item, IMPORT_ITEMS_MAX);
}

void import_report_deinit(struct import_report *report)
{
	arena_deinit(&report->arena);
}

const char *import_mark_name(enum import_mark mark)
{
	return marks[mark];
}

void import_report_add(struct import_report *report, enum import_mark mark, const char *kind,
		       struct slice name, const char *reason, ...)
{
	char text[REASON_BYTES_MAX], quoted[REASON_BYTES_MAX];
	va_list arguments;
	va_start(arguments, reason);
	(void)vsnprintf(text, sizeof(text), reason, arguments);
	va_end(arguments);
	(void)error_quote(name, quoted, sizeof(quoted));
	if (report->progress_or_null != NULL)
		progress_clear(report->progress_or_null);
	cli_say(report->cli, "%s: %s %s: %s", marks[mark], kind, quoted, text);
	report->mark_counts[mark]++;
	if (report->item_count == IMPORT_ITEMS_MAX)
		return;
	report->items[report->item_count++] = (struct import_item){
		.mark = mark,
		.kind = arena_copy(&report->arena, slice_from_cstr(kind)),
		.name = arena_copy(&report->arena, slice_from_cstr(quoted)),
		.reason = arena_copy(&report->arena, slice_from_cstr(text)),
	};
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool print_json(struct import_report *r, struct error *err)
{
	const struct {
		const char *name;
		int64_t count;
	} counts[] = {
		{"experiments", r->counts.experiments},
		{"runs", r->counts.runs},
		{"runs_skipped", r->counts.runs_skipped},
		{"points", r->counts.points},
		{"logged_models", r->counts.logged_models},
		{"models", r->counts.models},
		{"versions", r->counts.versions},
		{"artifacts", r->counts.artifacts},
		{"artifact_bytes", r->counts.artifact_bytes},
		{"changed", r->mark_counts[IMPORT_CHANGED]},
		{"left_out", r->mark_counts[IMPORT_UNSUPPORTED]},
		{"failed", r->mark_counts[IMPORT_FAILED]},
	};
	struct json_writer *w = cli_begin_json(r->cli);
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(counts); i++)
		json_put_int(w, counts[i].name, counts[i].count);
	json_key(w, "items");
	json_array_begin(w);
	for (size_t i = 0; i < r->item_count; i++) {
		json_object_begin(w);
		json_put_cstr(w, "what", import_mark_name(r->items[i].mark));
		json_put_string(w, "kind", r->items[i].kind);
		json_put_string(w, "name", r->items[i].name);
		json_put_string(w, "reason", r->items[i].reason);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(r->cli, err);
}

static void print_lines(const struct import_report *r, const char *verb, const char *participle)
{
	const struct import_counts *c = &r->counts;
	struct arena *a = r->cli->arena;
	cli_print_line(r->cli,
		       arena_printf(a, "%s %.*s, %.*s, %.*s, %.*s, %.*s, %.*s, %.*s (%.*s)", verb,
				    SLICE_FMT(format_count(a, c->experiments, "experiment")),
				    SLICE_FMT(format_count(a, c->runs, "run")),
				    SLICE_FMT(format_count(a, c->points, "point")),
				    SLICE_FMT(format_count(a, c->logged_models, "logged model")),
				    SLICE_FMT(format_count(a, c->models, "model")),
				    SLICE_FMT(format_count(a, c->versions, "version")),
				    SLICE_FMT(format_count(a, c->artifacts, "file")),
				    SLICE_FMT(format_bytes(a, c->artifact_bytes))));
	if (c->runs_skipped > 0)
		cli_print_line(r->cli,
			       arena_printf(a, "%.*s had been %s before",
					    SLICE_FMT(format_count(a, c->runs_skipped, "run")),
					    participle));
}

bool import_report_print(struct import_report *r, const char *verb, const char *participle,
			 struct error *err)
{
	int64_t failed = r->mark_counts[IMPORT_FAILED];
	if (r->cli->json) {
		if (!print_json(r, err))
			return false;
	} else if (!r->cli->quiet) {
		print_lines(r, verb, participle);
	}
	if (failed == 0)
		return true;
	r->cli->exit = CLI_INCOMPLETE;
	return error_set(err, ERR_DATA_LOSS,
			 "%lld thing%s could not be %s, or only in part; run it again once the "
			 "cause is removed",
			 (long long)failed, failed == 1 ? "" : "s", participle);
}
