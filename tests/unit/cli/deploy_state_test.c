/* Tests what a deployment's directory remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/deploy_state.h"
#include "src/files.h"
#include "unit/cli/cli_helper.h"

struct scene {
	struct arena arena;
	struct cli cli;
	const char *folder;
	struct deploy_directory directory;
	struct error err;
};

static int set_up(void **state)
{
	struct scene *s = test_calloc(1, sizeof *s);
	cli_helper_init(&s->cli, &s->arena);
	s->folder = cli_helper_folder(&s->cli);
	if (!deploy_directory_open(s->folder, true, &s->directory, &s->err))
		return -1;
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	deploy_directory_close(&s->directory);
	cli_helper_remove(s->folder);
	cli_helper_deinit(&s->cli);
	test_free(s);
	return 0;
}

static bool load(struct scene *s, struct deploy_state *out)
{
	return deploy_state_load(&s->directory, &s->arena, out, &s->err);
}

static void put(struct deploy_state *state, const char *name)
{
	const struct deploy_version version = {
		.name = name, .model = "m", .version = "1", .tree_sha256 = "ab", .byte_count = 7};
	deploy_state_put(state, &version);
}

static void write_state(struct scene *s, const char *text)
{
	int fd = openat(s->directory.admin_fd, "state.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_true(files_write_all(fd, slice_from_cstr(text)));
	assert_int_equal(close(fd), 0);
}

static void without_a_file_it_is_idle_and_has_a_name_of_its_own(void **state)
{
	struct scene *s = *state;
	struct deploy_state first, second;
	assert_true(load(s, &first) && load(s, &second));
	assert_int_equal(first.phase, DEPLOY_IDLE);
	assert_int_equal(first.version_count, 0);
	assert_int_equal(strlen(first.deployment_id), 32);
	assert_string_not_equal(first.deployment_id, second.deployment_id);
}

static void what_is_saved_is_loaded(void **state)
{
	struct scene *s = *state;
	struct deploy_state saved, loaded;
	assert_true(load(s, &saved));
	saved.phase = DEPLOY_ACTIVATING;
	saved.from = "a";
	saved.to = "b";
	saved.previous_before = "c";
	saved.cause = "deploy";
	saved.result = "failed";
	saved.reason = "the hook said \"no\"\n";
	saved.settings = (struct deploy_settings){.model = "m",
						  .alias = "champion",
						  .target = "edge",
						  .environment = "prod",
						  .hook = "true",
						  .health = "false",
						  .health_retries = 3,
						  .health_interval_s = 4,
						  .timeout_s = 5};
	put(&saved, "a");
	put(&saved, "b");
	assert_true(deploy_state_save(&s->directory, &saved, &s->err));
	assert_true(load(s, &loaded));
	assert_int_equal(loaded.phase, DEPLOY_ACTIVATING);
	assert_string_equal(loaded.from, "a");
	assert_string_equal(loaded.to, "b");
	assert_string_equal(loaded.previous_before, "c");
	assert_string_equal(loaded.reason, saved.reason);
	assert_string_equal(loaded.deployment_id, saved.deployment_id);
	assert_string_equal(loaded.settings.alias, "champion");
	assert_string_equal(loaded.settings.health, "false");
	assert_int_equal(loaded.settings.timeout_s, 5);
	assert_int_equal(loaded.version_count, 2);
	assert_string_equal(loaded.versions[1].name, "b");
	assert_int_equal(loaded.versions[1].byte_count, 7);
	assert_true(loaded.changed_ms > 0);
}

static void a_version_that_is_put_again_moves_to_the_end(void **state)
{
	struct scene *s = *state;
	struct deploy_state kept;
	assert_true(load(s, &kept));
	put(&kept, "a");
	put(&kept, "b");
	put(&kept, "a");
	assert_int_equal(kept.version_count, 2);
	assert_string_equal(kept.versions[0].name, "b");
	deploy_state_drop(&kept, "b");
	deploy_state_drop(&kept, "nobody");
	assert_int_equal(kept.version_count, 1);
	assert_null(deploy_state_find(&kept, "b"));
	assert_non_null(deploy_state_find(&kept, "a"));
}

static void what_makes_no_sense_is_an_error_and_never_an_empty_state(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[1",
		"{\"format\":2,\"phase\":\"idle\"}",
		"{\"format\":1,\"phase\":\"asleep\"}",
		"{\"format\":1,\"phase\":\"idle\",\"to\":\"../x\"}",
		"{\"format\":1,\"phase\":\"idle\",\"from\":\".hidden\"}",
		"{\"format\":1,\"phase\":\"idle\",\"previous_before\":\"a/b\"}",
		"{\"format\":1,\"phase\":\"idle\",\"versions\":[{\"directory\":\"\"}]}",
		"{\"format\":1,\"phase\":\"idle\",\"versions\":[{\"directory\":\"../../etc\"}]}",
	};
	struct scene *s = *state;
	struct deploy_state loaded;
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		write_state(s, texts[i]);
		assert_false(load(s, &loaded));
		assert_int_equal(s->err.code, ERR_DATA_LOSS);
	}
}

static void a_state_of_an_earlier_release_gets_a_name(void **state)
{
	static const char *const ids[] = {
		"",
		",\"deployment_id\":\"\"",
		",\"deployment_id\":\"../../../../etc/passwd/or/so/xxxx\"",
		",\"deployment_id\":\"0123456789abcdef0123456789abcde\"",
	};
	struct scene *s = *state;
	struct deploy_state loaded;
	char text[200];
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		(void)snprintf(text, sizeof text, "{\"format\":1,\"phase\":\"idle\"%s}", ids[i]);
		write_state(s, text);
		assert_true(load(s, &loaded));
		assert_int_equal(strspn(loaded.deployment_id, "0123456789abcdef"), 32);
	}
	write_state(s, "{\"format\":1,\"phase\":\"idle\",\"deployment_id\":"
		       "\"0123456789abcdef0123456789abcdef\"}");
	assert_true(load(s, &loaded));
	assert_string_equal(loaded.deployment_id, "0123456789abcdef0123456789abcdef");
}

static void a_link_in_place_of_the_state_is_not_followed(void **state)
{
	struct scene *s = *state;
	struct deploy_state loaded;
	assert_int_equal(symlinkat("/etc/hostname", s->directory.admin_fd, "state.json"), 0);
	assert_false(load(s, &loaded));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(without_a_file_it_is_idle_and_has_a_name_of_its_own),
		CASE(what_is_saved_is_loaded),
		CASE(a_version_that_is_put_again_moves_to_the_end),
		CASE(what_makes_no_sense_is_an_error_and_never_an_empty_state),
		CASE(a_state_of_an_earlier_release_gets_a_name),
		CASE(a_link_in_place_of_the_state_is_not_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
