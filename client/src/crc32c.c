/* Owns the checksum of spool records: CRC-32C, four bytes a step. */
#include "src/crc32c.h"

/* The checksum is linear: the row of a byte is the XOR of the rows of its bits, so eight numbers a
 * table say it all and the compiler unfolds them. Table k holds what a byte contributes k bytes
 * later. */
#define ROW(i, a, b, c, d, e, f, g, h)                                                             \
	((((i)&1) ? (a) : 0u) ^ (((i)&2) ? (b) : 0u) ^ (((i)&4) ? (c) : 0u) ^                      \
	 (((i)&8) ? (d) : 0u) ^ (((i)&16) ? (e) : 0u) ^ (((i)&32) ? (f) : 0u) ^                    \
	 (((i)&64) ? (g) : 0u) ^ (((i)&128) ? (h) : 0u))
#define ROWS4(i, ...)                                                                              \
	ROW(i, __VA_ARGS__), ROW((i) + 1, __VA_ARGS__), ROW((i) + 2, __VA_ARGS__),                 \
		ROW((i) + 3, __VA_ARGS__)
#define ROWS16(i, ...)                                                                             \
	ROWS4(i, __VA_ARGS__), ROWS4((i) + 4, __VA_ARGS__), ROWS4((i) + 8, __VA_ARGS__),           \
		ROWS4((i) + 12, __VA_ARGS__)
#define ROWS64(i, ...)                                                                             \
	ROWS16(i, __VA_ARGS__), ROWS16((i) + 16, __VA_ARGS__), ROWS16((i) + 32, __VA_ARGS__),      \
		ROWS16((i) + 48, __VA_ARGS__)
#define ROWS256(...)                                                                               \
	ROWS64(0, __VA_ARGS__), ROWS64(64, __VA_ARGS__), ROWS64(128, __VA_ARGS__),                 \
		ROWS64(192, __VA_ARGS__)

static const uint32_t tables[4][256] = {
	{ROWS256(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu,
		 0x417b1dbcu, 0x82f63b78u)},
	{ROWS256(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u,
		 0xff17c604u, 0xfbc3faf9u)},
	{ROWS256(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u,
		 0xc76580d9u, 0x8b277743u)},
	{ROWS256(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu,
		 0xaba65fe7u, 0x52a0c93fu)},
};

uint32_t crc32c(uint32_t crc, const void *bytes, size_t count)
{
	const unsigned char *p = bytes;
	crc = ~crc;
	for (; count >= 4; count -= 4, p += 4) {
		crc ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		       (uint32_t)p[3] << 24;
		crc = tables[3][crc & 0xff] ^ tables[2][crc >> 8 & 0xff] ^
		      tables[1][crc >> 16 & 0xff] ^ tables[0][crc >> 24];
	}
	for (; count > 0; count--, p++)
		crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}
