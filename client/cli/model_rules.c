/* Owns "trk models require": what a model's versions must fulfil, and which aliases are protected. */
#include <stdio.h>

#include "cli/handlers.h"
#include "cli/sections.h"

/* The rules as they are to be. */
struct rules {
	struct slice *requirements;
	size_t requirement_count;
	struct slice *protected_aliases;
	size_t protected_count;
	bool are_changed;
};

/* ---- changing them --------------------------------------------------------------------------- */

static size_t read_texts(struct cli *cli, const struct json_value *list, size_t more,
			 struct slice **out)
{
	size_t count = 0;
	*out = ARENA_NEW(cli->arena, struct slice, (list != NULL ? list->child_count : 0) + more);
	const struct json_value *item = json_items(list);
	for (; item != NULL; item = item->next_sibling_or_null)
		(*out)[count++] = item->text;
	return count;
}

static struct slice without_spaces(struct cli *cli, struct slice text)
{
	char *bytes = arena_cstr(cli->arena, text);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (bytes[i] != ' ')
			bytes[len++] = bytes[i];
	}
	return slice_make(bytes, len);
}

/* Takes the text out of the list, however it is spaced; false if it is not there. */
static bool take_out(struct cli *cli, struct slice *items, size_t *count, const char *text)
{
	struct slice wanted = without_spaces(cli, slice_from_cstr(text));
	for (size_t i = 0; i < *count; i++) {
		if (!slice_eq(without_spaces(cli, items[i]), wanted))
			continue;
		for (size_t j = i + 1; j < *count; j++)
			items[j - 1] = items[j];
		(*count)--;
		return true;
	}
	return false;
}

static bool apply_removals(struct cli *cli, struct rules *rules, struct error *err)
{
	const char *text;
	size_t index = 0;
	while ((text = arguments_next(&cli->arguments, "remove", &index)) != NULL) {
		if (!take_out(cli, rules->requirements, &rules->requirement_count, text))
			return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
					 "\"%s\" does not require \"%s\"", cli_word(cli, 0), text);
		rules->are_changed = true;
	}
	index = 0;
	while ((text = arguments_next(&cli->arguments, "unprotect", &index)) != NULL) {
		if (!take_out(cli, rules->protected_aliases, &rules->protected_count, text))
			return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
					 "alias \"%s\" of \"%s\" is not protected", text,
					 cli_word(cli, 0));
		rules->are_changed = true;
	}
	return true;
}

static void apply_additions(struct cli *cli, struct rules *rules)
{
	const char *text;
	size_t index = 0;
	for (size_t i = 1; i < cli->arguments.word_count; i++)
		rules->requirements[rules->requirement_count++] = slice_from_cstr(cli_word(cli, i));
	while ((text = arguments_next(&cli->arguments, "protect", &index)) != NULL) {
		rules->protected_aliases[rules->protected_count++] = slice_from_cstr(text);
		rules->are_changed = true;
	}
	rules->are_changed = rules->are_changed || cli->arguments.word_count > 1;
}

static void put_texts(struct json_writer *w, const char *name, const struct slice *items,
		      size_t count)
{
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < count; i++)
		json_string(w, items[i]);
	json_array_end(w);
}

/* Only onto the rules that were read: of two at once, one is told. */
static bool send_rules(struct cli *cli, const char *path, const struct rules *rules,
		       struct slice revision, struct json_value **reply, struct error *err)
{
	struct api *api;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	put_texts(w, "requirements", rules->requirements, rules->requirement_count);
	put_texts(w, "protected_aliases", rules->protected_aliases, rules->protected_count);
	json_object_end(w);
	if (!cli_api(cli, &api, err))
		return false;
	api_if_match(api, arena_cstr(cli->arena, revision));
	return cli_send(cli, "PUT", path, reply, err);
}

/* ---- showing them ---------------------------------------------------------------------------- */

static void print_list(struct cli *cli, const char *title, const struct json_value *list)
{
	const struct json_value *item = json_items(list);
	if (item == NULL)
		return;
	section_title(title);
	for (; item != NULL; item = item->next_sibling_or_null) {
		(void)fputs("  ", stdout);
		terminal_print(stdout, cli->arena, STYLE_PLAIN, item->text);
		(void)putchar('\n');
	}
}

static void print_rules(struct cli *cli, const struct json_value *reply)
{
	const struct json_value *requirements = json_tree_get(reply, "requirements");
	const struct json_value *aliases = json_tree_get(reply, "protected_aliases");
	if (cli->quiet) {
		for (const struct json_value *r = json_items(requirements); r != NULL;
		     r = r->next_sibling_or_null)
			cli_print_line(cli, r->text);
		return;
	}
	terminal_print(stdout, cli->arena, STYLE_BOLD, json_text(reply, "model"));
	(void)putchar('\n');
	print_list(cli, "Requirements", requirements);
	print_list(cli, "Protected aliases", aliases);
	if (json_items(requirements) == NULL && json_items(aliases) == NULL)
		cli_say(cli, "Nothing is required, and no alias is protected.");
}

static void say_unheld(struct cli *cli, const struct json_value *reply)
{
	const struct json_value *alias = json_items(json_tree_get(reply, "unheld_aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null)
		cli_say(cli,
			"Nobody holds the alias '%.*s' yet: until somebody does, this requirement "
			"passes.",
			SLICE_FMT(alias->text));
}

bool models_require(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct rules rules = {0};
	struct slice path = arena_printf(cli->arena, "/api/trackerd/v1/models/%s/rules",
					 cli_encode(cli, slice_from_cstr(cli_word(cli, 0))));
	if (!cli_get(cli, &reply, err, "%.*s", SLICE_FMT(path)))
		return false;
	size_t more = cli->arguments.word_count + cli->arguments.option_count;
	rules.requirement_count =
		read_texts(cli, json_tree_get(reply, "requirements"), more, &rules.requirements);
	rules.protected_count = read_texts(cli, json_tree_get(reply, "protected_aliases"), more,
					   &rules.protected_aliases);
	if (!apply_removals(cli, &rules, err))
		return false;
	apply_additions(cli, &rules);
	if (rules.are_changed && !send_rules(cli, arena_cstr(cli->arena, path), &rules,
					     json_text(reply, "revision"), &reply, err))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	print_rules(cli, reply);
	say_unheld(cli, reply);
	return true;
}
