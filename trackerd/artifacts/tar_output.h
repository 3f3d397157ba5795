/* Writes archives that are the same, byte for byte, for the same files: tar (ustar, pax where it
 * must), tar.gz, tar.zst, zip.
 *
 * Times are 0 (zip: 1980-01-01 00:00), owners 0 without names, modes 0644 and 0755; gzip's
 * header holds no time; zip times do not depend on the time zone. The caller gives the members
 * in a fixed order.
 *
 * What is written goes to the buffer named last by tar_output_to; a call may add several hundred
 * KiB more than it was given, because compressors let go of their bytes in bursts. One thread at
 * a time. */
#ifndef ARTIFACTS_TAR_OUTPUT_H
#define ARTIFACTS_TAR_OUTPUT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

enum tar_output_format { TAR_OUTPUT_TAR, TAR_OUTPUT_TAR_GZ, TAR_OUTPUT_TAR_ZST, TAR_OUTPUT_ZIP };

/* One format by its name in URLs and file names ("tar.gz"). */
struct tar_output_format_info {
	const char *name;
	const char *media_type;
};
const struct tar_output_format_info *tar_output_format_info(enum tar_output_format format);
/* INVALID_PARAMETER_VALUE for any other name; an absent or empty one is tar. */
MUST_CHECK bool tar_output_format_parse(struct slice name, enum tar_output_format *out,
					struct error *err);

struct tar_output;

/* Gives *out. */
MUST_CHECK bool tar_output_new(enum tar_output_format format, struct tar_output **out,
			       struct error *err);
/* Also in the middle. NULL is allowed. */
void tar_output_free(struct tar_output *output_or_null);
/* Keeps `out` until the next call of this; its bytes_max must leave room. */
void tar_output_to(struct tar_output *output, struct buffer *out);
/* Begins a member. A file's content follows in tar_output_data calls, `size` bytes in all. */
MUST_CHECK bool tar_output_file(struct tar_output *output, struct slice path, int64_t size,
				struct error *err);
MUST_CHECK bool tar_output_directory(struct tar_output *output, struct slice path,
				     struct error *err);
MUST_CHECK bool tar_output_data(struct tar_output *output, struct slice bytes, struct error *err);
/* Writes what ends the archive. */
MUST_CHECK bool tar_output_finish(struct tar_output *output, struct error *err);

#endif
