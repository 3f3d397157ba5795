/* Owns the language of requirements: from text to struct requirement and its canonical spelling. */
#include "search/requirement.h"

#include <math.h>

#include "base/buffer.h"
#include "limits.h"
#include "search/filter_lexer.h"

/* What is left to read of a bound. */
struct bound_reader {
	struct slice rest;
	struct slice whole; /* the requirement, for messages */
	bool is_size;
	struct error *err;
};

static bool read_subject(struct slice text, const struct filter_token *token,
			 struct requirement *out, struct error *err);
static bool read_relation(struct slice text, const struct filter_token *token,
			  struct requirement *out, struct error *err);
static bool read_wanted(struct slice text, struct filter_lexer *lexer, struct arena *arena,
			struct requirement *out, struct slice *spelled, struct error *err);
static bool read_bound(struct bound_reader *r, struct arena *arena, struct requirement *out,
		       struct slice *spelled);
static bool check_presence(struct slice text, const struct requirement *out, struct error *err);
static bool finish(struct requirement *r, struct slice bound, struct arena *arena,
		   struct requirement *out, struct error *err);
static bool fail_length(struct error *err);
static bool fail(struct error *err, struct slice text, const char *expected);

static const char *const relation_texts[] = {
	[REQUIREMENT_IS_THERE] = "", [REQUIREMENT_LESS] = "<",	    [REQUIREMENT_AT_MOST] = "<=",
	[REQUIREMENT_MORE] = ">",    [REQUIREMENT_AT_LEAST] = ">=", [REQUIREMENT_EQUAL] = "=",
	[REQUIREMENT_OTHER] = "!=",
};

static bool is_text(const struct requirement *r)
{
	return r->kind == REQUIREMENT_TAG || r->kind == REQUIREMENT_PARAM;
}

bool requirement_parse(struct slice text, struct arena *arena, struct requirement *out,
		       struct error *err)
{
	struct requirement r = {0};
	text = slice_trim(text);
	if (text.len > REQUIREMENT_BYTES_MAX)
		return fail_length(err);
	struct filter_lexer lexer = {.text = text};
	struct filter_token subject = filter_lexer_next(&lexer);
	if (!read_subject(text, &subject, &r, err))
		return false;
	struct filter_token comparison = filter_lexer_next(&lexer);
	if (comparison.kind == FILTER_TOKEN_END)
		return check_presence(text, &r, err) && finish(&r, SLICE(""), arena, out, err);
	if (!read_relation(text, &comparison, &r, err))
		return false;
	struct slice rest = slice_trim(slice_from(text, lexer.offset)), bound;
	struct bound_reader reader = {rest, text, r.kind == REQUIREMENT_SIZE, err};
	bool ok = is_text(&r) ? read_wanted(text, &lexer, arena, &r, &bound, err)
			      : read_bound(&reader, arena, &r, &bound);
	return ok && finish(&r, bound, arena, out, err);
}

/* ---- what is compared --------------------------------------------------------------------------- */

static bool is_word(struct slice word, const char *plural)
{
	struct slice all = slice_from_cstr(plural);
	return slice_eq_ignoring_case(word, all) ||
	       slice_eq_ignoring_case(word, slice_first(all, all.len - 1));
}

/* "metrics" and its like; false for another word. */
static bool kind_of_entity(struct slice entity, enum requirement_kind *out)
{
	static const struct {
		const char *plural;
		enum requirement_kind kind;
	} entities[] = {
		{"metrics", REQUIREMENT_METRIC},
		{"tags", REQUIREMENT_TAG},
		{"params", REQUIREMENT_PARAM},
	};
	for (size_t i = 0; i < ARRAY_COUNT(entities); i++) {
		if (is_word(entity, entities[i].plural)) {
			*out = entities[i].kind;
			return true;
		}
	}
	return false;
}

