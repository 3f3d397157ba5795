/* Encodes and decodes page tokens. */
#include "search/page_token.h"

#include "base/base64.h"

enum { DIGEST_BYTES = 8, NUMBER_BYTES = 8 };

struct byte_writer {
	unsigned char *bytes;
	size_t len;
};

struct byte_reader {
	const unsigned char *bytes;
	size_t len, offset;
};

static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t len);
static uint64_t digest_u64(uint64_t digest, uint64_t value);
static size_t key_bytes(const struct order_key *key);
static void write_u64(struct byte_writer *w, uint64_t value);
static void write_key(struct byte_writer *w, const struct order_key *key);
static bool read_u64(struct byte_reader *r, uint64_t *out);
static bool read_key(struct byte_reader *r, struct order_key *out);
static bool read_keys(struct byte_reader *r, struct order_key *keys, size_t count);

/* FNV-1a, 64 bits. */
uint64_t page_query_begin(const char *table_name)
{
	return page_query_text(UINT64_C(0xcbf29ce484222325), slice_from_cstr(table_name));
}

uint64_t page_query_text(uint64_t query, struct slice part)
{
	query = digest_bytes(query, slice_is_present(part) ? "t" : "a", 1);
	query = digest_u64(query, part.len);
	return digest_bytes(query, part.ptr, part.len);
}

uint64_t page_query_texts(uint64_t query, const struct slice *parts, size_t count)
{
	query = digest_u64(digest_bytes(query, "l", 1), count);
	for (size_t i = 0; i < count; i++)
		query = page_query_text(query, parts[i]);
	return query;
}

uint64_t page_query_i64(uint64_t query, int64_t part)
{
	return digest_u64(digest_bytes(query, "i", 1), (uint64_t)part);
}

struct slice page_token_encode(uint64_t query, const struct order_key *keys, size_t count,
			       struct arena *arena)
{
	size_t capacity = DIGEST_BYTES;
	for (size_t i = 0; i < count; i++)
		capacity += key_bytes(&keys[i]);
	struct byte_writer w = {.bytes = ARENA_NEW(arena, unsigned char, capacity)};
	struct byte_writer head = w;
	w.len = DIGEST_BYTES;
	for (size_t i = 0; i < count; i++)
		write_key(&w, &keys[i]);
	ASSERT(w.len == capacity);
	write_u64(&head, digest_bytes(query, w.bytes + DIGEST_BYTES, w.len - DIGEST_BYTES));
	return base64url_encode(slice_make((const char *)w.bytes, w.len), arena);
}

static bool error_foreign(struct error *err)
{
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid page token: it was not given out for this query. A token "
			 "belongs to one filter, order and list of experiments.");
}

bool page_token_decode(struct slice token, uint64_t query, const struct order_by *order,
		       struct arena *arena, const struct order_key **keys_out, struct error *err)
{
	if (token.len == 0) {
		*keys_out = NULL;
		return true;
	}
	struct byte_reader r;
	struct slice bytes;
	uint64_t digest;
	struct order_key *keys = ARENA_NEW(arena, struct order_key, order->count);
	if (!base64url_decode(token, arena, &bytes))
		return error_foreign(err);
	r = (struct byte_reader){.bytes = (const unsigned char *)bytes.ptr, .len = bytes.len};
	bool is_ours = read_u64(&r, &digest) &&
		       digest == digest_bytes(query, r.bytes + r.offset, r.len - r.offset) &&
		       read_keys(&r, keys, order->count) &&
		       order_by_keys_fit(order, keys, order->count);
	if (!is_ours)
		return error_foreign(err);
	*keys_out = keys;
	return true;
}

static uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t len)
{
	const unsigned char *byte = bytes;
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ byte[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static uint64_t digest_u64(uint64_t digest, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		digest = (digest ^ ((value >> shift) & 0xff)) * UINT64_C(0x100000001b3);
	return digest;
}

/* A key is its kind in one byte, then 8 bytes of a number, or 8 bytes of a length and a text. */
static size_t key_bytes(const struct order_key *key)
{
	switch (key->kind) {
	case ORDER_KEY_INTEGER:
	case ORDER_KEY_REAL:
		return 1 + NUMBER_BYTES;
	case ORDER_KEY_TEXT:
		return 1 + NUMBER_BYTES + key->text.len;
	case ORDER_KEY_NULL:
	case ORDER_KEY_MISSING:
	default:
		return 1;
	}
}

static void write_u64(struct byte_writer *w, uint64_t value)
{
	for (unsigned shift = 0; shift < 64; shift += 8)
		w->bytes[w->len++] = (unsigned char)(value >> shift);
}

static void write_key(struct byte_writer *w, const struct order_key *key)
{
	uint64_t bits;
	w->bytes[w->len++] = (unsigned char)key->kind;
	switch (key->kind) {
	case ORDER_KEY_INTEGER:
		write_u64(w, (uint64_t)key->integer);
		break;
	case ORDER_KEY_REAL:
		memcpy(&bits, &key->real, sizeof(bits));
		write_u64(w, bits);
		break;
	case ORDER_KEY_TEXT:
		write_u64(w, key->text.len);
		if (key->text.len > 0)
			memcpy(w->bytes + w->len, key->text.ptr, key->text.len);
		w->len += key->text.len;
		break;
	case ORDER_KEY_NULL:
	case ORDER_KEY_MISSING:
	default:
		break;
	}
}

static bool read_u64(struct byte_reader *r, uint64_t *out)
{
	if (r->len - r->offset < NUMBER_BYTES)
		return false;
	uint64_t value = 0;
	for (unsigned i = 0; i < NUMBER_BYTES; i++)
		value |= (uint64_t)r->bytes[r->offset + i] << (8 * i);
	r->offset += NUMBER_BYTES;
	*out = value;
	return true;
}

static bool read_key(struct byte_reader *r, struct order_key *out)
{
	if (r->offset == r->len || r->bytes[r->offset] > ORDER_KEY_MISSING)
		return false;
	struct order_key key = {.kind = (enum order_key_kind)r->bytes[r->offset++]};
	uint64_t number = 0;
	bool has_number = key.kind == ORDER_KEY_INTEGER || key.kind == ORDER_KEY_REAL ||
			  key.kind == ORDER_KEY_TEXT;
	if (has_number && !read_u64(r, &number))
		return false;
	if (key.kind == ORDER_KEY_INTEGER)
		key.integer = (int64_t)number;
	if (key.kind == ORDER_KEY_REAL)
		memcpy(&key.real, &number, sizeof(key.real));
	if (key.kind == ORDER_KEY_TEXT) {
		if (number > r->len - r->offset)
			return false;
		key.text = slice_make((const char *)r->bytes + r->offset, (size_t)number);
		r->offset += (size_t)number;
	}
	*out = key;
	return true;
}

/* Exactly `count` keys, and nothing after them. */
static bool read_keys(struct byte_reader *r, struct order_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!read_key(r, &keys[i]))
			return false;
	}
	return r->offset == r->len;
}
