/* Owns the form of what is delivered to webhooks. */
#include "api/webhook_message.h"

#include "base/clock.h"
#include "limits.h"
#include "outgoing/signature.h"

static struct slice make_body(const struct webhook_message *message, struct arena *arena)
{
	char time[25];
	clock_format_ms(message->time_ms, time); /* "2026-03-01T12:00:00.123Z" */
	return arena_printf(arena,
			    "{\"entity\": \"%.*s\", \"action\": \"%.*s\", "
			    "\"timestamp\": \"%.23s000+00:00\", \"data\": %.*s}",
			    SLICE_FMT(message->entity), SLICE_FMT(message->action), time,
			    SLICE_FMT(message->data));
}

static const char *make_signature(const struct webhook_message *message, struct slice timestamp,
				  struct slice body, struct arena *arena)
{
	char signature[SIGNATURE_BYTES];
	struct slice content =
		arena_printf(arena, "%.*s.%.*s.%.*s", SLICE_FMT(message->delivery_id),
			     SLICE_FMT(timestamp), SLICE_FMT(body));
	signature_make(message->secret, content, signature);
	return arena_printf(arena, "X-MLflow-Signature: %s", signature).ptr;
}

void webhook_message_build(const struct webhook_message *message, const struct webhook_rules *rules,
			   int64_t now_ms, struct arena *arena, struct outgoing *out)
{
	struct slice timestamp = arena_printf(arena, "%lld", (long long)(now_ms / 1000));
	struct slice body = make_body(message, arena);
	*out = (struct outgoing){
		.url = arena_cstr(arena, message->url),
		.schemes = rules->allowed_schemes,
		.body = body,
		.connect_timeout_ms = rules->timeout_ms < WEBHOOK_CONNECT_TIMEOUT_MS
					      ? rules->timeout_ms
					      : WEBHOOK_CONNECT_TIMEOUT_MS,
		.timeout_ms = rules->timeout_ms,
		.ca_file_or_null = rules->ca_file_or_null,
		.allows_private_addresses = rules->allows_private_addresses,
	};
	out->headers[out->header_count++] = "Content-Type: application/json";
	out->headers[out->header_count++] =
		arena_printf(arena, "X-MLflow-Delivery-Id: %.*s", SLICE_FMT(message->delivery_id))
			.ptr;
	out->headers[out->header_count++] =
		arena_printf(arena, "X-MLflow-Timestamp: %.*s", SLICE_FMT(timestamp)).ptr;
	if (message->secret.len > 0)
		out->headers[out->header_count++] = make_signature(message, timestamp, body, arena);
}
