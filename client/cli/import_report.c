/* Owns what an import tells of what did not come over as it was. */
#include "cli/import_report.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
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