/* A word that is no name: size, files, digest. */
static bool kind_of_word(struct slice word, enum requirement_kind *out)
{
	if (slice_eq_ignoring_case(word, SLICE("size")))
		*out = REQUIREMENT_SIZE;
	else if (slice_eq_ignoring_case(word, SLICE("files")))
		*out = REQUIREMENT_FILES;
	else if (slice_eq_ignoring_case(word, SLICE("digest")))
		*out = REQUIREMENT_DIGEST;
	else
		return false;
	return true;
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A number in digits: no name of a metric, unless it is quoted. */
static bool is_numeral(struct slice word)
{
	double ignored;
	return word.len > 0 && !is_letter(word.ptr[0]) && slice_parse_double(word, &ignored);
}

static bool read_subject(struct slice text, const struct filter_token *token,
			 struct requirement *out, struct error *err)
{
	bool is_quoted = token->kind == FILTER_TOKEN_TEXT;
	if (has_control(text) || !slice_is_utf8(text))
		return fail(err, text, "it has no control characters");
	if (token->kind == FILTER_TOKEN_BAD)
		return fail(err, text, token->reason);
	if (!is_quoted && is_numeral(token->source))
		return fail(err, text,
			    "the metric stands to the left of the operator; one that is called "
			    "like a number is quoted, as in metrics.\"0.5\"");
	if (!is_quoted && token->kind != FILTER_TOKEN_WORD)
		return fail(err, text,
			    "it begins with a metric, size, files, digest, tags.NAME or "
			    "params.NAME, as in 'rmse_val <= champion + 0.5%'");
	out->kind = REQUIREMENT_METRIC;
	out->key = token->key;
	if (!is_quoted && slice_is_present(token->entity)) {
		bool is_known = kind_of_entity(token->entity, &out->kind);
		if (!is_known && token->has_quotes)
			return fail(err, text,
				    "before a quoted name stands metrics, tags or params");
		if (!is_known) /* a dot in the name of a metric */
			out->key = token->source;
		if (slice_is_present(token->statistic))
			return fail(err, text, "nothing follows a quoted name but an operator");
	} else if (!is_quoted && !token->has_quotes && kind_of_word(token->key, &out->kind)) {
		out->key = SLICE("");
		return true;
	}
	bool has_both = slice_find_byte(out->key, '"', 0) < out->key.len &&
			slice_find_byte(out->key, '`', 0) < out->key.len;
	if (has_both)
		return fail(err, text, "a name has not both \" and `");
	return out->key.len > 0 || fail(err, text, "the name is empty");
}

static bool read_relation(struct slice text, const struct filter_token *token,
			  struct requirement *out, struct error *err)
{
	if (out->kind == REQUIREMENT_DIGEST)
		return fail(err, text, "digest stands alone");
	if (token->kind == FILTER_TOKEN_OPERATOR) {
		for (size_t i = REQUIREMENT_LESS; i < ARRAY_COUNT(relation_texts); i++) {
			if (slice_eq_cstr(token->source, relation_texts[i]))
				out->relation = (enum requirement_relation)i;
		}
		if (slice_eq(token->source, SLICE("==")))
			out->relation = REQUIREMENT_EQUAL;
	}
	if (out->relation == REQUIREMENT_IS_THERE)
		return fail(err, text,
			    "<, <=, >, >=, = or != follows the name; a name with other characters "
			    "is quoted, as in metrics.\"a name\"");
	if (is_text(out) && out->relation != REQUIREMENT_EQUAL &&
	    out->relation != REQUIREMENT_OTHER)
		return fail(err, text, "tags and parameters are compared with = and != only");
	return true;
}

static bool check_presence(struct slice text, const struct requirement *out, struct error *err)
{
	return is_text(out) || out->kind == REQUIREMENT_DIGEST ||
	       fail(err, text, "a comparison is missing, such as '< 5' or '<= champion + 0.5%'");
}

static bool read_wanted(struct slice text, struct filter_lexer *lexer, struct arena *arena,
			struct requirement *out, struct slice *spelled, struct error *err)
{
	struct filter_token wanted = filter_lexer_next(lexer);
	if (wanted.kind == FILTER_TOKEN_BAD)
		return fail(err, text, wanted.reason);
	if (wanted.kind != FILTER_TOKEN_TEXT)
		return fail(err, text, "tags and parameters are compared with a quoted text");
	char quote = slice_find_byte(wanted.key, '\'', 0) < wanted.key.len ? '"' : '\'';
	out->wanted = wanted.key;
	*spelled = arena_printf(arena, "%c%.*s%c", quote, SLICE_FMT(wanted.key), quote);
	return filter_lexer_next(lexer).kind == FILTER_TOKEN_END ||
	       fail(err, text, "nothing follows the quoted text");
}

/* ---- bounds ------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alias_byte(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-';
}

/* Takes the first `len` bytes off the rest. */
static struct slice take(struct bound_reader *r, size_t len)
{
	struct slice taken = slice_first(r->rest, len);
	r->rest = slice_from(r->rest, len);
	return taken;
}

static void skip_spaces(struct bound_reader *r)
{
	r->rest = slice_trim(r->rest);
}

static char peek(const struct bound_reader *r, size_t at)
{
	return at < r->rest.len ? r->rest.ptr[at] : '\0';
}

/* Bytes of the number without sign at the start of the rest; 0 if there is none. */
static size_t number_length(const struct bound_reader *r)
{
	size_t len = 0, digits = 0;
	for (; is_digit(peek(r, len)); len++)
		digits++;
	if (peek(r, len) == '.') {
		for (len++; is_digit(peek(r, len)); len++)
			digits++;
	}
	if (digits == 0)
		return 0;
	if (peek(r, len) == 'e' || peek(r, len) == 'E') {
		size_t exponent = len + 1;
		if (peek(r, exponent) == '+' || peek(r, exponent) == '-')
			exponent++;
		if (is_digit(peek(r, exponent))) {
			for (len = exponent; is_digit(peek(r, len));)
				len++;
		}
	}
	return len;
}

/* The factor of a unit of bytes; 0 for an unknown one. */
static double unit_factor(struct slice unit)
{
	static const char letters[] = "kMGT";
	if (unit.len > 0 && (unit.ptr[unit.len - 1] == 'B' || unit.ptr[unit.len - 1] == 'b'))
		unit = slice_first(unit, unit.len - 1);
	if (unit.len == 0)
		return 1;
	bool is_binary = unit.len == 2 && unit.ptr[1] == 'i';
	double factor = 1;
	for (size_t i = 0; letters[i] != '\0' && (unit.len == 1 || is_binary); i++) {
		factor *= is_binary ? 1024 : 1000;
		if (slice_eq_ignoring_case(slice_first(unit, 1), slice_make(&letters[i], 1)))
			return factor;
	}
	return 0;
}

/* A number without sign, with its unit or "%": *number and how it was written. */
static bool read_number(struct bound_reader *r, bool takes_percent, double *number,
			bool *is_percent, struct slice *source)
{
	const char *begin = r->rest.ptr;
	size_t len = number_length(r);
	double value = 0, factor = 1;
	if (len == 0)
		return fail(r->err, r->whole, "a number is missing");
	if (!slice_parse_double(take(r, len), &value) || !isfinite(value))
		return fail(r->err, r->whole, "the number is too large");
	*is_percent = peek(r, 0) == '%';
	if (*is_percent) {
		if (!takes_percent)
			return fail(r->err, r->whole,
				    "a percentage needs an alias, as in 'champion + 0.5%'");
		(void)take(r, 1);
	} else {
		size_t unit = 0;
		while (is_letter(peek(r, unit)))
			unit++;
		factor = r->is_size || unit == 0 ? unit_factor(take(r, unit)) : 0;
		if (!r->is_size && unit > 0)
			return fail(r->err, r->whole, "only size has units");
		if (factor <= 0)
			return fail(r->err, r->whole,
				    "the units of size are k, M, G, T and Ki, Mi, Gi, Ti");
	}
	*number = value * factor;
	if (!isfinite(*number))
		return fail(r->err, r->whole, "the number is too large");
	*source = slice_make(begin, (size_t)(r->rest.ptr - begin));
	return true;
}

/* Would this alias, without its @, be read as something else, or "champion-5" be meant as a margin? */
static bool needs_at(struct slice alias)
{
	size_t digits = 0;
	while (digits < alias.len && is_digit(alias.ptr[alias.len - 1 - digits]))
		digits++;
	bool ends_like_margin =
		digits > 0 && digits < alias.len && alias.ptr[alias.len - 1 - digits] == '-';
	return is_digit(alias.ptr[0]) || alias.ptr[0] == '-' || ends_like_margin ||
	       slice_eq_ignoring_case(alias, SLICE("nan")) ||
	       slice_eq_ignoring_case(alias, SLICE("inf")) ||
	       slice_eq_ignoring_case(alias, SLICE("infinity"));
}

static bool read_margin(struct bound_reader *r, struct arena *arena, struct requirement *out)
{
	struct slice source;
	skip_spaces(r);
	if (r->rest.len == 0) {
		out->margin = SLICE("");
		return true;
	}
	char sign = peek(r, 0);
	if (sign != '+' && sign != '-')
		return fail(r->err, r->whole,
			    "behind the alias stands + or -, between spaces, and a margin");
	(void)take(r, 1);
	skip_spaces(r);
	if (!read_number(r, true, &out->number, &out->is_percent, &source))
		return false;
	if (sign == '-')
		out->number = -out->number;
	out->margin = arena_printf(arena, "%c %.*s", sign, SLICE_FMT(source));
	return true;
}

static bool read_alias(struct bound_reader *r, struct arena *arena, struct requirement *out,
		       struct slice *spelled)
{
	bool has_at = peek(r, 0) == '@';
	size_t len = 0;
	if (has_at)
		(void)take(r, 1);
	while (is_alias_byte(peek(r, len)))
		len++;
	if (len == 0)
		return fail(r->err, r->whole, "the bound is a number or an alias");
	out->alias = take(r, len);
	if (!has_at && needs_at(out->alias))
		return fail(
			r->err, r->whole,
			"the bound is a number or an alias; + and - stand between spaces, and an "
			"alias that looks like a number is written with @");
	if (!read_margin(r, arena, out))
		return false;
	*spelled = arena_printf(arena, "%s%.*s%s%.*s", needs_at(out->alias) ? "@" : "",
				SLICE_FMT(out->alias), out->margin.len > 0 ? " " : "",
				SLICE_FMT(out->margin));
	return true;
}

static bool read_bound(struct bound_reader *r, struct arena *arena, struct requirement *out,
		       struct slice *spelled)
{
	bool is_negative = peek(r, 0) == '-', is_signed = is_negative || peek(r, 0) == '+';
	char after = peek(r, is_signed ? 1 : 0);
	struct slice source;
	if (r->rest.len == 0)
		return fail(r->err, r->whole, "a bound is missing behind the operator");
	if (!is_signed && !is_digit(after) && after != '.') {
		if (!read_alias(r, arena, out, spelled))
			return false;
	} else {
		if (is_signed)
			(void)take(r, 1);
		if (!read_number(r, false, &out->number, &out->is_percent, &source))
			return false;
		if (is_negative)
			out->number = -out->number;
		*spelled = arena_printf(arena, "%s%.*s", is_negative ? "-" : "", SLICE_FMT(source));
	}
	skip_spaces(r);
	return r->rest.len == 0 || fail(r->err, r->whole, "nothing follows the bound");
}

/* ---- canonical spelling ------------------------------------------------------------------------- */

/* Does a bare word read as this metric again? */
static bool is_bare(struct slice key)
{
	struct filter_lexer lexer = {.text = key};
	struct filter_token token = filter_lexer_next(&lexer);
	enum requirement_kind kind;
	return token.kind == FILTER_TOKEN_WORD && !token.has_quotes &&
	       slice_eq(token.source, key) && !is_numeral(key) && !kind_of_word(key, &kind) &&
	       !(slice_is_present(token.entity) && kind_of_entity(token.entity, &kind));
}

/* The key, quoted if a bare word would end before its end. */
static struct slice spelled_key(struct slice key, struct arena *arena)
{
	struct slice dotted = arena_concat(arena, SLICE("x."), key);
	struct filter_lexer lexer = {.text = dotted};
	struct filter_token token = filter_lexer_next(&lexer);
	char quote = slice_find_byte(key, '"', 0) < key.len ? '`' : '"';
	if (token.kind == FILTER_TOKEN_WORD && !token.has_quotes && slice_eq(token.source, dotted))
		return key;
	return arena_printf(arena, "%c%.*s%c", quote, SLICE_FMT(key), quote);
}

static struct slice canonical(const struct requirement *r, struct slice bound, struct arena *arena)
{
	static const char *const words[] = {
		[REQUIREMENT_METRIC] = "metrics.", [REQUIREMENT_SIZE] = "size",
		[REQUIREMENT_FILES] = "files",	   [REQUIREMENT_DIGEST] = "digest",
		[REQUIREMENT_TAG] = "tags.",	   [REQUIREMENT_PARAM] = "params.",
	};
	struct slice subject = slice_from_cstr(words[r->kind]);
	if (r->kind == REQUIREMENT_METRIC && is_bare(r->key))
		subject = r->key;
	else if (r->kind == REQUIREMENT_METRIC || is_text(r))
		subject = arena_concat(arena, subject, spelled_key(r->key, arena));
	if (r->relation == REQUIREMENT_IS_THERE)
		return subject;
	return arena_printf(arena, "%.*s %s %.*s", SLICE_FMT(subject), relation_texts[r->relation],
			    SLICE_FMT(bound));
}

/* The canonical spelling may be longer than what was written, and is what is kept. */
static bool finish(struct requirement *r, struct slice bound, struct arena *arena,
		   struct requirement *out, struct error *err)
{
	r->text = canonical(r, bound, arena);
	if (r->text.len > REQUIREMENT_BYTES_MAX)
		return fail_length(err);
	*out = *r;
	return true;
}

static bool fail_length(struct error *err)
{
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "A requirement has at most %d bytes.",
			 REQUIREMENT_BYTES_MAX);
}

static bool fail(struct error *err, struct slice text, const char *expected)
{
	char quoted[200];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid requirement '%s': %s.",
			 error_quote(text, quoted, sizeof(quoted)), expected);
}
