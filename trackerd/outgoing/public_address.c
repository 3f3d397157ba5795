/* Owns the tables of address ranges that are not public. */
#include "outgoing/public_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"

struct ipv4_range {
	uint32_t first;
	unsigned prefix_bits;
};

struct ipv6_range {
	uint8_t first[16];
	unsigned prefix_bits;
};

#define IPV4(a, b, c, d)                                                                           \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* IANA's registry of special-purpose addresses, and multicast. */
// clang-format off
static const struct ipv4_range ipv4_refused[] = {
	{IPV4(0, 0, 0, 0), 8},        /* this network */
	{IPV4(10, 0, 0, 0), 8},       /* private */
	{IPV4(100, 64, 0, 0), 10},    /* carrier-grade NAT */
	{IPV4(127, 0, 0, 0), 8},      /* loopback */
	{IPV4(169, 254, 0, 0), 16},   /* link-local, metadata services */
	{IPV4(172, 16, 0, 0), 12},    /* private */
	{IPV4(192, 0, 0, 0), 24},     /* protocol assignments */
	{IPV4(192, 0, 2, 0), 24},     /* documentation */
	{IPV4(192, 88, 99, 0), 24},   /* 6to4 relays */
	{IPV4(192, 168, 0, 0), 16},   /* private */
	{IPV4(198, 18, 0, 0), 15},    /* benchmarks */
	{IPV4(198, 51, 100, 0), 24},  /* documentation */
	{IPV4(203, 0, 113, 0), 24},   /* documentation */
	{IPV4(224, 0, 0, 0), 4},      /* multicast */
	{IPV4(240, 0, 0, 0), 4},      /* reserved, broadcast */
};

static const struct ipv6_range ipv6_global = {{0x20}, 3}; /* 2000::/3: all that is handed out */
static const struct ipv6_range ipv6_refused[] = {         /* inside it */
	{{0x20, 0x01, 0x00}, 23},             /* protocol assignments, with Teredo */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
	{{0x20, 0x02}, 16},                   /* 6to4: any IPv4 address */
	{{0x3f, 0xff}, 20},                   /* documentation */
};
static const struct ipv6_range ipv6_nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
static const struct ipv6_range ipv6_mapped = {{[10] = 0xff, [11] = 0xff}, 96};
// clang-format on

static bool ipv4_is_public(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_COUNT(ipv4_refused); i++) {
		unsigned host_bits = 32 - ipv4_refused[i].prefix_bits;
		if (address >> host_bits == ipv4_refused[i].first >> host_bits)
			return false;
	}
	return true;
}

static bool ipv6_is_in(const uint8_t address[16], const struct ipv6_range *range)
{
	unsigned bytes = range->prefix_bits / 8, bits = range->prefix_bits % 8;
	return memcmp(address, range->first, bytes) == 0 &&
	       (bits == 0 || (address[bytes] ^ range->first[bytes]) >> (8 - bits) == 0);
}

static bool ipv6_is_public(const uint8_t address[16])
{
	if (ipv6_is_in(address, &ipv6_mapped) || ipv6_is_in(address, &ipv6_nat64))
		return ipv4_is_public(IPV4(address[12], address[13], address[14], address[15]));
	if (!ipv6_is_in(address, &ipv6_global))
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(ipv6_refused); i++) {
		if (ipv6_is_in(address, &ipv6_refused[i]))
			return false;
	}
	return true;
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, address, sizeof(v4));
		return ipv4_is_public(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, address, sizeof(v6));
		return ipv6_is_public(v6.sin6_addr.s6_addr);
	}
	return false;
}

bool host_is_known_private(struct slice host)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	char text[256];
	if (host.len > 0 && host.ptr[host.len - 1] == '.')
		host.len--;
	if (slice_eq_ignoring_case(host, SLICE("localhost")))
		return true;
	if (host.len > 10 &&
	    slice_eq_ignoring_case(slice_from(host, host.len - 10), SLICE(".localhost")))
		return true;
	if (host.len >= sizeof(text))
		return false; /* no number is that long */
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	if (getaddrinfo(text, NULL, &hints, &found) != 0)
		return false;
	bool is_public = address_is_public(found->ai_addr);
	freeaddrinfo(found);
	return !is_public;
}

void address_format(const struct sockaddr *address, char text[64])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	const char *written = NULL;
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		written = inet_ntop(AF_INET, &v4.sin_addr, text, 64);
	} else if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		written = inet_ntop(AF_INET6, &v6.sin6_addr, text, 64);
	}
	if (written == NULL)
		(void)snprintf(text, 64, "?");
}
