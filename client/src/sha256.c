/* Owns the use of libcrypto: SHA-256 and nothing else. */
#include "src/sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/status.h"

enum { READ_BYTES = 256 * 1024 };

bool sha256_init(struct sha256 *h, struct error *err)
{
	h->context = EVP_MD_CTX_new();
	if (h->context != NULL && EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) == 1)
		return true;
	sha256_deinit(h);
	return error_set(err, ERR_REQUEST_TOO_LARGE, "no memory for SHA-256");
}

bool sha256_update(struct sha256 *h, struct slice bytes, struct error *err)
{
	if (bytes.len == 0 || EVP_DigestUpdate(h->context, bytes.ptr, bytes.len) == 1)
		return true;
	return error_set(err, ERR_INTERNAL_ERROR, "SHA-256 failed");
}

bool sha256_finish(struct sha256 *h, char hex[SHA256_HEX_LEN + 1], struct error *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[EVP_MAX_MD_SIZE];
	if (EVP_DigestFinal_ex(h->context, digest, NULL) != 1 ||
	    EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1)
		return error_set(err, ERR_INTERNAL_ERROR, "SHA-256 failed");
	for (size_t i = 0; i < SHA256_HEX_LEN / 2; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	hex[SHA256_HEX_LEN] = '\0';
	return true;
}

void sha256_deinit(struct sha256 *h)
{
	EVP_MD_CTX_free(h->context);
	h->context = NULL;
}

bool sha256_update_member(struct sha256 *h, const char *hex, const char *path, struct error *err)
{
	return sha256_update(h, slice_from_cstr(hex), err) && sha256_update(h, SLICE("  "), err) &&
	       sha256_update(h, slice_from_cstr(path), err) && sha256_update(h, SLICE("\n"), err);
}

bool sha256_of_file(int fd, const char *path, char hex[SHA256_HEX_LEN + 1], int64_t *bytes_out,
		    struct error *err)
{
	struct sha256 h;
	char *block = malloc(READ_BYTES);
	if (block == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	if (!sha256_init(&h, err)) {
		free(block);
		return false;
	}
	int64_t total = 0;
	ssize_t count = 0;
	bool ok = true;
	while (ok && (count = pread(fd, block, READ_BYTES, (off_t)total)) > 0) {
		ok = sha256_update(&h, slice_make(block, (size_t)count), err);
		total += count;
	}
	if (ok && count < 0)
		ok = status_file_error(err, errno, "read", path);
	ok = ok && sha256_finish(&h, hex, err);
	if (ok)
		*bytes_out = total;
	sha256_deinit(&h);
	free(block);
	return ok;
}
