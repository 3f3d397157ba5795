/* Tests the reading of uploaded archives: what is found in good ones, and a table of hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "artifacts/tar_index.h"
#include "limits.h"
#include "store_helper.h"
#include "tar_builder_helper.h"

typedef void build_fn(struct buffer *tar);

static void build_two_files(struct buffer *tar)
{
	tar_add(tar, "d/", '5', "");
	tar_add(tar, "d/b.txt", '0', "bbb");
	tar_add(tar, "a.txt", '0', "");
	tar_end(tar);
}

static void build_dot_slash(struct buffer *tar)
{
	tar_add(tar, "./", '5', "");
	tar_add(tar, "./a.txt", '0', "a");
	tar_end(tar);
}

static void build_pax_path(struct buffer *tar)
{
	tar_add_pax(tar, 'x', "path=h\xc3\xa9/long name.txt");
	tar_add(tar, "short", '0', "pax");
	tar_end(tar);
}

static void build_pax_global(struct buffer *tar)
{
	tar_add_pax(tar, 'g', "comment=made by hand");
	tar_add(tar, "a", '0', "a");
	tar_end(tar);
}

static void build_gnu_long_name(struct buffer *tar)
{
	char name[201];
	memset(name, 'n', 200);
	name[200] = '\0';
	tar_add(tar, "././@LongLink", 'L', name);
	tar_add(tar, "nnn", '0', "gnu");
	tar_end(tar);
}

static void build_old_regular_flag(struct buffer *tar)
{
	tar_add(tar, "old", '\0', "v7");
	tar_end(tar);
}

static void build_nothing(struct buffer *tar)
{
	tar_end(tar);
}

static void build_empty(struct buffer *tar)
{
	(void)tar;
}
static void build_noise(struct buffer *tar)
{
	for (int i = 0; i < 5000; i++)
		buffer_append_byte(tar, (char)(i * 7 + 1));
}
static void build_absolute(struct buffer *tar)
{
	tar_add(tar, "/etc/passwd", '0', "x");
	tar_end(tar);
}
static void build_parent(struct buffer *tar)
{
	tar_add(tar, "a/../../b", '0', "x");
	tar_end(tar);
}
static void build_parent_directory(struct buffer *tar)
{
	tar_add(tar, "../", '5', "");
	tar_end(tar);
}
static void build_backslash(struct buffer *tar)
{
	tar_add(tar, "a\\b", '0', "x");
	tar_end(tar);
}
static void build_control(struct buffer *tar)
{
	tar_add(tar, "a\nb", '0', "x");
	tar_end(tar);
}
static void build_not_utf8(struct buffer *tar)
{
	tar_add(tar, "a\xff", '0', "x");
	tar_end(tar);
}
static void build_pax_not_utf8(struct buffer *tar)
{
	tar_add_pax(tar, 'x', "path=a\xff");
	tar_add(tar, "short", '0', "x");
	tar_end(tar);
}
static void build_pax_parent(struct buffer *tar)
{
	tar_add_pax(tar, 'x', "path=../../b");
	tar_add(tar, "harmless", '0', "x");
	tar_end(tar);
}
static void build_percent(struct buffer *tar)
{
	tar_add(tar, "%2e%2e/b", '0', "x");
	tar_end(tar);
}
static void build_too_long(struct buffer *tar)
{
	char record[ARTIFACT_PATH_BYTES_MAX + 8];
	memset(record, 'n', sizeof(record));
	memcpy(record, "path=", 5);
	record[5 + ARTIFACT_PATH_BYTES_MAX + 1] = '\0';
	tar_add_pax(tar, 'x', record);
	tar_add(tar, "short", '0', "x");
	tar_end(tar);
}
static void build_symlink(struct buffer *tar)
{
	tar_add_link(tar, "link", '2', "/etc/passwd");
	tar_end(tar);
}
static void build_hardlink(struct buffer *tar)
{
	tar_add(tar, "a", '0', "x");
	tar_add_link(tar, "link", '1', "a");
	tar_end(tar);
}
static void build_symlink_then_file_through_it(struct buffer *tar)
{
	tar_add_link(tar, "d", '2', "/tmp");
	tar_add(tar, "d/x", '0', "x");
	tar_end(tar);
}
static void build_character_device(struct buffer *tar)
{
	tar_add(tar, "dev", '3', "");
	tar_end(tar);
}
static void build_block_device(struct buffer *tar)
{
	tar_add(tar, "dev", '4', "");
	tar_end(tar);
}
static void build_fifo(struct buffer *tar)
{
	tar_add(tar, "pipe", '6', "");
	tar_end(tar);
}
static void build_twice(struct buffer *tar)
{
	tar_add(tar, "a", '0', "1");
	tar_add(tar, "./a", '0', "2");
	tar_end(tar);
}
static void build_file_and_directory(struct buffer *tar)
{
	tar_add(tar, "a", '0', "1");
	tar_add(tar, "a/b", '0', "2");
	tar_end(tar);
}
static void build_pax_sparse(struct buffer *tar)
{
	tar_add_pax(tar, 'x', "GNU.sparse.map=0,1,4096,1");
	tar_add(tar, "s", '0', "xy");
	tar_end(tar);
}
static void build_cut_in_header(struct buffer *tar)
{
	tar_add(tar, "a", '0', "x");
	buffer_append(tar, SLICE("abc"));
}
static void build_cut_in_content(struct buffer *tar)
{
	struct buffer whole;
	buffer_init(&whole, 1 << 20);
	tar_add(&whole, "a", '0', "content that is cut");
	buffer_append(tar, slice_first(buffer_slice(&whole), 512 + 5));
	buffer_deinit(&whole);
}
static void build_cut_between_members(struct buffer *tar)
{
	tar_add(tar, "a", '0', "x");
}
static void build_size_beyond_limit(struct buffer *tar)
{
	tar_add_sized(tar, "huge", ARCHIVE_BYTES_MAX + 1);
	tar_end(tar);
}
static void build_size_at_limit_but_cut(struct buffer *tar)
{
	tar_add_sized(tar, "huge", ARCHIVE_BYTES_MAX);
	tar_end(tar);
}
static void build_bad_checksum(struct buffer *tar)
{
	tar_add(tar, "a", '0', "x");
	tar_end(tar);
	tar->ptr_or_null[0] = 'b';
}
static void build_bad_size_field(struct buffer *tar)
{
	tar_add(tar, "a", '0', "x");
	memset(tar->ptr_or_null + 124, 0xff, 12); /* base 256, negative */
	tar_seal(tar->ptr_or_null);
	tar_end(tar);
}
static void build_pax_record_lies_about_its_length(struct buffer *tar)
{
	tar_add(tar, "x", 'x', "99999 path=a\n");
	tar_add(tar, "a", '0', "x");
	tar_end(tar);
}
static void build_pax_size_is_negative(struct buffer *tar)
{
	tar_add_pax(tar, 'x', "size=-5");
	tar_add(tar, "a", '0', "x");
	tar_end(tar);
}

