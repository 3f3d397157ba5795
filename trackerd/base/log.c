/* Owns standard error: levels, the form of a line, and repeats. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_repeat.h"
#include "base/utf8.h"

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

static atomic_int level_min = LOG_INFO;
static pthread_mutex_t repeat_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct log_repeat repeat; /* under repeat_mutex */

static bool admit(enum log_level level, const char *event, unsigned *held_back_out);
static size_t clip(int printed, size_t room);
static void write_line(char *line, size_t len);
static bool is_bare(struct slice value);
static size_t escape(struct slice value, size_t *at, char out[8]);

void log_level_set(enum log_level level)
{
	atomic_store(&level_min, (int)level);
}

bool log_is_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&level_min, memory_order_relaxed);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	unsigned held_back = 0;
	if (!log_is_enabled(level) || !admit(level, event, &held_back))
		return;
	char line[LOG_LINE_BYTES_MAX];
	size_t room = sizeof(line) - 1; /* one byte stays for the newline */
	char time[25];
	clock_format_ms(clock_wall_ms(clock_system()), time);
	size_t len = clip(
		snprintf(line, room, "time=%s level=%s event=%s", time, level_names[level], event),
		room);
	if (held_back > 0)
		len += clip(snprintf(line + len, room - len, " held_back=%u", held_back),
			    room - len);
	if (format[0] != '\0' && len + 1 < room) {
		line[len++] = ' ';
		va_list arguments;
		va_start(arguments, format);
		len += clip(vsnprintf(line + len, room - len, format, arguments), room - len);
		va_end(arguments);
	}
	write_line(line, len);
}

const char *log_quote(struct slice value, char *quoted, unsigned long quoted_bytes)
{
	ASSERT(quoted_bytes >= 3);
	if (is_bare(value) && value.len < quoted_bytes) {
		memcpy(quoted, value.ptr, value.len);
		quoted[value.len] = '\0';
		return quoted;
	}
	size_t len = 0;
	quoted[len++] = '"';
	for (size_t at = 0; at < value.len;) {
		char escaped[8];
		size_t bytes = escape(value, &at, escaped);
		if (len + bytes > quoted_bytes - 2)
			break;
		memcpy(quoted + len, escaped, bytes);
		len += bytes;
	}
	quoted[len++] = '"';
	quoted[len] = '\0';
	return quoted;
}

bool log_level_parse(struct slice name, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
		if (slice_eq_cstr(name, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static bool admit(enum log_level level, const char *event, unsigned *held_back_out)
{
	if (level < LOG_WARN)
		return true;
	int64_t now_ms = clock_monotonic_ms(clock_system());
	int rc = pthread_mutex_lock(&repeat_mutex);
	ASSERT(rc == 0);
	bool admitted = log_repeat_admit(&repeat, event, now_ms, held_back_out);
	rc = pthread_mutex_unlock(&repeat_mutex);
	ASSERT(rc == 0);
	return admitted;
}

/* What an snprintf into `room` bytes left there, without its NUL. */
static size_t clip(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

static void write_line(char *line, size_t len)
{
	/* A value that went past log_quote must not be able to forge a line. */
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = ' ';
	}
	line[len++] = '\n';
	/* There is no one left to tell that the log cannot be written. */
	ssize_t written = write(STDERR_FILENO, line, len);
	(void)written;
}

static bool is_bare(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.ptr[i];
		if (byte <= ' ' || byte >= 0x7F || byte == '"' || byte == '=' || byte == '\\')
			return false;
	}
	return value.len > 0;
}

/* The code point at *at as it stands between quotes. */
static size_t escape(struct slice value, size_t *at, char out[8])
{
	static const char names[] = "\"\\nrt";
	static const char meanings[] = "\"\\\n\r\t";
	size_t bytes = utf8_sequence_bytes(value.ptr + *at, value.len - *at);
	char byte = value.ptr[*at];
	if (bytes != 1) {
		/* Broken UTF-8 would break the reader of the log. */
		if (bytes == 0)
			out[0] = '?';
		else
			memcpy(out, value.ptr + *at, bytes);
		*at += bytes == 0 ? 1 : bytes;
		return bytes == 0 ? 1 : bytes;
	}
	++*at;
	const char *found = byte == '\0' ? NULL : strchr(meanings, byte);
	if (found != NULL) {
		out[0] = '\\';
		out[1] = names[found - meanings];
		return 2;
	}
	if ((unsigned char)byte < 0x20 || byte == 0x7F)
		return (size_t)snprintf(out, 8, "\\u%04x", (unsigned char)byte);
	out[0] = byte;
	return 1;
}
