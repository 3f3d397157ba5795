/* libcurl, loaded when it is first needed and not with the program.
 *
 * Its two dozen libraries cost 4 MB of resident memory and a third of the start time, which a daemon without webhooks
 * should not pay. Functions are called through the table under their own names: curl->easy_init(). Loaded once, never
 * unloaded. */
#ifndef OUTGOING_CURL_LIBRARY_H
#define OUTGOING_CURL_LIBRARY_H

#include <curl/curl.h>

#include "base/error.h"

// clang-format off
#define CURL_FUNCTIONS(X) \
	X(global_init) X(easy_init) X(easy_cleanup) X(easy_setopt) X(easy_getinfo) X(easy_strerror) \
	X(slist_append) X(slist_free_all) \
	X(multi_init) X(multi_cleanup) X(multi_setopt) X(multi_add_handle) X(multi_remove_handle) \
	X(multi_perform) X(multi_poll) X(multi_wakeup) X(multi_info_read)
// clang-format on

struct curl_library {
#define X(name) __typeof__(&curl_##name) name;
	CURL_FUNCTIONS(X)
#undef X
};

/* The loaded library, or NULL with a sentence for the operator. Thread-safe; takes some 10 ms the first time. */
MUST_CHECK const struct curl_library *curl_library_load(struct error *err);

#endif
