/* A strict pull scanner for CSV (RFC 4180): no allocation, no table.
 *
 * Fields are separated by commas; a field in double quotes may hold commas, line breaks, and quotes that are doubled.
 * A record ends with LF, CR LF or CR. Lines with nothing but blanks, and a byte order mark, are passed over, as pandas
 * does; quotes anywhere else are an error.
 *
 * Use: init, then csv_scan_next until CSV_END or CSV_ERROR; each record is CSV_FIELD once or more, then
 * CSV_RECORD_END. Borrows the text for its life. Pure. */
#ifndef SERVE_CSV_SCANNER_H
#define SERVE_CSV_SCANNER_H

#include "base/slice.h"

enum csv_token {
	CSV_ERROR, /* error_text and line say what and where; stays */
	CSV_END,   /* stays */
	CSV_FIELD,
	CSV_RECORD_END,
};

struct csv_scanner {
	struct slice text;
	size_t offset;
	size_t line; /* of the text, from 1 on; where the last token ended */
	const char *error_text_or_null;
	struct slice field;	/* of the last CSV_FIELD: within its quotes, if it has some */
	bool has_doubled_quotes; /* field contains "" for " */
	unsigned char state;	/* private */
};

void csv_scanner_init(struct csv_scanner *s, struct slice text);
enum csv_token csv_scan_next(struct csv_scanner *s);

#endif
