/* Where a server that listens is reached. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include <stddef.h>

/* The URL of a server on this host and port: "http://127.0.0.1:8080". One that listens on all addresses (0.0.0.0, ::)
 * is named by this host's name, if that is known. Cut to `url_bytes`. */
void address_url(const char *host, unsigned port, char *url, size_t url_bytes);

#endif