// clang-format off
static const struct {
	const char *name;
	build_fn *build;
	size_t file_count;
	const char *first_path;
	const char *first_content;
} good[] = {
	{"two files and their directory", build_two_files,        2, "a.txt", ""},
	{"names with ./",                 build_dot_slash,        1, "a.txt", "a"},
	{"a pax path in UTF-8",           build_pax_path,         1, "h\xc3\xa9/long name.txt", "pax"},
	{"a global pax header",           build_pax_global,       1, "a", "a"},
	{"a GNU long name",               build_gnu_long_name,    1, NULL, "gnu"},
	{"the regular file of v7",        build_old_regular_flag, 1, "old", "v7"},
	{"no member at all",              build_nothing,          0, NULL, NULL},
};

static const struct {
	const char *name;
	build_fn *build;
	enum error_code code;
	const char *says;
} hostile[] = {
	{"an empty body",            build_empty,              ERR_INVALID_PARAMETER_VALUE, "cannot be read"},
	{"noise",                    build_noise,              ERR_INVALID_PARAMETER_VALUE, "cannot be read"},
	{"an absolute path",         build_absolute,           ERR_INVALID_PARAMETER_VALUE, "'/etc/passwd' is absolute"},
	{"..",                       build_parent,             ERR_INVALID_PARAMETER_VALUE, "'a/../../b' contains '..'"},
	{".. as a directory",        build_parent_directory,   ERR_INVALID_PARAMETER_VALUE, "contains '..'"},
	{"a backslash",              build_backslash,          ERR_INVALID_PARAMETER_VALUE, "backslash"},
	{"a control character",      build_control,            ERR_INVALID_PARAMETER_VALUE, "control character"},
	{"no UTF-8",                 build_not_utf8,           ERR_INVALID_PARAMETER_VALUE, "UTF-8"},
	{"no UTF-8 in pax",          build_pax_not_utf8,       ERR_INVALID_PARAMETER_VALUE, NULL},
	{".. in pax",                build_pax_parent,         ERR_INVALID_PARAMETER_VALUE, "'../../b'"},
	{"an escaped ..",            build_percent,            ERR_INVALID_PARAMETER_VALUE, "percent"},
	{"a path beyond the limit",  build_too_long,           ERR_INVALID_PARAMETER_VALUE, "longer than 1024"},
	{"a symbolic link",          build_symlink,            ERR_INVALID_PARAMETER_VALUE, "'link' is a symbolic link"},
	{"a hard link",              build_hardlink,           ERR_INVALID_PARAMETER_VALUE, "'link' is a hard link"},
	{"a file through a link",    build_symlink_then_file_through_it, ERR_INVALID_PARAMETER_VALUE, "'d' is a symbolic link"},
	{"a character device",       build_character_device,   ERR_INVALID_PARAMETER_VALUE, "'dev' is a device"},
	{"a block device",           build_block_device,       ERR_INVALID_PARAMETER_VALUE, "'dev' is a device"},
	{"a fifo",                   build_fifo,               ERR_INVALID_PARAMETER_VALUE, "'pipe' is a device"},
	{"the same path twice",      build_twice,              ERR_INVALID_PARAMETER_VALUE, "two members named 'a'"},
	{"a file that is a directory", build_file_and_directory, ERR_RESOURCE_CONFLICT,     "'base/a' is a file"},
	{"a sparse file",            build_pax_sparse,         ERR_INVALID_PARAMETER_VALUE, "sparse"},
	{"cut in a header",          build_cut_in_header,      ERR_INVALID_PARAMETER_VALUE, "cannot be read"},
	{"cut in a file",            build_cut_in_content,     ERR_INVALID_PARAMETER_VALUE, "cannot be read"},
	{"cut between files",        build_cut_between_members, ERR_INVALID_PARAMETER_VALUE, "cut off"},
	{"256 GiB and a byte",       build_size_beyond_limit,  ERR_INVALID_PARAMETER_VALUE, "256 GiB"},
	{"256 GiB that are missing", build_size_at_limit_but_cut, ERR_INVALID_PARAMETER_VALUE, NULL},
	{"a wrong checksum",         build_bad_checksum,       ERR_INVALID_PARAMETER_VALUE, "cannot be read"},
	{"a negative size",          build_bad_size_field,     ERR_INVALID_PARAMETER_VALUE, NULL},
	{"a lying pax record",       build_pax_record_lies_about_its_length, ERR_INVALID_PARAMETER_VALUE, NULL},
	{"a negative pax size",      build_pax_size_is_negative, ERR_INVALID_PARAMETER_VALUE, NULL},
};
// clang-format on

