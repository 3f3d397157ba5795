/* Owns the making of signatures. */
#include "outgoing/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/checked.h"

void signature_make(struct slice secret, struct slice content, char signature[SIGNATURE_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	ASSERT(secret.len <= INT_MAX);
	const unsigned char *made =
		HMAC(EVP_sha256(), secret.ptr, (int)secret.len, (const unsigned char *)content.ptr,
		     content.len, digest, &digest_len);
	ASSERT(made != NULL && digest_len == 32);
	memcpy(signature, "v1,", 3);
	int written = EVP_EncodeBlock((unsigned char *)signature + 3, digest, 32);
	ASSERT(written + 3 + 1 == SIGNATURE_BYTES);
}
