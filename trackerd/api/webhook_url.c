/* Owns the check of webhooks' URLs. */
#include "api/webhook_url.h"

#include "limits.h"
#include "outgoing/public_address.h"

enum { SHOWN_BYTES_MAX = 200 };

static bool has_only_visible_characters(struct slice url)
{
	for (size_t i = 0; i < url.len; i++) {
		unsigned char c = (unsigned char)url.ptr[i];
		if (c <= ' ' || c == 0x7f || c == '\\')
			return false;
	}
	return true;
}

static bool is_allowed(struct slice scheme, const char *allowed)
{
	struct slice rest = slice_from_cstr(allowed), one;
	while (slice_next(&rest, ',', &one)) {
		if (slice_eq_ignoring_case(scheme, one))
			return true;
	}
	return false;
}

/* "x" of "x://…", else empty. */
static struct slice scheme_of(struct slice url)
{
	struct slice scheme = slice_first(url, slice_find_byte(url, ':', 0));
	bool is_followed = slice_starts_with(slice_from(url, scheme.len), SLICE("://"));
	return is_followed ? scheme : SLICE("");
}

/* The host of what follows "://": without user, brackets and port. */
static struct slice host_of(struct slice rest)
{
	size_t end = 0;
	while (end < rest.len && strchr("/?#", rest.ptr[end]) == NULL)
		end++;
	struct slice host = slice_first(rest, end);
	size_t at = slice_find_byte(host, '@', 0);
	while (at < host.len) {
		host = slice_from(host, at + 1);
		at = slice_find_byte(host, '@', 0);
	}
	if (host.len > 0 && host.ptr[0] == '[')
		return slice_first(slice_from(host, 1),
				   slice_find_byte(slice_from(host, 1), ']', 0));
	return slice_first(host, slice_find_byte(host, ':', 0));
}

static bool check_host(struct slice host, struct slice url, const struct webhook_rules *rules,
		       struct error *err)
{
	char quoted[SHOWN_BYTES_MAX];
	if (host.len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Webhook URL must include a hostname: '%s'",
				 error_quote(url, quoted, sizeof(quoted)));
	if (rules->allows_private_addresses || !host_is_known_private(host))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Webhook URL must not resolve to a non-public IP address. '%s' is one, "
			 "and the server runs without --webhook-allow-private-addresses.",
			 error_quote(host, quoted, sizeof(quoted)));
}

bool webhook_url_check(struct slice url, const struct webhook_rules *rules, struct error *err)
{
	char quoted[SHOWN_BYTES_MAX];
	if (slice_trim(url).len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Webhook URL cannot be empty or just whitespace: '%s'",
				 error_quote(url, quoted, sizeof(quoted)));
	if (url.len > WEBHOOK_URL_BYTES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Webhook URL exceeds the maximum length of %d bytes.",
				 WEBHOOK_URL_BYTES_MAX);
	struct slice scheme = scheme_of(url);
	if (!is_allowed(scheme, rules->allowed_schemes))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid webhook URL scheme: '%s'. Allowed schemes are: %s.",
				 error_quote(scheme, quoted, sizeof(quoted)),
				 rules->allowed_schemes);
	if (!has_only_visible_characters(url))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid webhook URL '%s': it contains white space, control "
				 "characters or backslashes.",
				 error_quote(url, quoted, sizeof(quoted)));
	return check_host(host_of(slice_from(url, scheme.len + 3)), url, rules, err);
}
