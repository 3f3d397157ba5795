/* Owns the comparison of figures with requirements, and the sentences that tell how it went. */
#include "search/requirement_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/double_text.h"

/* One comparison under way. */
struct check {
	const struct requirement *requirement;
	struct arena *arena;
	struct requirement_check *out;
	struct slice name; /* of the figure, in sentences */
};

static struct slice figure_name(const struct requirement *r, struct arena *arena);
static void check_presence(struct check *c, const struct requirement_figure *figure);
static void check_text(struct check *c, const struct requirement_figure *figure);
static void check_number(struct check *c, double value,
			 const struct requirement_figure *holder_or_null, int64_t holder_version);

void requirement_check(const struct requirement *requirement,
		       const struct requirement_figure *figure,
		       const struct requirement_figure *holder_or_null, int64_t holder_version,
		       struct arena *arena, struct requirement_check *out)
{
	struct check c = {requirement, arena, out, figure_name(requirement, arena)};
	*out = (struct requirement_check){.requirement = requirement->text,
					  .origin = figure->is_known ? figure->origin : NULL,
					  .value = SLICE(""),
					  .limit = SLICE(""),
					  .unheld_alias = SLICE("")};
	if (!figure->is_known)
		out->text = arena_printf(arena, "%.*s is not known: %.*s", SLICE_FMT(c.name),
					 SLICE_FMT(figure->why));
	else if (requirement->relation == REQUIREMENT_IS_THERE)
		check_presence(&c, figure);
	else if (requirement->kind == REQUIREMENT_TAG || requirement->kind == REQUIREMENT_PARAM)
		check_text(&c, figure);
	else
		check_number(&c, figure->number, holder_or_null, holder_version);
}

static struct slice figure_name(const struct requirement *r, struct arena *arena)
{
	switch (r->kind) {
	case REQUIREMENT_METRIC:
		return r->key;
	case REQUIREMENT_TAG:
		return arena_concat(arena, SLICE("tag "), r->key);
	case REQUIREMENT_PARAM:
		return arena_concat(arena, SLICE("parameter "), r->key);
	case REQUIREMENT_SIZE:
		return SLICE("size");
	case REQUIREMENT_FILES:
		return SLICE("the number of files");
	case REQUIREMENT_DIGEST:
	default:
		return SLICE("the digest");
	}
}

/* ---- texts -------------------------------------------------------------------------------------- */

enum { SHOWN_TEXT_BYTES_MAX = 80, VALUE_LENGTH_MAX = 500 };

/* A tag may be long; the checks are kept with every promotion. */
static struct slice value_of(const struct requirement_figure *figure)
{
	return slice_utf8_first(figure->text, VALUE_LENGTH_MAX);
}

static void check_presence(struct check *c, const struct requirement_figure *figure)
{
	char quoted[SHOWN_TEXT_BYTES_MAX];
	(void)error_quote(figure->text, quoted, sizeof(quoted));
	c->out->ok = true;
	c->out->value = value_of(figure);
	if (c->requirement->kind == REQUIREMENT_DIGEST)
		c->out->text =
			arena_printf(c->arena, "every file has its digest (tree %.12s)", quoted);
	else
		c->out->text = arena_printf(c->arena, "%.*s is '%s'", SLICE_FMT(c->name), quoted);
}

static void check_text(struct check *c, const struct requirement_figure *figure)
{
	const struct requirement *r = c->requirement;
	char value[SHOWN_TEXT_BYTES_MAX], wanted[SHOWN_TEXT_BYTES_MAX];
	bool wants_equal = r->relation == REQUIREMENT_EQUAL;
	c->out->ok = slice_eq(figure->text, r->wanted) == wants_equal;
	c->out->value = value_of(figure);
	c->out->limit = r->wanted;
	c->out->text =
		arena_printf(c->arena, "%.*s is '%s', %s%s '%s'", SLICE_FMT(c->name),
			     error_quote(figure->text, value, sizeof(value)),
			     c->out->ok ? "" : "must be ", wants_equal ? "exactly" : "other than",
			     error_quote(r->wanted, wanted, sizeof(wanted)));
}

/* ---- numbers ------------------------------------------------------------------------------------ */

static struct slice exact_text(double value, struct arena *arena)
{
	char text[DOUBLE_TEXT_BYTES_MAX];
	if (isnan(value))
		return SLICE("NaN");
	if (isinf(value))
		return value > 0 ? SLICE("Infinity") : SLICE("-Infinity");
	struct slice all = slice_make(text, double_text(value, text));
	if (slice_ends_with(all, SLICE(".0")))
		all.len -= 2;
	return arena_copy(arena, all);
}

/* Six digits are enough for a person. */
static struct slice short_text(double value, struct arena *arena)
{
	return isfinite(value) ? arena_printf(arena, "%.6g", value) : exact_text(value, arena);
}

