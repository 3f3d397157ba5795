/* Cuts GraphQL documents into tokens. */
#include "graphql/gql_lexer.h"

#include "base/json_scanner.h"

static struct gql_token lex_number(struct gql_lexer *lexer);
static struct gql_token lex_string(struct gql_lexer *lexer);
static struct gql_token lex_block_string(struct gql_lexer *lexer);

static char byte_at(const struct gql_lexer *lexer, size_t offset)
{
	return offset < lexer->text.len ? lexer->text.ptr[offset] : '\0';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
	       is_digit(byte);
}

static struct gql_token token_make(struct gql_lexer *lexer, enum gql_token_kind kind, size_t end)
{
	struct gql_token token = {kind,
				  slice_make(lexer->text.ptr + lexer->offset, end - lexer->offset),
				  lexer->offset};
	lexer->offset = end;
	return token;
}

static struct gql_token token_bad(const struct gql_lexer *lexer, const char *what)
{
	return (struct gql_token){GQL_TOKEN_BAD, slice_from_cstr(what), lexer->offset};
}

/* White space, commas, comments and a byte order mark mean nothing. */
static void skip_ignored(struct gql_lexer *lexer)
{
	if (lexer->offset == 0 && slice_starts_with(lexer->text, SLICE("\xef\xbb\xbf")))
		lexer->offset = 3;
	for (;;) {
		char byte = byte_at(lexer, lexer->offset);
		if (lexer->offset == lexer->text.len)
			return;
		if (byte == '#') {
			while (lexer->offset < lexer->text.len &&
			       byte_at(lexer, lexer->offset) != '\n' &&
			       byte_at(lexer, lexer->offset) != '\r')
				lexer->offset++;
		} else if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' ||
			   byte == ',') {
			lexer->offset++;
		} else {
			return;
		}
	}
}

struct gql_token gql_lexer_next(struct gql_lexer *lexer)
{
	static const char punctuators[] = "!$&():=@[]{|}";
	skip_ignored(lexer);
	if (lexer->offset == lexer->text.len)
		return token_make(lexer, GQL_TOKEN_END, lexer->offset);
	struct slice rest = slice_from(lexer->text, lexer->offset);
	char byte = rest.ptr[0];
	if (byte != '\0' && strchr(punctuators, byte) != NULL)
		return token_make(lexer, GQL_TOKEN_PUNCTUATOR, lexer->offset + 1);
	if (slice_starts_with(rest, SLICE("...")))
		return token_make(lexer, GQL_TOKEN_PUNCTUATOR, lexer->offset + 3);
	if (slice_starts_with(rest, SLICE("\"\"\"")))
		return lex_block_string(lexer);
	if (byte == '"')
		return lex_string(lexer);
	if (byte == '-' || is_digit(byte))
		return lex_number(lexer);
	if (!is_name_byte(byte))
		return token_bad(lexer, "Invalid character");
	size_t end = lexer->offset;
	while (is_name_byte(byte_at(lexer, end)))
		end++;
	return token_make(lexer, GQL_TOKEN_NAME, end);
}

static size_t skip_digits(const struct gql_lexer *lexer, size_t offset)
{
	while (is_digit(byte_at(lexer, offset)))
		offset++;
	return offset;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?, and no name or dot right behind it. */
static struct gql_token lex_number(struct gql_lexer *lexer)
{
	size_t begin = lexer->offset + (byte_at(lexer, lexer->offset) == '-' ? 1 : 0);
	size_t end = skip_digits(lexer, begin);
	bool is_good = end > begin && (end == begin + 1 || byte_at(lexer, begin) != '0');
	if (byte_at(lexer, end) == '.') {
		size_t fraction = end + 1;
		end = skip_digits(lexer, fraction);
		is_good = is_good && end > fraction;
	}
	if (byte_at(lexer, end) == 'e' || byte_at(lexer, end) == 'E') {
		bool has_sign = byte_at(lexer, end + 1) == '+' || byte_at(lexer, end + 1) == '-';
		size_t exponent = end + 1 + (has_sign ? 1 : 0);
		end = skip_digits(lexer, exponent);
		is_good = is_good && end > exponent;
	}
	if (!is_good || is_name_byte(byte_at(lexer, end)) || byte_at(lexer, end) == '.')
		return token_bad(lexer, "Invalid number");
	return token_make(lexer, GQL_TOKEN_NUMBER, end);
}

/* A string without line breaks has JSON's grammar, so JSON's scanner resolves it. */
static struct gql_token lex_string(struct gql_lexer *lexer)
{
	size_t end = lexer->offset + 1;
	while (end < lexer->text.len && byte_at(lexer, end) != '"')
		end += byte_at(lexer, end) == '\\' ? 2 : 1;
	if (end >= lexer->text.len)
		return token_bad(lexer, "Unterminated string");
	struct json_scanner scanner;
	json_scanner_init(&scanner,
			  slice_make(lexer->text.ptr + lexer->offset, end + 1 - lexer->offset));
	if (json_scan_next(&scanner) != JSON_STRING)
		return token_bad(lexer, "Invalid string");
	struct slice text = json_scan_text(&scanner, lexer->arena);
	if (json_scan_next(&scanner) != JSON_END)
		return token_bad(lexer, "Invalid string");
	struct gql_token token = token_make(lexer, GQL_TOKEN_STRING, end + 1);
	token.text = text;
	return token;
}

/* Between triple quotes everything stands for itself but \""". The common indentation, which the specification
 * takes away, is kept: no argument of this schema is prose. */
static struct gql_token lex_block_string(struct gql_lexer *lexer)
{
	const struct slice quotes = SLICE("\"\"\""), escaped = SLICE("\\\"\"\"");
	size_t begin = lexer->offset + quotes.len, end = begin, len = 0;
	while (!slice_starts_with(slice_from(lexer->text, end), quotes)) {
		bool is_escaped = slice_starts_with(slice_from(lexer->text, end), escaped);
		end += is_escaped ? escaped.len : 1;
		if (end >= lexer->text.len)
			return token_bad(lexer, "Unterminated string");
	}
	char *resolved = ARENA_NEW(lexer->arena, char, end - begin + 1);
	for (size_t i = begin; i < end; i++) {
		if (slice_starts_with(slice_from(lexer->text, i), escaped))
			i++; /* the quotes themselves stay */
		resolved[len++] = lexer->text.ptr[i];
	}
	struct gql_token token = token_make(lexer, GQL_TOKEN_STRING, end + quotes.len);
	token.text = slice_make(resolved, len);
	return token;
}
