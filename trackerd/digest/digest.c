/* Owns digests: the OpenSSL calls, and SHA-256 as hexadecimal and as a Content-Digest. */
#include "digest/digest.h"

#include <pthread.h>

#include <openssl/evp.h>

/* Looked up once: EVP_sha256() would look the algorithm up at every init. */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *algorithm;

static void fetch(void)
{
	algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

bool digest_init(struct digest *h, struct error *err)
{
	(void)pthread_once(&fetched, fetch);
	h->context_or_null = EVP_MD_CTX_new();
	if (algorithm == NULL || h->context_or_null == NULL ||
	    EVP_DigestInit_ex2(h->context_or_null, algorithm, NULL) != 1) {
		digest_deinit(h);
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server is out of memory; try again.");
	}
	return true;
}

void digest_deinit(struct digest *h)
{
	EVP_MD_CTX_free(h->context_or_null);
	h->context_or_null = NULL;
}

void digest_restart(struct digest *h)
{
	int ok = EVP_DigestInit_ex2(h->context_or_null, algorithm, NULL);
	ASSERT(ok == 1);
}

void digest_update(struct digest *h, struct slice bytes)
{
	int ok = EVP_DigestUpdate(h->context_or_null, bytes.ptr, bytes.len);
	ASSERT(ok == 1);
}

void digest_value(const struct digest *h, unsigned char digest[SHA256_BYTES])
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	ASSERT(copy != NULL);
	int ok = EVP_MD_CTX_copy_ex(copy, h->context_or_null);
	ASSERT(ok == 1);
	ok = EVP_DigestFinal_ex(copy, digest, NULL);
	ASSERT(ok == 1);
	EVP_MD_CTX_free(copy);
}

void digest_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LEN] = '\0';
}

bool digest_from_hex(struct slice hex, unsigned char digest[SHA256_BYTES])
{
	unsigned char bytes[SHA256_BYTES];
	if (hex.len != SHA256_HEX_LEN)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = slice_hex_digit(hex.ptr[2 * i]);
		int low = slice_hex_digit(hex.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	memcpy(digest, bytes, sizeof(bytes));
	return true;
}

/* 44 characters of base64 with one '=' at the end are 32 bytes. */
static bool digest_from_base64(struct slice text, unsigned char digest[SHA256_BYTES])
{
	unsigned char bytes[SHA256_BYTES + 1];
	if (text.len != 44 || text.ptr[43] != '=' || text.ptr[42] == '=')
		return false;
	if (EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, 44) != SHA256_BYTES + 1)
		return false;
	memcpy(digest, bytes, SHA256_BYTES);
	return true;
}

bool digest_from_content_digest(struct slice header, bool *found_out,
				unsigned char digest[SHA256_BYTES])
{
	static const char prefix[] = "sha-256=:";
	struct slice rest = header, item;
	while (slice_next(&rest, ',', &item)) {
		item = slice_trim(item);
		if (!slice_starts_with(item, slice_from_cstr(prefix)))
			continue;
		item = slice_from(item, sizeof(prefix) - 1);
		if (item.len == 0 || item.ptr[item.len - 1] != ':' ||
		    !digest_from_base64(slice_first(item, item.len - 1), digest))
			return false;
		*found_out = true;
		return true;
	}
	*found_out = false;
	return true;
}
