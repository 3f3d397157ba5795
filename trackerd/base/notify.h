/* What a service manager is told: that we are ready, still alive, stopping. The protocol is that of sd_notify(3):
 * lines "NAME=value" in one datagram to the Unix socket that $NOTIFY_SOCKET names. Without a manager nothing happens.
 * Any thread. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends "READY=1\nSTATUS=…" and the like: one or more lines. False when nobody asked for it, or when it could not be
 * sent, which is nothing that a caller could mend. Never blocks. */
bool notify_send(const char *lines);
/* How long the manager waits for "WATCHDOG=1" before it thinks that we hang: tell it twice as often. 0: it does not. */
int64_t notify_watchdog_ms(void);

#endif
