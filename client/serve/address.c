/* Owns the URL of what is served. */
#include "serve/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_any_address(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return v4.s_addr == htonl(INADDR_ANY);
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6);
}

void address_url(const char *host, unsigned port, char *url, size_t url_bytes)
{
	char name[65] = "";
	if (is_any_address(host) && gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0')
		host = name;
	bool is_ipv6 = strchr(host, ':') != NULL;
	(void)snprintf(url, url_bytes, is_ipv6 ? "http://[%s]:%u" : "http://%s:%u", host, port);
}
