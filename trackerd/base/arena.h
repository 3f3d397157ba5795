/* An arena hands out memory that is freed all at once; each job has one.
 *
 * arena_alloc never returns NULL: when `bytes_max` would be passed or the system has no memory left,
 * it jumps to the point that arena_guard_set named (the job runner; the answer becomes
 * REQUEST_TOO_LARGE and the job's savepoint is rolled back), and aborts when there is none. Code that
 * runs below a guard therefore owns nothing but arena memory and statements of its db. This is how
 * PostgreSQL's palloc behaves, and it keeps endpoint and store code free of out-of-memory branches.
 * Code that must not jump (libtrk, cJSON's hooks) calls arena_try_alloc.
 *
 * Memory is zeroed and aligned for any type. Under AddressSanitizer the unused rest of each page is
 * poisoned and allocations are separated by red zones. An arena belongs to one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

struct arena_page;

struct arena {
	struct arena_page *page_or_null; /* newest page */
	size_t used_bytes;               /* in the newest page */
	size_t total_bytes;              /* of all pages */
	size_t bytes_max;
	jmp_buf *guard_or_null;
};

struct arena_mark {
	struct arena_page *page_or_null;
	size_t used_bytes;
};

/* No heap is taken before the first allocation. */
void arena_init(struct arena *arena, size_t bytes_max);
/* Frees everything; the arena can be used again as after arena_init. */
void arena_reset(struct arena *arena);
/* Frees everything. */
void arena_deinit(struct arena *arena);
/* Where exhaustion jumps to (longjmp with 1), or NULL for abort. Keeps the pointer until replaced. */
void arena_guard_set(struct arena *arena, jmp_buf *guard_or_null);

__attribute__((returns_nonnull)) void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* NULL when exhausted; never jumps. */
void *arena_try_alloc(struct arena *arena, size_t count, size_t size);
/* Does what arena_alloc does when nothing is left: for memory from elsewhere that a job did not get. */
__attribute__((noreturn)) void arena_exhausted(struct arena *arena);

#define ARENA_NEW(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))

/* Room for one more item of a list that holds `count` and grows by this function only: `items`, or twice as much
 * memory with the items copied. */
void *arena_list_room(struct arena *arena, void *items, size_t count, size_t item_bytes);

/* Copies into the arena. A copy of an absent slice is absent. */
struct slice arena_copy(struct arena *arena, struct slice s);
/* NUL-terminated copy, for libc and SQLite. Bytes after an inner NUL stay behind it. */
char *arena_cstr(struct arena *arena, struct slice s);
struct slice arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
struct slice arena_concat(struct arena *arena, struct slice a, struct slice b);

/* Scratch that dies with a function: everything allocated after the mark is given back. */
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

#endif
