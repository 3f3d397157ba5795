/* How inner errors (base/error.h) become the public trk_status, and how system errors become
 * sentences. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "base/error.h"
#include "trk.h"

/* Codes of base/error.h have one meaning each inside libtrk; this is the table. */
enum trk_status status_of_error(const struct error *err);
/* "what: No space left on device". The code is STORAGE_FULL for anything that concerns the spool's
 * disk. */
bool status_disk_error(struct error *err, int error_number, const char *what);
/* The same for a file of the caller's. */
bool status_file_error(struct error *err, int error_number, const char *verb, const char *path);
/* The same for what the machine does not let us do, from errno; INVALID_STATE. */
bool status_local_error(struct error *err, const char *verb, const char *path);
/* Copies a sentence into a caller's buffer, cut to fit; `text` may be NULL. */
void status_copy_text(const char *sentence, char *text, size_t text_bytes);

#endif
