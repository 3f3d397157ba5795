/* Fuzzes the reading of uploaded archives: whatever it accepts must be a sorted list of safe paths whose bytes lie
 * inside the archive or the pack and have the digests it says. The archive is read from memory, in small and in
 * large chunks, which must make no difference. */
#include <stdlib.h>

/* The blob store below tar_index.c is replaced by the fuzzer's input. */
#define blob_reader_at fuzz_reader_at
#include "artifacts/tar_index.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 256 * 1024 * 1024, PACK_BYTES_MAX = 64 * 1024 * 1024 };

static struct slice input;
static size_t chunk_bytes;

/* Stands in for blobs.c. */
bool fuzz_reader_at(struct blob_reader *reader, struct db *blobs, int64_t blob_pk, int64_t offset,
		    struct slice *out, struct error *err)
{
	(void)reader;
	(void)blobs;
	(void)blob_pk;
	(void)err;
	size_t begin = (size_t)offset;
	ASSERT(begin < input.len);
	*out = slice_first(slice_from(input, begin), chunk_bytes - begin % chunk_bytes);
	return true;
}

static void check_file(const struct artifact_file *file, struct slice bytes, struct arena *arena)
{
	struct slice path;
	struct error err;
	struct digest hash;
	unsigned char digest[SHA256_BYTES];
	ASSERT(artifact_path_parse_member(file->path, arena, &path, &err) && slice_eq(path, file->path));
	ASSERT(artifact_path_parse_below_root(file->path, arena, &path, &err) && slice_eq(path, file->path));
	ASSERT(file->size >= 0 && file->blob_offset >= 0);
	ASSERT((size_t)file->blob_offset <= bytes.len && (size_t)file->size <= bytes.len - (size_t)file->blob_offset);
	bool ok = digest_init(&hash, &err);
	ASSERT(ok);
	digest_update(&hash, slice_first(slice_from(bytes, (size_t)file->blob_offset), (size_t)file->size));
	digest_value(&hash, digest);
	digest_deinit(&hash);
	ASSERT(memcmp(digest, file->sha256, SHA256_BYTES) == 0);
}

/* Reads the whole input; returns how many files were accepted, or SIZE_MAX. */
static size_t read_all(size_t chunk, struct arena *arena)
{
	struct tar_index *index;
	struct buffer pack;
	struct error err = {0};
	size_t count = SIZE_MAX;
	bool is_end = false, ok = true;
	chunk_bytes = chunk;
	buffer_init(&pack, PACK_BYTES_MAX);
	if (!tar_index_new(1, (int64_t)input.len, arena, NULL, &index, &err))
		abort();
	while (ok && !is_end && pack.len < PACK_BYTES_MAX - 2 * TAR_INDEX_PACK_BYTES)
		ok = tar_index_step(index, NULL, &pack, &is_end, &err);
	ASSERT(ok || err.code == ERR_INVALID_PARAMETER_VALUE);
	if (ok && is_end) {
		struct artifact_file_list files = tar_index_files(index);
		struct slice bytes = tar_index_is_compressed(index) ? buffer_slice(&pack) : input;
		for (size_t i = 0; i < files.count; i++) {
			check_file(&files.items[i], bytes, arena);
			ASSERT(i == 0 || slice_compare(files.items[i - 1].path, files.items[i].path) < 0);
		}
		count = files.count;
	}
	tar_index_free(index);
	buffer_deinit(&pack);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	input = slice_make((const char *)data, size);
	size_t large = read_all(BLOB_CHUNK_BYTES, &arena);
	arena_reset(&arena);
	size_t small = read_all(700, &arena);
	ASSERT(large == small);
	arena_deinit(&arena);
	return 0;
}
