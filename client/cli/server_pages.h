/* Lists that a server gives page by page: experiments, runs, points, models, versions, files.
 *
 * One page is in memory at a time. One thread. */
#ifndef CLI_SERVER_PAGES_H
#define CLI_SERVER_PAGES_H

#include "base/json_writer.h"
#include "cli/api.h"
#include "cli/cli.h"

struct server_pages {
	struct api *api;
	const char *list;     /* the name of the list in replies */
	struct arena query;   /* of what is asked */
	struct arena page;    /* of the page at hand */
	bool is_post;
	struct slice path;    /* of a POST; of a GET with its query, to which the token is added */
	struct slice body;    /* of a POST: a JSON object without its "}", and not empty */
	struct slice token;   /* of the next page; in `page` */
	const struct json_value *next_or_null;
	bool is_last;
};

/* Once for each struct; the api is kept. */
void server_pages_init(struct server_pages *p, struct api *api, const char *list);
void server_pages_deinit(struct server_pages *p);
/* Begins a list; the texts are copied. No request is made before the first item is asked for. */
void server_pages_get(struct server_pages *p, struct slice path_and_query);
void server_pages_post(struct server_pages *p, struct slice path, struct slice open_body);
/* The list is empty from now on. */
void server_pages_end(struct server_pages *p);
/* *out_or_null: the next item, valid until the one after it is asked for; NULL at the end. */
MUST_CHECK bool server_pages_next(struct server_pages *p, const struct json_value **out_or_null, struct error *err);

#endif