static struct slice bytes_text(double bytes, struct arena *arena)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;
	while (unit + 1 < ARRAY_COUNT(units) && fabs(bytes) >= 1000) {
		bytes /= 1000;
		unit++;
	}
	return arena_printf(arena, "%.6g %s", bytes, units[unit]);
}

/* A pair of figures for a sentence: rounded, unless that makes unequal ones look alike. */
struct shown {
	struct slice value, limit, base;
};

static struct shown show(const struct check *c, double value, double limit, double base)
{
	bool is_size = c->requirement->kind == REQUIREMENT_SIZE;
	struct slice (*text)(double, struct arena *) = is_size ? bytes_text : short_text;
	struct shown shown = {text(value, c->arena), text(limit, c->arena), text(base, c->arena)};
	if (value == limit || !slice_eq(shown.value, shown.limit))
		return shown;
	return (struct shown){exact_text(value, c->arena), exact_text(limit, c->arena),
			      exact_text(base, c->arena)};
}

static bool holds(double value, enum requirement_relation relation, double limit)
{
	if (isnan(value) || isnan(limit))
		return false;
	switch (relation) {
	case REQUIREMENT_LESS:
		return value < limit;
	case REQUIREMENT_AT_MOST:
		return value <= limit;
	case REQUIREMENT_MORE:
		return value > limit;
	case REQUIREMENT_AT_LEAST:
		return value >= limit;
	case REQUIREMENT_EQUAL:
		return value == limit;
	case REQUIREMENT_OTHER:
		return value != limit;
	case REQUIREMENT_IS_THERE:
	default:
		return true;
	}
}

static const char *relation_words(enum requirement_relation relation)
{
	static const char *const words[] = {
		[REQUIREMENT_IS_THERE] = "",	     [REQUIREMENT_LESS] = "less than",
		[REQUIREMENT_AT_MOST] = "at most",   [REQUIREMENT_MORE] = "more than",
		[REQUIREMENT_AT_LEAST] = "at least", [REQUIREMENT_EQUAL] = "exactly",
		[REQUIREMENT_OTHER] = "other than",
	};
	return words[relation];
}

/* The limit that the holder's figure sets. */
static double limit_of(const struct requirement *r, double holder)
{
	return r->is_percent ? holder + fabs(holder) * (r->number / 100) : holder + r->number;
}

/* "rmse_val is 7.41, at most 7.46715 (champion's 7.43 + 0.5%)" */
static void compare(struct check *c, double value, double limit, double base)
{
	const struct requirement *r = c->requirement;
	struct requirement_check *out = c->out;
	struct shown shown = show(c, value, limit, base);
	struct slice whose = SLICE("");
	out->ok = holds(value, r->relation, limit);
	out->limit = r->kind == REQUIREMENT_SIZE ? exact_text(limit, c->arena) : shown.limit;
	if (slice_is_present(r->alias))
		whose = arena_printf(c->arena, " (%.*s's %.*s%s%.*s)", SLICE_FMT(r->alias),
				     SLICE_FMT(shown.base), r->margin.len > 0 ? " " : "",
				     SLICE_FMT(r->margin));
	out->text =
		arena_printf(c->arena, "%.*s is %.*s, %s%s %.*s%.*s", SLICE_FMT(c->name),
			     SLICE_FMT(shown.value), out->ok ? "" : "must be ",
			     relation_words(r->relation), SLICE_FMT(shown.limit), SLICE_FMT(whose));
}

static void check_number(struct check *c, double value, const struct requirement_figure *holder,
			 int64_t holder_version)
{
	const struct requirement *r = c->requirement;
	struct slice shown = r->kind == REQUIREMENT_SIZE && isfinite(value)
				     ? bytes_text(value, c->arena)
				     : short_text(value, c->arena);
	c->out->value = exact_text(value, c->arena);
	if (isnan(value)) {
		c->out->text = arena_printf(c->arena, "%.*s is NaN, which never passes",
					    SLICE_FMT(c->name));
	} else if (!slice_is_present(r->alias)) {
		compare(c, value, r->number, r->number);
	} else if (holder == NULL) {
		c->out->ok = true;
		c->out->unheld_alias = r->alias;
		c->out->text = arena_printf(
			c->arena,
			"%.*s is %.*s; nobody holds %.*s, so there is nothing to compare with",
			SLICE_FMT(c->name), SLICE_FMT(shown), SLICE_FMT(r->alias));
	} else if (!holder->is_known || isnan(holder->number)) {
		c->out->text = arena_printf(
			c->arena, "%.*s is %.*s, but that of %.*s (version %" PRId64 ") %s%.*s",
			SLICE_FMT(c->name), SLICE_FMT(shown), SLICE_FMT(r->alias), holder_version,
			holder->is_known ? "is NaN" : "is not known: ",
			SLICE_FMT(holder->is_known ? SLICE("") : holder->why));
	} else {
		compare(c, value, limit_of(r, holder->number), holder->number);
	}
}
