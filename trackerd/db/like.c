/* Owns the matching of LIKE patterns. */
#include "db/like.h"

#include "base/utf8.h"

static bool bytes_equal(char a, char b, bool ignore_case);
static size_t code_point_bytes(struct slice text, size_t at);

bool like_matches(struct slice pattern, struct slice text, bool ignore_case)
{
	size_t p = 0, t = 0;
	/* Where to go on when the rest does not match: the last '%' swallows one more. */
	bool has_retry = false;
	size_t retry_p = 0, retry_t = 0;
	for (;;) {
		if (p < pattern.len && pattern.ptr[p] == '%') {
			has_retry = true;
			retry_p = ++p;
			retry_t = t;
			continue;
		}
		if (p == pattern.len && t == text.len)
			return true;
		if (p < pattern.len && t < text.len) {
			if (pattern.ptr[p] == '_') {
				p++;
				t += code_point_bytes(text, t);
				continue;
			}
			if (bytes_equal(pattern.ptr[p], text.ptr[t], ignore_case)) {
				p++;
				t++;
				continue;
			}
		}
		if (!has_retry || retry_t == text.len)
			return false;
		retry_t += code_point_bytes(text, retry_t);
		p = retry_p;
		t = retry_t;
	}
}

static bool bytes_equal(char a, char b, bool ignore_case)
{
	if (a == b)
		return true;
	if (!ignore_case)
		return false;
	char folded = (char)(a | 0x20);
	return folded == (char)(b | 0x20) && folded >= 'a' && folded <= 'z';
}

static size_t code_point_bytes(struct slice text, size_t at)
{
	size_t bytes = utf8_sequence_bytes(text.ptr + at, text.len - at);
	return bytes == 0 ? 1 : bytes;
}
