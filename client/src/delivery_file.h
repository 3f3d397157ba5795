/* The uploads of a delivery: logged files and tarballs of directories. */
#ifndef CLIENT_DELIVERY_FILE_H
#define CLIENT_DELIVERY_FILE_H

#include "src/delivery.h"
#include "src/exchange.h"

/* Sends the stored copy; the server verifies its SHA-256, and what the server says it stored is
 * compared with ours. */
enum exchange_result delivery_file_send(struct delivery *d, const struct record *record,
					struct error *err);
/* Removes the stored copy, once it is confirmed. */
void delivery_file_forget(const struct delivery *d, const struct record *record);

#endif
