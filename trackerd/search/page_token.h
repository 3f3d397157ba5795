/* Page tokens: where a page ended, for the peer to send back; opaque, bound to the query it belongs to.
 *
 * A token is base64url without padding of a digest and the order keys of the last row (order_by.h). The digest covers
 * the keys and everything of the query that decides which rows come in which order, so that a token of another
 * query, a cut one or an altered one is refused. It is no secret and no proof: a peer that forges one gets rows that
 * the query would show it anyway. Page size is not part of the query.
 *
 *     uint64_t query = page_query_begin("runs");
 *     query = page_query_text(query, filter);
 *     query = page_query_i64(query, view);
 *
 * Pure functions, any thread. */
#ifndef SEARCH_PAGE_TOKEN_H
#define SEARCH_PAGE_TOKEN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "search/order_by.h"

/* The digest of a query, part by part; parts cannot run into each other, and an absent text differs from "". */
uint64_t page_query_begin(const char *table_name);
uint64_t page_query_text(uint64_t query, struct slice part);
uint64_t page_query_texts(uint64_t query, const struct slice *parts, size_t count);
uint64_t page_query_i64(uint64_t query, int64_t part);

/* The token in the arena. */
struct slice page_token_encode(uint64_t query, const struct order_key *keys, size_t count, struct arena *arena);
/* Gives the keys, in the arena: *keys_out NULL when the token is absent or empty, which is the first page.
 * Fails with INVALID_PARAMETER_VALUE "Invalid page token…" for anything but a token of this query and order. */
MUST_CHECK bool page_token_decode(struct slice token, uint64_t query, const struct order_by *order,
				  struct arena *arena, const struct order_key **keys_out, struct error *err);

#endif
