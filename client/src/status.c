/* Owns the words for what went wrong, and the library's version. */
#include "src/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#ifndef TRK_VERSION
#error "the build names the version"
#endif

// clang-format off
static const struct {
	enum error_code code;
	enum trk_status status;
} statuses[] = {
	{ERR_INVALID_PARAMETER_VALUE, TRK_INVALID_ARGUMENT},
	{ERR_REQUEST_TOO_LARGE,       TRK_NO_MEMORY},
	{ERR_STORAGE_FULL,            TRK_DISK},
	{ERR_REQUEST_LIMIT_EXCEEDED,  TRK_SPOOL_FULL},
	{ERR_NOT_FOUND,               TRK_FILE},
	{ERR_INVALID_STATE,           TRK_DISK},
	{ERR_RESOURCE_CONFLICT,       TRK_BUSY},
	{ERR_TEMPORARILY_UNAVAILABLE, TRK_UNREACHABLE},
	{ERR_BAD_REQUEST,             TRK_REJECTED},
	{ERR_DATA_LOSS,               TRK_DAMAGED},
	{ERR_INTERNAL_ERROR,          TRK_SYSTEM},
};

static const struct {
	enum trk_status status;
	const char *text;
} texts[] = {
	{TRK_OK,               "no error"},
	{TRK_INVALID_ARGUMENT, "an argument is not valid"},
	{TRK_NO_MEMORY,        "out of memory, or a value is too large"},
	{TRK_DISK,             "the spool or directory cannot be written"},
	{TRK_SPOOL_FULL,       "the spool has reached its size limit"},
	{TRK_FILE,             "a file to be logged cannot be read"},
	{TRK_BUSY,             "the run or directory is in use by another process"},
	{TRK_FORKED,           "the handle belongs to the parent process"},
	{TRK_TIMEOUT,          "the deadline passed before everything was delivered"},
	{TRK_UNREACHABLE,      "the server cannot be reached"},
	{TRK_REJECTED,         "the server refused something"},
	{TRK_DAMAGED,          "the spool is of an unknown format"},
	{TRK_SYSTEM,           "the system refused a resource"},
};
// clang-format on

const char *trk_strerror(enum trk_status status)
{
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "unknown status";
}

const char *trk_version(void)
{
	return TRK_VERSION;
}

enum trk_status status_of_error(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		if (statuses[i].code == err->code)
			return statuses[i].status;
	}
	return TRK_SYSTEM;
}

bool status_disk_error(struct error *err, int error_number, const char *what)
{
	char text[128];
	return error_set(err, ERR_STORAGE_FULL, "%s: %s", what,
			 strerror_r(error_number, text, sizeof text));
}

bool status_file_error(struct error *err, int error_number, const char *verb, const char *path)
{
	char text[128];
	char quoted[512];
	return error_set(err, ERR_NOT_FOUND, "cannot %s %s: %s", verb,
			 error_quote(slice_from_cstr(path), quoted, sizeof quoted),
			 strerror_r(error_number, text, sizeof text));
}

bool status_local_error(struct error *err, const char *verb, const char *path)
{
	(void)status_file_error(err, errno, verb, path);
	err->code = ERR_INVALID_STATE; /* "not found" is said of what the server has */
	return false;
}

void status_copy_text(const char *sentence, char *text, size_t text_bytes)
{
	if (text != NULL && text_bytes > 0)
		(void)snprintf(text, text_bytes, "%s", sentence);
}
