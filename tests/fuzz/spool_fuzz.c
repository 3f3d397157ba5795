/* Any bytes as the spool of a run: opening, reading and going on must neither crash nor read out of
 * bounds.
 *
 * The input is cut into segment files at "|SEG|"; a header is put before a piece that begins with
 * '+', so that the fuzzer gets past its checksum, and checksums of records are mended, so that it
 * gets into the payloads. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/crc32c.h"
#include "src/request.h"
#include "src/segment.h"
#include "src/spool.h"
#include "src/spool_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void make_folder(void)
{
	if (folder[0] != '\0')
		return;
	(void)snprintf(folder, sizeof folder, "/dev/shm/spool-fuzz-%d", (int)getpid());
	if (mkdir(folder, 0700) != 0)
		abort();
}

/* Gives each record that is framed at all the sequence and the checksum that it must have. */
static void mend(char *bytes, size_t len)
{
	size_t offset = SEGMENT_HEADER_BYTES;
	for (uint64_t sequence = 1; len - offset > SEGMENT_RECORD_HEADER_BYTES; sequence++) {
		uint32_t payload_bytes;
		memcpy(&payload_bytes, bytes + offset + 4, sizeof payload_bytes);
		payload_bytes &= 0xff;
		if (payload_bytes == 0 || segment_record_bytes(payload_bytes) > len - offset)
			return;
		memcpy(bytes + offset + 4, &payload_bytes, sizeof payload_bytes);
		memcpy(bytes + offset + 8, &sequence, sizeof sequence);
		uint32_t crc = crc32c(0, bytes + offset + 4,
				      SEGMENT_RECORD_HEADER_BYTES - 4 + payload_bytes);
		memcpy(bytes + offset, &crc, sizeof crc);
		offset += segment_record_bytes(payload_bytes);
	}
}

static void write_segment(uint32_t number, struct slice piece)
{
	char path[128];
	bool is_mended = piece.len > 0 && piece.ptr[0] == '+';
	size_t header_bytes = is_mended ? SEGMENT_HEADER_BYTES : 0;
	if (is_mended)
		piece = slice_from(piece, 1);
	char *bytes = malloc(header_bytes + piece.len + 1);
	if (bytes == NULL)
		abort();
	if (piece.len > 0)
		memcpy(bytes + header_bytes, piece.ptr, piece.len);
	if (is_mended) {
		segment_write_header(bytes, number, 1);
		mend(bytes, header_bytes + piece.len);
	}
	(void)snprintf(path, sizeof path, "%s/%06u.seg", folder, number);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 ||
	    write(fd, bytes, header_bytes + piece.len) != (ssize_t)(header_bytes + piece.len))
		abort();
	(void)close(fd);
	free(bytes);
}

/* Uses every field of a record, as the delivery does. */
static void use(const struct record *record)
{
	struct buffer out;
	buffer_init(&out, 1 << 24);
	if (record->type == RECORD_START)
		request_create_run(&out, "id", "1", &record->start);
	else if (record->type == RECORD_DATASET)
		request_log_dataset(&out, "id", &record->dataset);
	else if (record->type == RECORD_END)
		request_update_run(&out, "id", record->end.status, record->end.time_ms);
	else if (record->type == RECORD_FILE || record->type == RECORD_ARCHIVE)
		buffer_append(&out, record->file.artifact_path);
	else
		request_log_batch(&out, "id", record, 1);
	buffer_deinit(&out);
}

static void read_all(struct spool *s)
{
	struct spool_reader r;
	struct record record;
	struct error err;
	enum spool_read outcome;
	spool_reader_init(&r, s);
	while ((outcome = spool_reader_next(&r, &record, &err)) != SPOOL_READ_NONE) {
		if (outcome == SPOOL_READ_BOUNDARY && !spool_reader_advance(&r, &err))
			break;
		if (outcome == SPOOL_READ_RECORD)
			use(&record);
		if (outcome == SPOOL_READ_FAILED)
			break;
	}
	spool_reader_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "|SEG|";
	const char *at = (const char *)data;
	const char *end = at + size;
	struct spool *s;
	struct error err;
	make_folder();
	for (uint32_t number = 1; number <= 4; number++) {
		const char *next =
			at == end ? NULL : memmem(at, (size_t)(end - at), mark, sizeof mark - 1);
		write_segment(number, slice_make(at, (size_t)((next == NULL ? end : next) - at)));
		if (next == NULL)
			break;
		at = next + sizeof mark - 1;
	}
	const struct spool_options options = {.directory = folder, .bytes_max = UINT64_MAX};
	if (spool_open(&options, &s, &err)) {
		const struct record last = {.type = RECORD_CLOSE};
		read_all(s);
		if (!spool_append(s, &last, &err))
			abort();
		read_all(s);
		struct spool_counts counts;
		spool_counts(s, &counts);
		if (!spool_confirm(s, counts.last_sequence, 0, &err))
			abort();
		spool_close(s); /* closed and confirmed: this removes the folder */
		folder[0] = '\0';
	}
	return 0;
}
