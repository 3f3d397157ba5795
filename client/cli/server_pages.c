/* Owns the paging through a server's lists. */
#include "cli/server_pages.h"

#include "cli/import_call.h"

enum { QUERY_BYTES_MAX = 1024 * 1024, PAGE_BYTES_MAX = 1024 * 1024 * 1024 };

void server_pages_init(struct server_pages *p, struct api *api, const char *list)
{
	*p = (struct server_pages){.api = api, .list = list, .is_last = true};
	arena_init(&p->query, QUERY_BYTES_MAX);
	arena_init(&p->page, PAGE_BYTES_MAX);
}

void server_pages_deinit(struct server_pages *p)
{
	arena_deinit(&p->query);
	arena_deinit(&p->page);
}

void server_pages_end(struct server_pages *p)
{
	p->next_or_null = NULL;
	p->is_last = true;
}

static void begin(struct server_pages *p, struct slice path, struct slice body)
{
	arena_reset(&p->query);
	arena_reset(&p->page);
	p->path = arena_copy(&p->query, path);
	p->body = arena_copy(&p->query, body);
	p->token = (struct slice){0};
	p->next_or_null = NULL;
	p->is_last = false;
}

void server_pages_get(struct server_pages *p, struct slice path_and_query)
{
	p->is_post = false;
	begin(p, path_and_query, (struct slice){0});
}

void server_pages_post(struct server_pages *p, struct slice path, struct slice open_body)
{
	p->is_post = true;
	begin(p, path, open_body);
}

/* The token as a JSON text: it may be anything. */
static struct slice body_with_token(struct server_pages *p, struct slice token, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init(&text, QUERY_BYTES_MAX);
	json_writer_init(&w, &text);
	json_string(&w, token);
	struct slice body = arena_printf(arena, "%.*s,\"page_token\":%.*s}", SLICE_FMT(p->body),
					 SLICE_FMT(buffer_slice(&text)));
	buffer_deinit(&text);
	return body;
}

static bool ask(struct server_pages *p, struct slice token, struct json_value **reply,
		struct error *err)
{
	bool has_token = token.len > 0;
	struct slice path = p->path, body = {0};
	if (p->is_post)
		body = has_token ? body_with_token(p, token, &p->page)
				 : arena_concat(&p->page, p->body, SLICE("}"));
	else if (has_token)
		path = arena_printf(&p->page, "%.*s&page_token=%s", SLICE_FMT(p->path),
				    fetcher_encode_value(&p->page, token));
	return import_call(p->api, p->is_post ? "POST" : "GET", path, body, &p->page, reply, err);
}

/* A server that names the page it just gave would be asked for ever. */
static bool load_page(struct server_pages *p, struct error *err)
{
	struct json_value *reply;
	struct buffer before;
	buffer_init(&before, QUERY_BYTES_MAX);
	buffer_append(&before, p->token);
	arena_reset(&p->page);
	bool ok = ask(p, buffer_slice(&before), &reply, err);
	if (ok) {
		p->next_or_null = json_items(json_tree_get(reply, p->list));
		p->token = json_text(reply, "next_page_token");
		p->is_last = p->token.len == 0 ||
			     (before.len > 0 && slice_eq(p->token, buffer_slice(&before)));
	}
	buffer_deinit(&before);
	return ok;
}

bool server_pages_next(struct server_pages *p, const struct json_value **out_or_null,
		       struct error *err)
{
	while (p->next_or_null == NULL && !p->is_last) {
		if (!load_page(p, err)) {
			server_pages_end(p);
			return false;
		}
	}
	*out_or_null = p->next_or_null;
	if (p->next_or_null != NULL)
		p->next_or_null = p->next_or_null->next_sibling_or_null;
	return true;
}
