/* Owns the table of file types and the Content-Disposition header. */
#include "artifacts/media_type.h"

static const char text[] = "text/plain; charset=utf-8";

// clang-format off
static const struct {
	const char *extension;
	const char *type;
} types[] = {
	{"avif", "image/avif"},
	{"bmp",  "image/bmp"},
	{"c",    text},
	{"cc",   text},
	{"cfg",  text},
	{"conf", text},
	{"cpp",  text},
	{"csv",  text},
	{"gif",  "image/gif"},
	{"gz",   "application/gzip"},
	{"h",    text},
	{"htm",  text},
	{"html", text},
	{"ini",  text},
	{"jpeg", "image/jpeg"},
	{"jpg",  "image/jpeg"},
	{"js",   text},
	{"json", "application/json"},
	{"log",  text},
	{"md",   text},
	{"mp3",  "audio/mpeg"},
	{"mp4",  "video/mp4"},
	{"ogg",  "audio/ogg"},
	{"pdf",  "application/pdf"},
	{"png",  "image/png"},
	{"py",   text},
	{"r",    text},
	{"rst",  text},
	{"sh",   text},
	{"sql",  text},
	{"svg",  text},
	{"tar",  "application/x-tar"},
	{"tgz",  "application/gzip"},
	{"toml", text},
	{"tsv",  text},
	{"txt",  text},
	{"wav",  "audio/wav"},
	{"webm", "video/webm"},
	{"webp", "image/webp"},
	{"xml",  text},
	{"yaml", text},
	{"yml",  text},
	{"zip",  "application/zip"},
	{"zst",  "application/zstd"},
};

/* MLflow's files without an extension. */
static const char *const text_names[] = {"MLmodel", "MLproject", "Dockerfile", "Makefile", "README", "LICENSE"};
// clang-format on

const char *media_type_of(struct slice file_name)
{
	for (size_t i = 0; i < ARRAY_COUNT(text_names); i++) {
		if (slice_eq_cstr(file_name, text_names[i]))
			return text;
	}
	size_t dot = file_name.len;
	while (dot > 0 && file_name.ptr[dot - 1] != '.')
		dot--;
	struct slice extension = dot > 0 ? slice_from(file_name, dot) : (struct slice){0};
	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		if (slice_eq_ignoring_case(extension, slice_from_cstr(types[i].extension)))
			return types[i].type;
	}
	return "application/octet-stream";
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%';
}

/* attr-char of RFC 8187. */
static bool is_attribute_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

struct slice media_type_disposition(struct slice file_name, struct arena *arena)
{
	static const char digits[] = "0123456789ABCDEF";
	static const char before[] = "attachment; filename=\"", between[] = "\"; filename*=UTF-8''";
	char *out = arena_alloc(arena, sizeof(before) + sizeof(between) + file_name.len * 4, 1);
	size_t len = sizeof(before) - 1;
	bool all_plain = true;
	memcpy(out, before, len);
	for (size_t i = 0; i < file_name.len; i++) {
		bool plain = is_plain((unsigned char)file_name.ptr[i]);
		out[len++] = (char)(plain ? file_name.ptr[i] : '_');
		all_plain = all_plain && plain;
	}
	if (all_plain) {
		out[len++] = '"';
		return slice_make(out, len);
	}
	memcpy(out + len, between, sizeof(between) - 1);
	len += sizeof(between) - 1;
	for (size_t i = 0; i < file_name.len; i++) {
		unsigned char c = (unsigned char)file_name.ptr[i];
		if (is_attribute_char(c)) {
			out[len++] = (char)c;
		} else {
			out[len++] = '%';
			out[len++] = digits[c >> 4];
			out[len++] = digits[c & 15];
		}
	}
	return slice_make(out, len);
}
