/* Owns the rules for Host and Origin headers. */
#include "http/origin.h"

#include <arpa/inet.h>

static bool list_has(struct slice list, struct slice item)
{
	struct slice entry;
	while (slice_next(&list, ',', &entry)) {
		entry = slice_trim(entry);
		if (slice_eq(entry, SLICE("*")) ||
		    (entry.len > 0 && slice_eq_ignoring_case(entry, item)))
			return true;
	}
	return false;
}

/* "name:80" → "name", "[::1]:80" → "::1". */
static struct slice host_without_port(struct slice host)
{
	if (slice_starts_with(host, SLICE("[")))
		return slice_first(slice_from(host, 1), slice_find_byte(host, ']', 0) - 1);
	return slice_first(host, slice_find_byte(host, ':', 0));
}

static bool is_address(struct slice host)
{
	char text[INET6_ADDRSTRLEN + 1];
	unsigned char address[sizeof(struct in6_addr)];
	if (host.len == 0 || host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool origin_host_is_allowed(struct slice host_header, struct slice allowed_hosts)
{
	struct slice host = host_without_port(host_header);
	if (host_header.len == 0) /* HTTP/1.0 without Host: not a browser */
		return true;
	return is_address(host) || slice_eq_ignoring_case(host, SLICE("localhost")) ||
	       list_has(allowed_hosts, host) || list_has(allowed_hosts, host_header);
}

bool origin_is_listed(struct slice origin, struct slice allowed_origins)
{
	return origin.len > 0 && list_has(allowed_origins, origin);
}

bool origin_is_allowed(struct slice origin, struct slice host_header, struct slice allowed_origins)
{
	const struct slice schemes[] = {SLICE("http://"), SLICE("https://")};
	if (!slice_is_present(origin) || origin_is_listed(origin, allowed_origins))
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
		if (slice_starts_with(origin, schemes[i]) &&
		    slice_eq_ignoring_case(slice_from(origin, schemes[i].len), host_header))
			return true;
	}
	return false;
}
