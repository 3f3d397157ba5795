/* Reading from the server over a transport: the library's fetcher. One thread. */
#ifndef CLIENT_TRANSPORT_FETCHER_H
#define CLIENT_TRANSPORT_FETCHER_H

#include "src/fetcher.h"
#include "src/transport.h"

struct transport_fetcher {
	struct transport *transport; /* kept */
	char url[128];		     /* for sentences */
	/* Of the request at hand: after a jump out of an arena it is still to be let go. */
	struct transport_reply reply;
};

void transport_fetcher_init(struct transport_fetcher *t, struct transport *transport,
			    const char *url);
/* Lets go of what a jump left. */
void transport_fetcher_clean(struct transport_fetcher *t);
/* Borrows `t` for its life. */
struct fetcher transport_fetcher_over(struct transport_fetcher *t, struct stop stop);

#endif
