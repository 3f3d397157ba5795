/* Tests downloads: trees of random files go up in every compression and come down in every format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "artifacts/tar_locale.h"
#include "limits.h"
#include "store_helper.h"
#include "tar_builder_helper.h"

enum { TREE_FILES_MAX = 40, FORMATS = 4 };

/* One tree, as the test knows it. */
struct tree {
	struct artifact_file files[TREE_FILES_MAX]; /* path and size */
	size_t offsets[TREE_FILES_MAX];             /* of the content in `tar` */
	size_t count;
	struct buffer tar;
};

static uint64_t random_state;

static unsigned random_upto(unsigned bound)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(random_state >> 33) % bound;
}

static size_t random_size(void)
{
	static const size_t sizes[] = {0, 1, 511, 512, 513, 4096, 65536, BLOB_CHUNK_BYTES - 512,
				       BLOB_CHUNK_BYTES, BLOB_CHUNK_BYTES + 1};
	return random_upto(3) == 0 ? sizes[random_upto(ARRAY_COUNT(sizes))] : random_upto(3000);
}

/* Names that sort differently as bytes and as segments ("a.b" before "a/b"), and some beyond ASCII. */
static void make_tree(struct tree *tree, struct arena *arena, uint64_t seed)
{
	static const char *const directories[] = {"", "a/", "a/b/", "a.b/", "a0/", "a/b/c/d/", "h\xc3\xa9/", "\xe6\x97\xa5/x y/"};
	random_state = seed;
	memset(tree, 0, sizeof(*tree));
	buffer_init(&tree->tar, (size_t)64 << 20);
	tree->count = random_upto(TREE_FILES_MAX);
	for (size_t i = 0; i < tree->count; i++) {
		struct artifact_file *file = &tree->files[i];
		file->path = arena_printf(arena, "%sf%zu%s", directories[random_upto(ARRAY_COUNT(directories))], i,
					  random_upto(2) == 0 ? "" : ".txt");
		file->size = (int64_t)random_size();
		tar_add_noise(&tree->tar, arena_cstr(arena, file->path), (size_t)file->size, (unsigned)i);
		size_t padded = ((size_t)file->size + 511) / 512 * 512;
		tree->offsets[i] = tree->tar.len - padded;
	}
	tar_end(&tree->tar);
}

static const struct artifact_file *find(const struct tree *tree, const char *path, size_t *index)
{
	for (*index = 0; *index < tree->count; ++*index) {
		if (slice_eq_cstr(tree->files[*index].path, path))
			return &tree->files[*index];
	}
	return NULL;
}

static void check_entry(const struct tree *tree, struct archive *archive, struct archive_entry *entry)
{
	size_t index, len;
	const char *path = archive_entry_pathname(entry);
	assert_non_null(path);
	if (archive_entry_filetype(entry) == AE_IFDIR) {
		assert_int_equal(archive_entry_perm(entry), 0755);
		return;
	}
	const struct artifact_file *file = find(tree, path, &index);
	if (file == NULL) {
		fail_msg("unknown member %s", path);
		return; /* not all compilers see that it fails */
	}
	assert_int_equal(archive_entry_perm(entry), 0644);
	char *bytes = malloc((size_t)file->size + 1);
	assert_non_null(bytes);
	len = 0;
	for (;;) {
		la_ssize_t got = archive_read_data(archive, bytes + len, (size_t)file->size + 1 - len);
		assert_true(got >= 0);
		if (got == 0)
			break;
		len += (size_t)got;
	}
	assert_int_equal(len, file->size);
	if (len > 0)
		assert_memory_equal(bytes, tree->tar.ptr_or_null + tree->offsets[index], len);
	free(bytes);
}

