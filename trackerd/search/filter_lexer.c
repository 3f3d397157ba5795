/* Cuts filters and order clauses into tokens. */
#include "search/filter_lexer.h"

static struct filter_token lex_word(struct filter_lexer *lexer);
static struct filter_token lex_text(struct filter_lexer *lexer);
static struct filter_token lex_operator(struct filter_lexer *lexer);
static struct filter_token token_make(enum filter_token_kind kind, struct filter_lexer *lexer,
				      size_t end);
static struct filter_token token_bad(struct filter_lexer *lexer, size_t offset, const char *reason);
static bool is_space(char byte);
static bool is_operator(char byte);
static bool is_control(char byte);
static size_t bare_run_end(struct slice text, size_t begin);
static bool quoted_run_end(struct slice text, size_t begin, size_t *end_out);

struct filter_token filter_lexer_next(struct filter_lexer *lexer)
{
	while (lexer->offset < lexer->text.len && is_space(lexer->text.ptr[lexer->offset]))
		lexer->offset++;
	if (lexer->offset == lexer->text.len)
		return token_make(FILTER_TOKEN_END, lexer, lexer->offset);
	char byte = lexer->text.ptr[lexer->offset];
	switch (byte) {
	case '(':
		return token_make(FILTER_TOKEN_OPEN, lexer, lexer->offset + 1);
	case ')':
		return token_make(FILTER_TOKEN_CLOSE, lexer, lexer->offset + 1);
	case ',':
		return token_make(FILTER_TOKEN_COMMA, lexer, lexer->offset + 1);
	case ';':
		return token_bad(lexer, lexer->offset, "only one expression is allowed, found ';'");
	case '\'':
	case '"':
		return lex_text(lexer);
	default:
		break;
	}
	if (is_control(byte))
		return token_bad(lexer, lexer->offset, "control characters are not allowed");
	return is_operator(byte) ? lex_operator(lexer) : lex_word(lexer);
}

bool filter_token_is_word(const struct filter_token *token, const char *word)
{
	return token->kind == FILTER_TOKEN_WORD && !token->has_quotes &&
	       slice_eq_ignoring_case(token->source, slice_from_cstr(word));
}

struct filter_name filter_token_name(const struct filter_token *token)
{
	return (struct filter_name){
		.entity = token->entity,
		.key = token->key,
		.statistic = token->statistic,
		.is_key_quoted = token->is_key_quoted,
	};
}

size_t filter_position(struct slice text, size_t offset)
{
	return slice_utf8_length(slice_first(text, offset));
}

/* entity.key or key alone; the entity may be quoted with `, the key with ` or ", and a quoted key may be followed by
 * .statistic. */
static struct filter_token lex_word(struct filter_lexer *lexer)
{
	struct slice text = lexer->text;
	size_t begin = lexer->offset;
	size_t end;
	struct slice entity = {NULL, 0};
	struct slice key;
	struct slice statistic = {NULL, 0};
	bool is_key_quoted = false;
	bool has_quotes = text.ptr[begin] == '`';
	if (has_quotes) {
		if (!quoted_run_end(text, begin, &end))
			return token_bad(lexer, begin, "a quotation mark ` is not closed");
		key = slice_make(text.ptr + begin + 1, end - begin - 2);
	} else {
		/* The first dot divides; later ones belong to the key. */
		struct slice run = slice_first(text, bare_run_end(text, begin));
		end = slice_find_byte(run, '.', begin);
		key = slice_make(text.ptr + begin, end - begin);
	}
	if (end < text.len && text.ptr[end] == '.') {
		entity = key;
		size_t key_begin = end + 1;
		bool is_quoted = key_begin < text.len &&
				 (text.ptr[key_begin] == '`' || text.ptr[key_begin] == '"');
		if (is_quoted) {
			if (!quoted_run_end(text, key_begin, &end))
				return token_bad(lexer, key_begin,
						 "a quotation mark is not closed");
			key = slice_make(text.ptr + key_begin + 1, end - key_begin - 2);
			has_quotes = is_key_quoted = true;
			if (end < text.len && text.ptr[end] == '.') {
				size_t begin_of_statistic = end + 1;
				end = bare_run_end(text, begin_of_statistic);
				statistic = slice_make(text.ptr + begin_of_statistic,
						       end - begin_of_statistic);
			}
		} else {
			end = bare_run_end(text, key_begin);
			key = slice_make(text.ptr + key_begin, end - key_begin);
		}
	}
	struct filter_token token = token_make(FILTER_TOKEN_WORD, lexer, end);
	token.entity = entity;
	token.key = key;
	token.statistic = statistic;
	token.has_quotes = has_quotes;
	token.is_key_quoted = is_key_quoted;
	return token;
}

static struct filter_token lex_text(struct filter_lexer *lexer)
{
	size_t begin = lexer->offset;
	size_t end;
	if (!quoted_run_end(lexer->text, begin, &end))
		return token_bad(lexer, begin, "a quotation mark is not closed");
	struct filter_token token = token_make(FILTER_TOKEN_TEXT, lexer, end);
	token.key = slice_make(lexer->text.ptr + begin + 1, end - begin - 2);
	token.has_quotes = true;
	return token;
}

static struct filter_token lex_operator(struct filter_lexer *lexer)
{
	size_t end = lexer->offset;
	while (end < lexer->text.len && is_operator(lexer->text.ptr[end]))
		end++;
	return token_make(FILTER_TOKEN_OPERATOR, lexer, end);
}

/* The token from the lexer's place to `end`; moves the lexer behind it. */
static struct filter_token token_make(enum filter_token_kind kind, struct filter_lexer *lexer,
				      size_t end)
{
	struct filter_token token = {.kind = kind, .offset = lexer->offset};
	token.source = slice_first(slice_from(lexer->text, lexer->offset), end - lexer->offset);
	lexer->offset = end;
	return token;
}

static struct filter_token token_bad(struct filter_lexer *lexer, size_t offset, const char *reason)
{
	struct filter_token token = token_make(FILTER_TOKEN_BAD, lexer, lexer->offset);
	token.offset = offset;
	token.reason = reason;
	return token;
}

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool is_operator(char byte)
{
	return byte == '=' || byte == '<' || byte == '>' || byte == '!';
}

static bool is_control(char byte)
{
	return (unsigned char)byte < 0x20 || byte == 0x7f;
}

/* Where the run of bytes without a meaning of their own ends. */
static size_t bare_run_end(struct slice text, size_t begin)
{
	size_t end = begin;
	while (end < text.len) {
		char byte = text.ptr[end];
		if (is_space(byte) || is_operator(byte) || is_control(byte) || byte == '(' ||
		    byte == ')' || byte == ',' || byte == ';' || byte == '\'' || byte == '"' ||
		    byte == '`')
			break;
		end++;
	}
	return end;
}

/* Behind the closing quotation mark of the one that stands at `begin`; false if there is none. */
static bool quoted_run_end(struct slice text, size_t begin, size_t *end_out)
{
	size_t close = slice_find_byte(text, text.ptr[begin], begin + 1);
	if (close == text.len)
		return false;
	*end_out = close + 1;
	return true;
}
