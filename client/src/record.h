/* A record is one thing a program said about its run: the payload of the spool's frames, and its
 * decoded form.
 *
 * A payload is a type byte and the fields of the type. Texts are a length (u32; ABSENT_LENGTH for
 * none) and bytes; numbers are little-endian. Decoding borrows from the payload, checks every
 * length, and accepts any bytes as input. */
#ifndef CLIENT_RECORD_H
#define CLIENT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

enum record_type {
	RECORD_START = 1,    /* a program started the run, or continued it */
	RECORD_METRIC,	     /* one point; its name by number */
	RECORD_METRIC_NAMED, /* one point that gives the next number of the segment to its name */
	RECORD_PARAM,
	RECORD_TAG,
	RECORD_FILE,	/* an artifact; its content lies in the spool as `stored_name` */
	RECORD_ARCHIVE, /* a tarball of artifacts, likewise */
	RECORD_DATASET,
	RECORD_END,   /* the run ended */
	RECORD_CLOSE, /* the program let go of the run without ending it */
};

struct record_start {
	bool is_continued; /* the run id was given: the run may exist */
	int64_t time_ms;
	struct slice url;
	struct slice experiment;
	struct slice run_name_or_absent;
	struct slice user_or_absent;
	uint32_t given_tags_count; /* so many tags are the caller's; the library's follow */
	uint32_t tags_count;
	struct slice tags; /* encoded pairs: record_next_pair */
};

struct record_metric {
	uint32_t name_number; /* within the segment */
	double value;
	int64_t step;
	int64_t time_ms;
	struct slice name; /* RECORD_METRIC: empty until the reader fills it in */
};

struct record_pair {
	struct slice key;
	struct slice value;
};

struct record_file {
	struct slice artifact_path;
	struct slice stored_name;
	struct slice sha256;		    /* hex, of the stored bytes */
	struct slice tree_sha256_or_absent; /* ARCHIVE: of the tree inside */
	int64_t bytes;
};

struct record_dataset {
	struct slice name, digest, source_type, source, context_or_absent;
};

struct record_end {
	int64_t time_ms;
	struct slice status; /* MLflow's word */
};

struct record {
	enum record_type type;
	uint64_t sequence; /* set by the reader */
	union {
		struct record_start start;
		struct record_metric metric;
		struct record_pair pair; /* PARAM, TAG */
		struct record_file file; /* FILE, ARCHIVE */
		struct record_dataset dataset;
		struct record_end end;
	};
};

enum {
	RECORD_METRIC_BYTES = 32,
	RECORD_NAME_LENGTH_MAX = 250, /* characters: MLflow's limit */
	RECORD_NAME_BYTES_MAX = 4 * RECORD_NAME_LENGTH_MAX,
};

/* Names of metrics, params and tags: 1 to RECORD_NAME_LENGTH_MAX characters of UTF-8.
 * INVALID_PARAMETER_VALUE otherwise; which characters are allowed is the server's to say. */
MUST_CHECK bool record_check_name(struct slice name, struct error *err);

/* Appends the payload of any record but metrics. */
void record_encode(const struct record *record, struct buffer *out);
void record_encode_pair(struct buffer *out, struct slice key, struct slice value);
/* Writes RECORD_METRIC_BYTES; the name of a RECORD_METRIC_NAMED follows them as the rest of the
 * payload. */
void record_encode_metric(enum record_type type, const struct record_metric *metric,
			  char at[RECORD_METRIC_BYTES]);
/* False if the payload is no record of this library version. */
MUST_CHECK bool record_decode(struct slice payload, struct record *out);
/* Takes the next pair off `tags`; false at the end. */
MUST_CHECK bool record_next_pair(struct slice *tags, struct record_pair *out);

#endif
