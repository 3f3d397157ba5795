/* Which network addresses are public: those that a stranger's URL may make us connect to.
 *
 * Refused are loopback, private and shared (carrier-grade NAT) networks, link-local ones with the metadata services of
 * clouds, multicast, broadcast, documentation and other reserved ranges, and IPv6 addresses that carry such an IPv4
 * address (mapped, compatible, NAT64, 6to4, Teredo). Pure functions, any thread. */
#ifndef OUTGOING_PUBLIC_ADDRESS_H
#define OUTGOING_PUBLIC_ADDRESS_H

#include <stdbool.h>

#include "base/slice.h"

struct sockaddr;

/* False for every family but IPv4 and IPv6. */
bool address_is_public(const struct sockaddr *address);
/* Is `host` (of a URL, IPv6 without brackets) known without a resolver not to be public: a number in any form that
 * the resolver takes for an address ("127.1", "0x7f000001", "2130706433"), or "localhost" and names below it? */
bool host_is_known_private(struct slice host);
/* "192.0.2.1" or "2001:db8::1"; text[64]. "?" for other families. */
void address_format(const struct sockaddr *address, char text[64]);

#endif
