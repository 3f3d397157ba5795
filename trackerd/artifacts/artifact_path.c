/* Owns the rules for artifact paths: decoding, checking, normalising. */
#include "artifacts/artifact_path.h"

#include "limits.h"

static bool fail_invalid(struct error *err)
{
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid path");
}

/* Decodes "%XX" at the end of what was written so far, again and again: "%25" + "20" becomes
 * "%20", then " ". Escapes never overlap, so this ends where decoding the whole text until it is
 * stable would end, in one pass. */
static size_t reduce_escapes(char *text, size_t len)
{
	while (len >= 3 && text[len - 3] == '%') {
		int high = slice_hex_digit(text[len - 2]);
		int low = slice_hex_digit(text[len - 1]);
		if (high < 0 || low < 0)
			break;
		len -= 2;
		text[len - 1] = (char)(high * 16 + low);
	}
	return len;
}

/* Writes at most text.len bytes to `decoded`; returns how many. */
static size_t decode_until_stable(struct slice text, char *decoded)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		decoded[len++] = text.ptr[i];
		len = reduce_escapes(decoded, len);
	}
	return len;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Writes at most 3 * text.len bytes to `escaped`; returns how many. A NUL stays one, to be refused. */
static size_t escape_controls(struct slice text, char *escaped)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (!is_control(text.ptr[i]) || c == '\0') {
			escaped[len++] = text.ptr[i];
			continue;
		}
		escaped[len++] = '%';
		escaped[len++] = digits[c >> 4];
		escaped[len++] = digits[c & 15];
	}
	return len;
}

/* What a peer that asks for `text` means: decoded until stable, with control characters escaped. */
static struct slice resolve_escapes(struct slice text, struct arena *arena)
{
	char *decoded = arena_alloc(arena, text.len + 1, 1);
	size_t len = decode_until_stable(text, decoded);
	char *escaped = arena_alloc(arena, 3 * len + 1, 1);
	return slice_make(escaped, escape_controls(slice_make(decoded, len), escaped));
}

static bool has_drive_letter(struct slice text)
{
	if (text.len < 2 || text.ptr[1] != ':')
		return false;
	char lower = (char)(text.ptr[0] | 0x20);
	return lower >= 'a' && lower <= 'z';
}

static bool has_forbidden_byte(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_control(text.ptr[i]) || text.ptr[i] == '\\' || text.ptr[i] == '#')
			return true;
	}
	return false;
}

/* What is wrong with it, or NULL. */
static const char *find_fault(struct slice text)
{
	if (text.len > 0 && text.ptr[0] == '/')
		return "is absolute";
	if (has_drive_letter(text))
		return "begins with a drive letter";
	if (has_forbidden_byte(text))
		return "contains a control character, a backslash or '#'";
	if (!slice_is_utf8(text))
		return "is not UTF-8";
	struct slice rest = text, segment;
	while (slice_next(&rest, '/', &segment)) {
		if (slice_eq_cstr(segment, ".."))
			return "contains '..'";
	}
	return NULL;
}

/* A copy without empty and "." segments. */
static struct slice normalise(struct slice text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1, 1);
	struct slice rest = text, segment;
	size_t len = 0;
	while (slice_next(&rest, '/', &segment)) {
		if (segment.len == 0 || slice_eq_cstr(segment, "."))
			continue;
		if (len > 0)
			copy[len++] = '/';
		memcpy(copy + len, segment.ptr, segment.len);
		len += segment.len;
	}
	return slice_make(copy, len);
}

bool artifact_path_parse(struct slice text, struct arena *arena, struct slice *out,
			 struct error *err)
{
	struct slice resolved = resolve_escapes(text, arena);
	if (find_fault(resolved) != NULL)
		return fail_invalid(err);
	struct slice path = normalise(resolved, arena);
	if (path.len > ARTIFACT_PATH_BYTES_MAX)
		return fail_invalid(err);
	*out = path;
	return true;
}

bool artifact_path_parse_below_root(struct slice text, struct arena *arena, struct slice *out,
				    struct error *err)
{
	struct slice path = {0};
	if (!artifact_path_parse(text, arena, &path, err))
		return false;
	if (path.len == 0)
		return fail_invalid(err);
	*out = path;
	return true;
}

bool artifact_path_parse_member(struct slice name, struct arena *arena, struct slice *out,
				struct error *err)
{
	char quoted[128];
	const char *fault = find_fault(name);
	struct arena_mark mark = arena_mark(arena);
	bool is_what_it_says = fault != NULL || slice_eq(resolve_escapes(name, arena), name);
	arena_rewind(arena, mark);
	if (!is_what_it_says)
		fault = "contains a percent escape, so it could not be asked for by its name";
	struct slice path = {0};
	if (fault == NULL) {
		path = normalise(name, arena);
		if (path.len > ARTIFACT_PATH_BYTES_MAX)
			fault = "is longer than 1024 bytes";
	}
	if (fault != NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid path in the archive: '%s' %s.",
				 error_quote(name, quoted, sizeof(quoted)), fault);
	*out = path;
	return true;
}

bool artifact_path_from_uri(struct slice uri, struct arena *arena, struct slice *out,
			    struct error *err)
{
	static const char scheme[] = "mlflow-artifacts:/";
	char quoted[128];
	if (!slice_starts_with(uri, slice_from_cstr(scheme)))
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"The artifacts are at '%s', which this server does not hold; it serves "
			"addresses that begin with 'mlflow-artifacts:/'.",
			error_quote(uri, quoted, sizeof(quoted)));
	struct slice path = slice_from(uri, sizeof(scheme) - 1);
	if (path.len > 0 && path.ptr[0] == '/') /* "//host/path" */
		path = slice_from(path, slice_find_byte(path, '/', 1) + 1);
	while (path.len > 0 && path.ptr[0] == '/')
		path = slice_from(path, 1);
	return artifact_path_parse(path, arena, out, err);
}

bool artifact_path_join(struct slice directory, struct slice rest, struct arena *arena,
			struct slice *out, struct error *err)
{
	if (directory.len == 0 || rest.len == 0) {
		*out = directory.len == 0 ? rest : directory;
		return true;
	}
	size_t len = directory.len + 1 + rest.len;
	if (len > ARTIFACT_PATH_BYTES_MAX)
		return fail_invalid(err);
	char *text = arena_alloc(arena, len, 1);
	memcpy(text, directory.ptr, directory.len);
	text[directory.len] = '/';
	memcpy(text + directory.len + 1, rest.ptr, rest.len);
	*out = slice_make(text, len);
	return true;
}

static size_t last_slash(struct slice path)
{
	size_t i = path.len;
	while (i > 0 && path.ptr[i - 1] != '/')
		i--;
	return i;
}

struct slice artifact_path_directory(struct slice path)
{
	size_t name_begin = last_slash(path);
	return slice_first(path, name_begin > 0 ? name_begin - 1 : 0);
}

struct slice artifact_path_name(struct slice path)
{
	return slice_from(path, last_slash(path));
}

bool artifact_path_is_within(struct slice path, struct slice directory)
{
	return slice_starts_with(path, directory) &&
	       (directory.len == 0 || path.len == directory.len || path.ptr[directory.len] == '/');
}
