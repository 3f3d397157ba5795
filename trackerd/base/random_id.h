/* Random identifiers from the kernel's generator (getrandom). Thread-safe. */
#ifndef BASE_RANDOM_ID_H
#define BASE_RANDOM_ID_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { RANDOM_ID_HEX_LEN = 32, RANDOM_UUID_LEN = 36 };

/* Fills `bytes`; blocks only until the kernel's generator is seeded at boot. Aborts if the kernel
 * has no getrandom, since no identifier could be trusted then. */
void random_bytes(void *bytes, size_t count);
/* 32 lower-case hexadecimal digits (128 random bits) and a NUL: MLflow's run id. */
void random_id_hex(char id[RANDOM_ID_HEX_LEN + 1]);
/* "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx": a random UUID (RFC 9562, version 4) and a NUL. */
void random_uuid(char uuid[RANDOM_UUID_LEN + 1]);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(uint64_t bound);
/* "adjective-noun-NNN" for a run without a name, as MLflow does; text[64]. */
void random_run_name(char text[64]);

#endif
