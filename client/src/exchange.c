/* Owns the meaning of HTTP statuses for a delivery. */
#include "src/exchange.h"

#include <stdio.h>

#include "src/reply.h"

// clang-format off
static const struct {
	int status_min, status_max; /* the first row that holds decides */
	enum exchange_result result;
} meanings[] = {
	{200, 299, EXCHANGE_OK},
	{300, 399, EXCHANGE_DENIED},
	{401, 401, EXCHANGE_DENIED},
	{403, 403, EXCHANGE_DENIED},
	{404, 404, EXCHANGE_NOT_FOUND},
	{407, 407, EXCHANGE_DENIED},
	{408, 408, EXCHANGE_RETRY},
	{425, 425, EXCHANGE_RETRY},
	{429, 429, EXCHANGE_RETRY},
	{400, 499, EXCHANGE_BAD},
	{501, 501, EXCHANGE_BAD}, /* will not be implemented by trying again */
	{505, 505, EXCHANGE_BAD},
	{500, 599, EXCHANGE_RETRY},
};
// clang-format on

static enum exchange_result meaning_of(int status);

enum exchange_result exchange_perform(struct delivery *d, const struct transport_call *call,
				      struct error *err)
{
	buffer_deinit(&d->reply.body);
	d->retry_after_ms = -1;
	if (!transport_perform(d->transport, call, &d->reply, err))
		return err->code == ERR_CANCELLED ? EXCHANGE_CANCELLED : EXCHANGE_RETRY;
	enum exchange_result result = meaning_of(d->reply.status);
	if (result == EXCHANGE_OK)
		return EXCHANGE_OK;
	d->retry_after_ms = d->reply.retry_after_ms;
	char message[600];
	char quoted[600];
	if (!reply_text(buffer_slice(&d->reply.body), "message", message, sizeof message))
		(void)snprintf(message, sizeof message, "no reason given");
	error_set(err, result == EXCHANGE_RETRY ? ERR_TEMPORARILY_UNAVAILABLE : ERR_BAD_REQUEST,
		  "the server answered %d: %s", d->reply.status,
		  error_quote(slice_from_cstr(message), quoted, sizeof quoted));
	return result;
}

enum exchange_result exchange_get(struct delivery *d, const char *path, struct error *err)
{
	const struct transport_call call = {.method = "GET", .path = path};
	return exchange_perform(d, &call, err);
}

enum exchange_result exchange_post(struct delivery *d, const char *path, struct error *err)
{
	if (!buffer_check(&d->body, "a request", err))
		return EXCHANGE_RETRY;
	const struct transport_call call = {
		.method = "POST",
		.path = path,
		.content_type = "application/json",
		.body = buffer_slice(&d->body),
	};
	return exchange_perform(d, &call, err);
}

enum delivery_outcome exchange_outcome(enum exchange_result result)
{
	switch (result) {
	case EXCHANGE_OK:
		return DELIVERY_PROGRESS;
	case EXCHANGE_RETRY:
		return DELIVERY_RETRY;
	case EXCHANGE_CANCELLED:
		return DELIVERY_CANCELLED;
	case EXCHANGE_NOT_FOUND:
	case EXCHANGE_BAD:
	case EXCHANGE_DENIED:
		return DELIVERY_REFUSED;
	}
	return DELIVERY_REFUSED;
}

void exchange_error_code(const struct delivery *d, char *code, size_t code_bytes)
{
	(void)reply_text(buffer_slice(&d->reply.body), "error_code", code,
			 code_bytes); /* "" when it has none */
}

static enum exchange_result meaning_of(int status)
{
	for (size_t i = 0; i < ARRAY_COUNT(meanings); i++) {
		if (status >= meanings[i].status_min && status <= meanings[i].status_max)
			return meanings[i].result;
	}
	return EXCHANGE_RETRY;
}
