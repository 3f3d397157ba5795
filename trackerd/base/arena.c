/* Owns the pages of arenas. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { RED_ZONE_BYTES = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(ptr, bytes)	((void)(ptr), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, bytes) ((void)(ptr), (void)(bytes))
enum { RED_ZONE_BYTES = 0 };
#endif

enum {
	PAGE_BYTES_MIN = 4 * 1024,
	PAGE_BYTES_MAX = 1024 * 1024,
	ALIGNMENT = alignof(max_align_t),
};

/* Newest first. `capacity` counts against the arena's bytes_max, this head does not. Behind the
 * last byte there is room for one more red zone. */
struct arena_page {
	struct arena_page *older_or_null;
	size_t capacity;
	alignas(max_align_t) char bytes[];
};

static bool page_push(struct arena *arena, size_t bytes);
static void page_pop(struct arena *arena);

void arena_init(struct arena *arena, size_t bytes_max)
{
	*arena = (struct arena){.bytes_max = bytes_max};
}

void arena_reset(struct arena *arena)
{
	while (arena->page_or_null != NULL)
		page_pop(arena);
	arena->used_bytes = 0;
}

void arena_deinit(struct arena *arena)
{
	arena_reset(arena);
	arena->guard_or_null = NULL;
}

void arena_guard_set(struct arena *arena, jmp_buf *guard_or_null)
{
	arena->guard_or_null = guard_or_null;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
	void *memory = arena_try_alloc(arena, count, size);
	if (memory == NULL)
		arena_exhausted(arena);
	return memory;
}

void arena_exhausted(struct arena *arena)
{
	ASSERT(arena->guard_or_null != NULL);
	longjmp(*arena->guard_or_null, 1);
}

void *arena_try_alloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (!checked_mul_size(count, size, &bytes) || bytes > arena->bytes_max)
		return NULL;
	struct arena_page *page = arena->page_or_null;
	/* used_bytes can lie behind the capacity, by a red zone or by alignment. */
	if (page == NULL || arena->used_bytes > page->capacity ||
	    bytes > page->capacity - arena->used_bytes) {
		if (!page_push(arena, bytes))
			return NULL;
		page = arena->page_or_null;
	}
	char *memory = page->bytes + arena->used_bytes;
	ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
	memset(memory, 0, bytes);
	size_t step = bytes + RED_ZONE_BYTES;
	arena->used_bytes += (step + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return memory;
}

void *arena_list_room(struct arena *arena, void *items, size_t count, size_t item_bytes)
{
	bool is_full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, … items */
	if (!is_full)
		return items;
	void *bigger = arena_alloc(arena, count == 0 ? 1 : 2 * count, item_bytes);
	if (count > 0)
		memcpy(bigger, items, count * item_bytes);
	return bigger;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
	if (!slice_is_present(s))
		return s;
	char *copy = ARENA_NEW(arena, char, s.len);
	memcpy(copy, s.ptr, s.len);
	return slice_make(copy, s.len);
}

char *arena_cstr(struct arena *arena, struct slice s)
{
	char *copy = ARENA_NEW(arena, char, s.len + 1);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return copy;
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
	char text[256];
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	ASSERT(len >= 0);
	char *copy = ARENA_NEW(arena, char, (size_t)len + 1);
	if ((size_t)len < sizeof(text)) {
		memcpy(copy, text, (size_t)len);
		return slice_make(copy, (size_t)len);
	}
	va_start(arguments, format);
	(void)vsnprintf(copy, (size_t)len + 1, format, arguments); /* same length as before */
	va_end(arguments);
	return slice_make(copy, (size_t)len);
}

struct slice arena_concat(struct arena *arena, struct slice a, struct slice b)
{
	/* The lengths of two live runs of bytes cannot overflow. */
	char *text = ARENA_NEW(arena, char, a.len + b.len);
	if (a.len > 0)
		memcpy(text, a.ptr, a.len);
	if (b.len > 0)
		memcpy(text + a.len, b.ptr, b.len);
	return slice_make(text, a.len + b.len);
}

struct arena_mark arena_mark(const struct arena *arena)
{
	return (struct arena_mark){arena->page_or_null, arena->used_bytes};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
	while (arena->page_or_null != mark.page_or_null)
		page_pop(arena);
	arena->used_bytes = mark.used_bytes;
	struct arena_page *page = arena->page_or_null;
	if (page != NULL && mark.used_bytes < page->capacity)
		ASAN_POISON_MEMORY_REGION(page->bytes + mark.used_bytes,
					  page->capacity - mark.used_bytes);
}

/* Pages grow with the arena, so that a small job takes 4 KiB and a large one few pages. An eighth leaves
 * little unused, and keeps those of most jobs so small that malloc has them at hand. */
static bool page_push(struct arena *arena, size_t bytes)
{
	size_t left = arena->bytes_max - arena->total_bytes;
	if (bytes > left)
		return false;
	size_t capacity = PAGE_BYTES_MIN;
	while (capacity < PAGE_BYTES_MAX && capacity <= arena->total_bytes / 8)
		capacity *= 2;
	if (capacity < bytes)
		capacity = bytes;
	if (capacity > left)
		capacity = left;
	size_t total;
	if (!checked_add_size(capacity, sizeof(struct arena_page) + RED_ZONE_BYTES, &total))
		return false;
	struct arena_page *page = malloc(total);
	if (page == NULL)
		return false;
	page->older_or_null = arena->page_or_null;
	page->capacity = capacity;
	ASAN_POISON_MEMORY_REGION(page->bytes, capacity + RED_ZONE_BYTES);
	arena->page_or_null = page;
	arena->used_bytes = 0;
	arena->total_bytes += capacity;
	return true;
}

static void page_pop(struct arena *arena)
{
	struct arena_page *page = arena->page_or_null;
	ASSERT(page != NULL); /* else the mark is of another arena, or was rewound past */
	arena->page_or_null = page->older_or_null;
	arena->total_bytes -= page->capacity;
	ASAN_UNPOISON_MEMORY_REGION(page->bytes, page->capacity + RED_ZONE_BYTES);
	free(page);
}
