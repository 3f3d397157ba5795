/* CRC-32C (Castagnoli), the checksum of the spool's records. Pure. */
#ifndef CLIENT_CRC32C_H
#define CLIENT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` over `bytes`; start with 0. crc32c(0, "123456789", 9) is 0xe3069283. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t count);

#endif