/* Reads what came down with libarchive's own detection and compares it file by file. */
static void check_archive(const struct tree *tree, struct slice bytes)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	size_t file_count = 0;
	locale_t previous = tar_locale_enter();
	assert_int_equal(archive_read_support_format_tar(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_zip(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_filter_gzip(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_filter_zstd(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, bytes.ptr, bytes.len), ARCHIVE_OK);
	for (;;) {
		int result = archive_read_next_header(archive, &entry);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			fail_msg("%s", archive_error_string(archive));
		check_entry(tree, archive, entry);
		file_count += archive_entry_filetype(entry) == AE_IFREG;
	}
	assert_int_equal(file_count, tree->count);
	(void)archive_read_free(archive);
	tar_locale_leave(previous);
}

static void test_random_trees_come_back_file_by_file(void **state)
{
	static tar_compress_fn *const compressions[] = {tar_copy, tar_gzip, tar_zstd};
	static const char *const places[] = {"plain", "gz/x", "zst"};
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct store store;
		struct tree tree;
		struct error err;
		unsigned char digests[3][SHA256_BYTES];
		store_open(&store);
		make_tree(&tree, &store.arena, seed);
		for (size_t k = 0; k < ARRAY_COUNT(compressions); k++) {
			struct buffer sent;
			int64_t bytes;
			buffer_init(&sent, (size_t)64 << 20);
			compressions[k](buffer_slice(&tree.tar), &sent);
			if (!store_put_archive(&store, places[k], buffer_slice(&sent), NULL, &err))
				fail_msg("seed %d: %s", (int)seed, err.message);
			buffer_deinit(&sent);
			struct artifact_file_list files = store_load(&store, places[k]);
			assert_int_equal(files.count, tree.count);
			assert_true(artifact_tree_digest(&files, digests[k], &bytes, &err));
		}
		assert_memory_equal(digests[0], digests[1], SHA256_BYTES);
		assert_memory_equal(digests[0], digests[2], SHA256_BYTES);
		for (int format = 0; format < FORMATS && tree.count > 0; format++) {
			struct buffer first, other;
			buffer_init(&first, (size_t)64 << 20);
			buffer_init(&other, (size_t)64 << 20);
			store_get_archive(&store, places[0], (enum tar_output_format)format, &first);
			check_archive(&tree, buffer_slice(&first));
			store_get_archive(&store, places[2], (enum tar_output_format)format, &other);
			assert_true(slice_eq(buffer_slice(&first), buffer_slice(&other)));
			buffer_deinit(&first);
			buffer_deinit(&other);
		}
		buffer_deinit(&tree.tar);
		store_close(&store);
	}
}

static void test_the_time_zone_does_not_show(void **state)
{
	(void)state;
	for (int format = 0; format < FORMATS; format++) {
		static const char *const zones[] = {"UTC", "Asia/Tokyo", "America/New_York"};
		struct store store;
		struct error err;
		struct buffer archives[ARRAY_COUNT(zones)];
		store_open(&store);
		assert_true(store_put(&store, "t/a.txt", SLICE("content"), &err));
		for (size_t i = 0; i < ARRAY_COUNT(zones); i++) {
			assert_int_equal(setenv("TZ", zones[i], 1), 0);
			tzset();
			buffer_init(&archives[i], 1 << 20);
			store_get_archive(&store, "t", (enum tar_output_format)format, &archives[i]);
			assert_true(slice_eq(buffer_slice(&archives[0]), buffer_slice(&archives[i])));
		}
		for (size_t i = 0; i < ARRAY_COUNT(zones); i++)
			buffer_deinit(&archives[i]);
		store_close(&store);
	}
}

static void test_a_path_that_is_a_file_gives_an_archive_of_it(void **state)
{
	struct store store;
	struct error err;
	struct buffer out;
	(void)state;
	store_open(&store);
	buffer_init(&out, 1 << 20);
	assert_true(store_put(&store, "t/sub/a.txt", SLICE("content"), &err));
	store_get_archive(&store, "t/sub/a.txt", TAR_OUTPUT_TAR, &out);
	assert_int_equal(out.len, 512 + 512 + 1024);
	assert_string_equal(out.ptr_or_null, "a.txt");
	buffer_deinit(&out);
	store_close(&store);
}

static void test_every_range_of_a_file_is_cut_exactly(void **state)
{
	const int64_t chunk = BLOB_CHUNK_BYTES;
	const struct {
		int64_t offset, length;
	} rows[] = {
		{0, 0},	     {0, 1},		 {0, chunk},	 {0, chunk + 1}, {chunk - 1, 2}, {chunk, chunk},
		{5, 3 * chunk}, {3 * chunk, 100}, {3 * chunk + 99, 1}, {3 * chunk + 100, 0}, {0, 3 * chunk + 100},
	};
	struct store store;
	struct buffer tar;
	struct error err;
	(void)state;
	store_open(&store);
	buffer_init(&tar, (size_t)8 << 20);
	tar_add_noise(&tar, "f", 3 * (size_t)chunk + 100, 3);
	tar_end(&tar);
	/* Inside a tar it begins at byte 512, so ranges lie across chunks. */
	assert_true(store_put_archive(&store, "d", buffer_slice(&tar), NULL, &err));
	struct artifact_file file = store_load(&store, "d").items[0];
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct download *download;
		struct buffer out;
		bool is_end = false;
		buffer_init(&out, (size_t)8 << 20);
		assert_true(download_file_new(&file, rows[i].offset, rows[i].length, &download, &err));
		while (!is_end)
			assert_true(download_step(download, store.blobs, &out, &is_end, &err));
		assert_int_equal(out.len, rows[i].length);
		if (out.len > 0)
			assert_memory_equal(out.ptr_or_null, tar.ptr_or_null + 512 + rows[i].offset, out.len);
		download_free(download);
		buffer_deinit(&out);
	}
	buffer_deinit(&tar);
	store_close(&store);
}

static void test_missing_bytes_fail_the_download(void **state)
{
	struct store store;
	struct buffer out;
	struct error err;
	struct download *download;
	bool is_end;
	(void)state;
	store_open(&store);
	buffer_init(&out, DOWNLOAD_PIECE_BYTES_MAX);
	assert_true(store_put(&store, "a", SLICE("content"), &err));
	assert_true(db_exec(store.blobs, SQL("DELETE FROM blob_chunks"), &err));
	struct artifact_file_list files = store_load(&store, "a");
	assert_true(download_archive_new(TAR_OUTPUT_ZIP, &files, &download, &err));
	assert_false(download_step(download, store.blobs, &out, &is_end, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	download_free(download);
	buffer_deinit(&out);
	store_close(&store);
}

static void test_formats_are_known_by_name(void **state)
{
	enum tar_output_format format;
	struct error err;
	(void)state;
	assert_true(tar_output_format_parse((struct slice){0}, &format, &err));
	assert_int_equal(format, TAR_OUTPUT_TAR);
	for (int i = 0; i < FORMATS; i++) {
		const char *name = tar_output_format_info((enum tar_output_format)i)->name;
		assert_true(tar_output_format_parse(slice_from_cstr(name), &format, &err));
		assert_int_equal(format, i);
	}
	assert_false(tar_output_format_parse(SLICE("rar"), &format, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_trees_come_back_file_by_file),
		cmocka_unit_test(test_the_time_zone_does_not_show),
		cmocka_unit_test(test_a_path_that_is_a_file_gives_an_archive_of_it),
		cmocka_unit_test(test_every_range_of_a_file_is_cut_exactly),
		cmocka_unit_test(test_missing_bytes_fail_the_download),
		cmocka_unit_test(test_formats_are_known_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
