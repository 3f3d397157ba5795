/* Feeds hostile bytes to the decoders of metric points.
 *
 * The first byte chooses: a tail or a chunk; as it is (the checksum stops nearly everything), or with the checksum made
 * right, so that what lies behind it is reached. The next two bytes are the count in the chunk's row. What decodes must
 * be ascending, and encode and decode to the same again. */
#include "store/metric_codec.c"

#include "store/metric_sample.c"

static struct arena arena;

/* The bytes with a right version and checksum. */
static struct slice repaired(const uint8_t *data, size_t size, char version)
{
	char *copy = ARENA_NEW(&arena, char, size + CHECKSUM_BYTES + 1);
	copy[0] = version;
	if (size > 0)
		memcpy(copy + 1, data, size);
	return finish(copy, copy + 1 + size);
}

static void check_ascending(const struct metric_samples *samples)
{
	for (size_t i = 1; i < samples->count; i++)
		ASSERT(metric_sample_compare(&samples->items[i - 1], &samples->items[i]) < 0);
}

static void read_chunk(struct slice data, int64_t count)
{
	struct error err;
	struct metric_samples samples = {
		ARENA_NEW(&arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
	struct metric_samples again = {
		ARENA_NEW(&arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
	if (!metric_chunk_decode(data, count, &samples, &arena, &err))
		return;
	check_ascending(&samples);
	struct slice encoded = metric_chunk_encode(&samples, &arena);
	ASSERT(metric_chunk_decode(encoded, count, &again, &arena, &err));
	ASSERT(memcmp(again.items, samples.items, samples.count * sizeof(samples.items[0])) == 0);
}

static void read_tail(struct slice data, bool skip_odd)
{
	struct error err;
	struct metric_tail_reader reader;
	bool found = true;
	int64_t name_pk = 0;
	if (!metric_tail_open(data, &reader, &err))
		return;
	struct metric_sample *items =
		ARENA_NEW(&arena, struct metric_sample, METRIC_TAIL_SAMPLES_MAX);
	while (metric_tail_next(&reader, &found, &err) && found) {
		struct metric_samples samples = {items, 0};
		ASSERT(reader.name_pk > name_pk && reader.count <= METRIC_TAIL_SAMPLES_MAX);
		name_pk = reader.name_pk;
		bool skip = skip_odd && (name_pk & 1) != 0;
		if (!(skip ? metric_tail_skip(&reader, &err)
			   : metric_tail_read(&reader, &samples, &err)))
			return;
		check_ascending(&samples);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	bool is_tail = (data[0] & 1) != 0, is_repaired = (data[0] & 2) != 0;
	int64_t count = data[1] | data[2] << 8;
	arena_init(&arena, (size_t)64 << 20);
	struct slice bytes =
		is_repaired ? repaired(data + 3, size - 3, is_tail ? TAIL_VERSION : CHUNK_VERSION)
			    : slice_make((const char *)data + 3, size - 3);
	if (is_tail)
		read_tail(bytes, (data[0] & 4) != 0);
	else
		read_chunk(bytes, count);
	arena_deinit(&arena);
	return 0;
}
