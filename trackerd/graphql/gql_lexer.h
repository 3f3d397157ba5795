/* Cuts a GraphQL document into tokens (GraphQL specification, October 2021, section 2.1). */
#ifndef GRAPHQL_GQL_LEXER_H
#define GRAPHQL_GQL_LEXER_H

#include "base/arena.h"
#include "base/slice.h"

enum gql_token_kind {
	GQL_TOKEN_END,
	GQL_TOKEN_BAD,        /* `text` says what is wrong */
	GQL_TOKEN_PUNCTUATOR, /* one of ! $ & ( ) : = @ [ ] { | } or "..." */
	GQL_TOKEN_NAME,
	GQL_TOKEN_NUMBER,     /* Int or Float, checked against the grammar, which is also JSON's */
	GQL_TOKEN_STRING,     /* `text` has the escapes resolved */
};

struct gql_token {
	enum gql_token_kind kind;
	struct slice text;
	size_t offset; /* where it begins */
};

/* Borrows the text, which is well-formed UTF-8; resolved strings are made in the arena. */
struct gql_lexer {
	struct slice text;
	size_t offset;
	struct arena *arena;
};

struct gql_token gql_lexer_next(struct gql_lexer *lexer);

#endif
