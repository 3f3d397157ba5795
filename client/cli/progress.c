/* Owns the progress bar. */
#include "cli/progress.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/terminal.h"

enum { BAR_MIN = 10, BAR_MAX = 40, TITLE_MAX = 24 };
static const int64_t PAUSE_NS = 100 * 1000 * 1000;

void progress_begin(struct progress *p, struct cli *cli, const char *title, int64_t total)
{
	*p = (struct progress){.cli = cli, .title = title, .total = total};
	p->started_ns = p->shown_ns = clock_monotonic_ns(clock_system());
	p->is_on = terminal_is(stderr) && !cli->quiet && !cli->json;
}

static struct slice time_left(struct arena *arena, const struct progress *p, double rate)
{
	if (rate <= 0 || p->total <= p->done)
		return SLICE("");
	int64_t seconds = (int64_t)((double)(p->total - p->done) / rate + 0.5);
	if (seconds >= 3600)
		return arena_printf(arena, "  ETA %lld:%02lld:%02lld", (long long)(seconds / 3600),
				    (long long)(seconds / 60 % 60), (long long)(seconds % 60));
	return arena_printf(arena, "  ETA %lld:%02lld", (long long)(seconds / 60),
			    (long long)(seconds % 60));
}

static struct slice amount(struct arena *arena, const struct progress *p, int64_t count)
{
	if (p->unit_or_null == NULL)
		return format_bytes(arena, count);
	return arena_printf(arena, "%lld %s", (long long)count, p->unit_or_null);
}

static void draw(struct progress *p, int64_t now_ns)
{
	struct arena *arena = p->cli->arena;
	struct arena_mark mark = arena_mark(arena);
	double seconds = (double)(now_ns - p->started_ns) / 1e9;
	double rate = seconds > 0 ? (double)(p->done - p->skipped) / seconds : 0;
	double share = p->total > 0 ? (double)p->done / (double)p->total : 0;
	share = share > 1 ? 1 : share;
	struct slice title =
		terminal_cut(arena, terminal_clean(arena, slice_from_cstr(p->title)), TITLE_MAX);
	struct slice figures = arena_printf(arena, "%3.0f%%  %.*s  %.*s/s%.*s", share * 100,
					    SLICE_FMT(amount(arena, p, p->done)),
					    SLICE_FMT(amount(arena, p, (int64_t)rate)),
					    SLICE_FMT(time_left(arena, p, rate)));
	size_t used = terminal_columns(title) + figures.len + 6, width = terminal_width(stderr);
	size_t bar = width > used + BAR_MIN ? width - used : 0;
	bar = bar > BAR_MAX ? BAR_MAX : bar;
	size_t full = (size_t)(share * (double)bar);
	(void)fprintf(stderr, "\r%.*s  ", SLICE_FMT(title));
	for (size_t i = 0; i < bar; i++)
		(void)fputs(i < full ? "━" : "─", stderr);
	(void)fprintf(stderr, "  %.*s\033[K", SLICE_FMT(figures));
	(void)fflush(stderr);
	arena_rewind(arena, mark);
}

void progress_set(struct progress *p, int64_t done)
{
	p->done = done;
	if (!p->is_on)
		return;
	int64_t now_ns = clock_monotonic_ns(clock_system());
	if (now_ns - p->shown_ns < PAUSE_NS)
		return;
	p->shown_ns = now_ns;
	draw(p, now_ns);
}

void progress_moved(void *context, int64_t done, int64_t skipped)
{
	struct progress *p = context;
	p->skipped = skipped;
	progress_set(p, done);
}

void progress_add(struct progress *p, int64_t bytes)
{
	progress_set(p, p->done + bytes);
}

void progress_clear(const struct progress *p)
{
	if (p->is_on)
		(void)fputs("\r\033[K", stderr);
}

void progress_end(struct progress *p)
{
	progress_clear(p);
	p->is_on = false;
}
