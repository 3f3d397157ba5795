/* Cuts filters and order clauses into tokens. Private to search/. Borrows the text; no allocation. */
#ifndef SEARCH_FILTER_LEXER_H
#define SEARCH_FILTER_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "search/filter.h"

enum filter_token_kind {
	FILTER_TOKEN_END,  /* stays */
	FILTER_TOKEN_BAD,  /* `reason` says why; stays */
	FILTER_TOKEN_WORD, /* key word, number or identifier; the identifier's parts are cut already */
	FILTER_TOKEN_TEXT, /* '…' or "…"; `key` is what is between the quotes */
	FILTER_TOKEN_OPERATOR, /* a run of = < > ! */
	FILTER_TOKEN_OPEN,
	FILTER_TOKEN_CLOSE,
	FILTER_TOKEN_COMMA,
};

struct filter_token {
	enum filter_token_kind kind;
	size_t offset;       /* in bytes */
	struct slice source; /* as written */
	struct slice entity; /* WORD: before the first dot; absent without one */
	struct slice key;    /* WORD: after it, without its quotes */
	struct slice statistic; /* WORD: behind a quoted key and a dot; absent without one */
	bool has_quotes;     /* WORD: neither a key word nor a number */
	bool is_key_quoted;  /* WORD: the part behind the entity is */
	const char *reason;  /* BAD */
};

struct filter_lexer {
	struct slice text;
	size_t offset; /* behind the last token */
};

struct filter_token filter_lexer_next(struct filter_lexer *lexer);
/* Is this a bare word that reads so, in any case of letters? */
bool filter_token_is_word(const struct filter_token *token, const char *word);
/* What the identifier `token` names. */
struct filter_name filter_token_name(const struct filter_token *token);
/* Characters before a byte offset: what messages call a position. */
size_t filter_position(struct slice text, size_t offset);

#endif
