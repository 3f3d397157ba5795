/* One request of a delivery and what its answer means for it. */
#ifndef CLIENT_EXCHANGE_H
#define CLIENT_EXCHANGE_H

#include "src/delivery.h"

enum exchange_result {
	EXCHANGE_OK,	    /* 2xx; the reply is in delivery->reply until the next exchange */
	EXCHANGE_RETRY,	    /* no answer, or one that says: later */
	EXCHANGE_NOT_FOUND, /* 404 */
	EXCHANGE_BAD,	    /* another 4xx: what was sent is not acceptable */
	EXCHANGE_DENIED,    /* the server does not talk to us like this: 401, 403, 407, redirects */
	EXCHANGE_CANCELLED,
};

/* err is set unless OK, with the server's own sentence where it gave one. */
enum exchange_result exchange_perform(struct delivery *d, const struct transport_call *call,
				      struct error *err);
enum exchange_result exchange_get(struct delivery *d, const char *path, struct error *err);
/* Sends delivery->body as JSON. */
enum exchange_result exchange_post(struct delivery *d, const char *path, struct error *err);
/* For an exchange whose failure is not about one record. */
enum delivery_outcome exchange_outcome(enum exchange_result result);
/* "RESOURCE_ALREADY_EXISTS" of the last reply; "" if it has none. */
void exchange_error_code(const struct delivery *d, char *code, size_t code_bytes);

#endif