static tar_compress_fn *const compressions[] = {tar_copy, tar_gzip, tar_zstd};

static void test_good_archives_are_read_in_every_compression(void **state)
{
	struct store store;
	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(compressions); k++) {
			struct buffer tar, sent, content;
			struct error err = {0};
			buffer_init(&tar, 1 << 20);
			buffer_init(&sent, 1 << 20);
			buffer_init(&content, 1 << 20);
			good[i].build(&tar);
			compressions[k](buffer_slice(&tar), &sent);
			assert_true(store_remove(&store, "base", &err));
			if (!store_put_archive(&store, "base", buffer_slice(&sent), NULL, &err))
				fail_msg("%s: %s", good[i].name, err.message);
			struct artifact_file_list files = store_load(&store, "base");
			assert_int_equal(files.count, good[i].file_count);
			if (good[i].first_path != NULL)
				assert_true(slice_eq_cstr(files.items[0].path, good[i].first_path));
			if (good[i].first_content != NULL) {
				char path[512];
				(void)snprintf(path, sizeof(path), "base/%.*s", SLICE_FMT(files.items[0].path));
				store_get(&store, path, &content);
				assert_true(slice_eq_cstr(buffer_slice(&content), good[i].first_content));
			}
			buffer_deinit(&tar);
			buffer_deinit(&sent);
			buffer_deinit(&content);
		}
	}
	store_close(&store);
}

