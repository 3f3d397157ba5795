/* Owns the reading of who sends a request. */
#include "api/actor.h"

#include "base/base64.h"
#include "limits.h"

/* A header that a person reads later. Absent: "". */
static bool read_text(const struct http_request *http, const char *name, size_t bytes_max,
		      struct slice *out, struct error *err)
{
	struct slice value = slice_or_empty(http_request_header(http, name));
	if (value.len > bytes_max)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The header %s has %zu bytes, more than the %zu that it may have.",
				 name, value.len, bytes_max);
	if (!slice_is_utf8(value))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "The header %s is not UTF-8.",
				 name);
	*out = value;
	return true;
}

/* The user of "Basic <base64 of user:password>"; absent when that is not what is there. */
static struct slice basic_user(const struct http_request *http, struct arena *arena)
{
	static const struct slice scheme = {"Basic ", 6};
	struct slice header = http_request_header(http, "Authorization"), pair;
	if (header.len < scheme.len ||
	    !slice_eq_ignoring_case(slice_first(header, scheme.len), scheme) ||
	    !base64_decode(slice_trim(slice_from(header, scheme.len)), arena, &pair))
		return (struct slice){0};
	struct slice user = slice_first(pair, slice_find_byte(pair, ':', 0));
	return user.len > 0 && slice_is_utf8(user) ? user : (struct slice){0};
}

/* Names that somebody else was to check are cut rather than refused. */
static struct slice cut(struct slice text, size_t bytes_max)
{
	struct slice first = slice_first(text, bytes_max);
	if (!slice_is_utf8(text))
		return SLICE("");
	while (!slice_is_utf8(first)) /* at most three times: a code point was cut */
		first.len--;
	return first;
}

bool actor_of_request(const struct http_request *http, struct slice own_or_absent,
		      struct arena *arena, struct registry_author *out, struct error *err)
{
	struct registry_author author;
	if (!read_text(http, "X-Trackerd-User", REGISTRY_ACTOR_BYTES_MAX, &author.actor, err) ||
	    !read_text(http, "X-Trackerd-Cause", REGISTRY_CAUSE_BYTES_MAX, &author.cause, err))
		return false;
	if (author.actor.len == 0) {
		struct slice user = basic_user(http, arena);
		author.actor = cut(slice_is_present(user) ? user : slice_or_empty(own_or_absent),
				   REGISTRY_ACTOR_BYTES_MAX);
	}
	author.client = cut(slice_or_empty(http_request_header(http, "User-Agent")),
			    REGISTRY_CLIENT_BYTES_MAX);
	*out = author;
	return true;
}
