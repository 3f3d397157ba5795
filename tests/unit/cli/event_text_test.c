/* What happened, in words. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/event_text.h"

struct row {
	const char *type; /* NULL: as the history tells it */
	const char *json, *text;
};

static void assert_rows(const struct row *rows, size_t count)
{
	struct arena arena;
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		struct json_value *tree;
		struct error err;
		if (!json_tree_parse(slice_from_cstr(rows[i].json), &arena, &tree, &err))
			fail_msg("%s: %s", rows[i].json, err.message);
		struct slice text =
			rows[i].type == NULL
				? event_text_model(&arena, tree)
				: event_text_live(&arena, slice_from_cstr(rows[i].type), tree);
		if (!slice_eq_cstr(text, rows[i].text))
			fail_msg("%s: \"%.*s\"", rows[i].json, SLICE_FMT(text));
	}
	arena_deinit(&arena);
}

#define ALIAS  "\"version\":\"4\",\"alias\":\"champion\""
#define BEFORE "\"before\":{\"version\":\"3\"}"
#define AFTER  "\"after\":{\"version\":\"4\"}"

static void events_of_the_registry_are_told(void **state)
{
	// clang-format off: a row is a line
	static const struct row rows[] = {
		{NULL, "{\"kind\":\"alias.set\"," ALIAS ",\"before\":null," AFTER "}",
		 "champion → v4"},
		{NULL, "{\"kind\":\"alias.set\"," ALIAS "," BEFORE "," AFTER "}",
		 "champion → v4, was v3"},
		{NULL,
		 "{\"kind\":\"alias.promoted\"," ALIAS "," BEFORE "," AFTER
		 ",\"detail\":{\"forced\":false}}",
		 "champion → v4, was v3 (promoted)"},
		{NULL,
		 "{\"kind\":\"alias.promoted\"," ALIAS "," BEFORE "," AFTER
		 ",\"detail\":{\"forced\":true}}",
		 "champion → v4, was v3 (forced)"},
		{NULL,
		 "{\"kind\":\"alias.rolled_back\"," ALIAS "," BEFORE "," AFTER
		 ",\"detail\":{\"to_seq\":\"1\"}}",
		 "champion → v4, was v3 (rolled back)"},
		{NULL, "{\"kind\":\"alias.deleted\"," ALIAS "," BEFORE ",\"after\":null}",
		 "champion deleted, was v3"},
		{NULL, "{\"kind\":\"version.created\",\"version\":\"4\"}", "v4 created"},
		{NULL,
		 "{\"kind\":\"version.tag_set\",\"version\":\"4\",\"key\":\"k\",\"after\":{"
		 "\"value\":\"x y\"}}",
		 "v4: tag k = x y"},
		{NULL, "{\"kind\":\"model.tag_deleted\",\"version\":\"\",\"key\":\"k\"}",
		 "model: tag k deleted"},
		{NULL,
		 "{\"kind\":\"version.stage_moved\",\"version\":\"4\",\"before\":{\"stage\":"
		 "\"None\"},"
		 "\"after\":{\"stage\":\"Staging\"}}",
		 "v4: stage None → Staging"},
		{NULL,
		 "{\"kind\":\"model.renamed\",\"before\":{\"name\":\"old\"},\"after\":{\"name\":"
		 "\"new\"}}",
		 "model renamed, was old"},
		{NULL, "{\"kind\":\"model.rules_set\"}", "rules set"},
		{NULL, "{\"kind\":\"guard.forced\",\"version\":\"4\"}",
		 "v4: what it needs was deleted by force"},
		{NULL,
		 "{\"kind\":\"guard.forced\",\"version\":\"4\",\"detail\":{\"replaced\":\"f\"}}",
		 "v4: what it needs was replaced by force"},
		{NULL,
		 "{\"kind\":\"guard.replaced\",\"version\":\"4\",\"detail\":{\"replaced\":\"f\"}}",
		 "v4: files it needs were replaced"},
	};
	// clang-format on
	(void)state;
	assert_rows(rows, ARRAY_COUNT(rows));
}

static void live_events_are_told(void **state)
{
	// clang-format off: a row is a line
	static const struct row rows[] = {
		{"model",
		 "{\"kind\":\"alias.deleted\",\"model\":\"taxi\"," ALIAS "," BEFORE
		 ",\"actor\":\"\",\"reason\":\"\"}",
		 "taxi: champion deleted, was v3"},
		{"model",
		 "{\"kind\":\"model.created\",\"model\":\"taxi\",\"actor\":\"ana\",\"reason\":"
		 "\"\"}",
		 "taxi: model created; ana"},
		{"model",
		 "{\"kind\":\"model.created\",\"model\":\"taxi\",\"actor\":\"ana\",\"reason\":"
		 "\"why\"}",
		 "taxi: model created; ana: why"},
		{"model",
		 "{\"kind\":\"model.created\",\"model\":\"taxi\",\"actor\":\"\",\"reason\":"
		 "\"why\"}",
		 "taxi: model created; why"},
		{"deployment",
		 "{\"model\":\"taxi\",\"version\":\"5\",\"environment\":\"prod\",\"target\":"
		 "\"edge\",\"state\":\"active\","
		 "\"reason\":\"\"}",
		 "prod/edge: taxi v5 active"},
		{"deployment",
		 "{\"model\":\"taxi\",\"version\":\"\",\"environment\":\"\",\"target\":\"edge\","
		 "\"state\":\"failed\","
		 "\"reason\":\"the disk is full\"}",
		 "edge: taxi failed; the disk is full"},
		{"run",
		 "{\"run_id\":\"3a6a\",\"experiment_id\":\"7\",\"what\":[\"metrics\",\"status\"],"
		 "\"status\":\"FINISHED\"}",
		 "3a6a: metrics, status; FINISHED"},
		{"experiment", "{\"experiment_id\":\"7\",\"what\":[\"name\"]}", "7: name"},
		{"reset", "{\"topics\":[\"run:*\",\"model:taxi\"]}",
		 "read again: run:*, model:taxi"},
	};
	// clang-format on
	(void)state;
	assert_rows(rows, ARRAY_COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_of_the_registry_are_told),
		cmocka_unit_test(live_events_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