static void test_hostile_archives_are_refused_and_leave_no_file(void **state)
{
	struct store store;
	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(hostile); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(compressions); k++) {
			struct buffer tar, sent;
			struct error err = {0};
			buffer_init(&tar, 1 << 20);
			buffer_init(&sent, 1 << 20);
			hostile[i].build(&tar);
			compressions[k](buffer_slice(&tar), &sent);
			if (store_put_archive(&store, "base", buffer_slice(&sent), NULL, &err))
				fail_msg("%s was accepted", hostile[i].name);
			if (err.code != hostile[i].code)
				fail_msg("%s: %s %s", hostile[i].name, error_code_name(err.code), err.message);
			if (hostile[i].says != NULL && strstr(err.message, hostile[i].says) == NULL)
				fail_msg("%s: %s", hostile[i].name, err.message);
			assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_files")), 0);
			assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_dirs")), 1);
			buffer_deinit(&tar);
			buffer_deinit(&sent);
		}
	}
	store_close(&store);
}

/* An archive that ends early, at every length, is refused, never half taken. */
static void test_an_archive_cut_anywhere_is_refused(void **state)
{
	struct buffer tar, sent;
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(compressions); k++) {
		buffer_init(&tar, 1 << 20);
		buffer_init(&sent, 1 << 20);
		build_two_files(&tar);
		size_t needed = tar.len - 512; /* one empty block is mark enough */
		compressions[k](buffer_slice(&tar), &sent);
		if (k > 0)
			needed = 100; /* the content of both files is in there somewhere */
		struct store store;
		store_open(&store);
		for (size_t len = 0; len < needed && len < sent.len; len += k == 0 ? 37 : 1) {
			struct error err = {0};
			bool ok = store_put_archive(&store, "base", slice_first(buffer_slice(&sent), len), NULL,
						    &err);
			/* A compressed one may be whole without its trailer. */
			if (ok && (k == 0 || store_load(&store, "base").count != 2))
				fail_msg("cut at %zu of %zu was accepted", len, sent.len);
			assert_true(store_remove(&store, "base", &err));
		}
		store_close(&store);
		buffer_deinit(&tar);
		buffer_deinit(&sent);
	}
}

