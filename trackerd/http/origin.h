/* Who may call us from a browser: the Host and Origin rules. Pure; any thread.
 *
 * A browser sends our page's scripts and any other page's alike, so two headers decide. Host must be an address,
 * localhost, or an allowed name, or a page on a name that was made to point at 127.0.0.1 (DNS rebinding) could read
 * everything. Origin, when present, must be our own host or on the list, or requests that change something are
 * refused; a foreign origin may read nothing either, as it gets no CORS header. */
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "base/slice.h"

/* `list` is comma-separated; "*" stands for all. */
bool origin_host_is_allowed(struct slice host_header, struct slice allowed_hosts);
/* `origin` equals "http://" or "https://" + host_header, or is on the list. An absent origin is allowed. */
bool origin_is_allowed(struct slice origin, struct slice host_header, struct slice allowed_origins);
/* Does the origin need CORS headers, being on the list? */
bool origin_is_listed(struct slice origin, struct slice allowed_origins);

#endif