static void test_a_bomb_is_refused_before_it_is_unpacked(void **state)
{
	struct store store;
	struct buffer head, sent;
	struct error err;
	(void)state;
	buffer_init(&head, 1 << 20);
	buffer_init(&sent, 1 << 20);
	tar_add_sized(&head, "zeros", (int64_t)10 << 30);
	tar_zstd_of_zeros(buffer_slice(&head), (int64_t)200 << 20, &sent);
	assert_true(sent.len < 200 * 1024);
	store_open(&store);
	assert_false(store_put_archive(&store, "base", buffer_slice(&sent), NULL, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	assert_non_null(strstr(err.message, "more than 1000 times its size"));
	store_close(&store);
	buffer_deinit(&head);
	buffer_deinit(&sent);
}

static void test_layers_of_compression_are_not_unpacked(void **state)
{
	struct store store;
	struct buffer tar, once, twice;
	struct error err;
	(void)state;
	buffer_init(&tar, 1 << 20);
	buffer_init(&once, 1 << 20);
	buffer_init(&twice, 1 << 20);
	build_two_files(&tar);
	tar_gzip(buffer_slice(&tar), &once);
	tar_gzip(buffer_slice(&once), &twice);
	store_open(&store);
	assert_false(store_put_archive(&store, "base", buffer_slice(&twice), NULL, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	store_close(&store);
	buffer_deinit(&tar);
	buffer_deinit(&once);
	buffer_deinit(&twice);
}

static void check_member_count(int count, bool is_accepted)
{
	struct store store;
	struct buffer tar;
	struct error err;
	char name[32];
	buffer_init(&tar, (size_t)256 << 20);
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "d%d/", i);
		tar_add(&tar, name, '5', "");
	}
	tar_end(&tar);
	store_open(&store);
	assert_int_equal(store_put_archive(&store, "base", buffer_slice(&tar), NULL, &err), is_accepted);
	if (!is_accepted)
		assert_string_equal(err.message, "The archive has more than 100000 members.");
	store_close(&store);
	buffer_deinit(&tar);
}

static void test_members_are_counted_at_the_limit_and_one_beyond(void **state)
{
	(void)state;
	check_member_count(ARCHIVE_MEMBERS_MAX, true);
	check_member_count(ARCHIVE_MEMBERS_MAX + 1, false);
}

static void test_a_large_archive_takes_several_steps(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_COUNT(compressions); k++) {
		struct store store;
		struct buffer tar, sent, content;
		struct error err;
		unsigned steps;
		buffer_init(&tar, (size_t)64 << 20);
		buffer_init(&sent, (size_t)64 << 20);
		buffer_init(&content, (size_t)64 << 20);
		tar_add_noise(&tar, "big", 21 * 1024 * 1024 + 3, 7);
		tar_add(&tar, "small", '0', "s");
		tar_end(&tar);
		compressions[k](buffer_slice(&tar), &sent);
		store_open(&store);
		assert_true(store_put_archive(&store, "base", buffer_slice(&sent), &steps, &err));
		assert_true(steps >= (k == 0 ? 3U : 6U));
		store_get(&store, "base/big", &content);
		assert_int_equal(content.len, 21 * 1024 * 1024 + 3);
		assert_memory_equal(content.ptr_or_null, tar.ptr_or_null + 512, content.len);
		store_close(&store);
		buffer_deinit(&tar);
		buffer_deinit(&sent);
		buffer_deinit(&content);
	}
}

static void test_reading_stops_when_it_is_cancelled(void **state)
{
	struct store store;
	struct buffer tar, pack;
	struct tar_index *index;
	struct error err;
	atomic_bool cancelled;
	bool is_end;
	(void)state;
	buffer_init(&tar, (size_t)64 << 20);
	buffer_init(&pack, 1 << 20);
	tar_add_noise(&tar, "big", 21 * 1024 * 1024, 7);
	tar_end(&tar);
	store_open(&store);
	int64_t blob_pk = store_blob(&store, buffer_slice(&tar));
	atomic_init(&cancelled, false);
	assert_true(tar_index_new(blob_pk, (int64_t)tar.len, &store.arena, &cancelled, &index, &err));
	assert_true(tar_index_step(index, store.blobs, &pack, &is_end, &err));
	assert_false(is_end);
	atomic_store(&cancelled, true);
	assert_false(tar_index_step(index, store.blobs, &pack, &is_end, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
	tar_index_free(index);
	store_close(&store);
	buffer_deinit(&tar);
	buffer_deinit(&pack);
}

static void test_a_missing_chunk_is_our_loss_and_not_the_clients_fault(void **state)
{
	struct store store;
	struct buffer tar, pack;
	struct tar_index *index;
	struct error err;
	bool is_end = false, ok = true;
	(void)state;
	buffer_init(&tar, (size_t)64 << 20);
	buffer_init(&pack, 1 << 20);
	tar_add_noise(&tar, "big", 3 * 1024 * 1024, 7);
	tar_end(&tar);
	store_open(&store);
	int64_t blob_pk = store_blob(&store, buffer_slice(&tar));
	assert_true(db_exec(store.blobs, SQL("DELETE FROM blob_chunks WHERE seq = 1"), &err));
	assert_true(tar_index_new(blob_pk, (int64_t)tar.len, &store.arena, NULL, &index, &err));
	while (ok && !is_end)
		ok = tar_index_step(index, store.blobs, &pack, &is_end, &err);
	assert_false(ok);
	assert_int_equal(err.code, ERR_DATA_LOSS);
	tar_index_free(index);
	store_close(&store);
	buffer_deinit(&tar);
	buffer_deinit(&pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_archives_are_read_in_every_compression),
		cmocka_unit_test(test_hostile_archives_are_refused_and_leave_no_file),
		cmocka_unit_test(test_an_archive_cut_anywhere_is_refused),
		cmocka_unit_test(test_a_bomb_is_refused_before_it_is_unpacked),
		cmocka_unit_test(test_layers_of_compression_are_not_unpacked),
		cmocka_unit_test(test_members_are_counted_at_the_limit_and_one_beyond),
		cmocka_unit_test(test_a_large_archive_takes_several_steps),
		cmocka_unit_test(test_reading_stops_when_it_is_cancelled),
		cmocka_unit_test(test_a_missing_chunk_is_our_loss_and_not_the_clients_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
