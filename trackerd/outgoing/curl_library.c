/* Owns the loading of libcurl. */
#include "outgoing/curl_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The interface's number since 2006; the header we compile with belongs to it. */
static const char library_name[] = "libcurl.so.4";

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static struct curl_library library; /* written below load_once only */
static char failure[256];	    /* likewise; empty: it is there */

static bool find_function(void *handle, const char *name, void *function_out)
{
	void *symbol = dlsym(handle, name);
	if (symbol == NULL) {
		(void)snprintf(failure, sizeof(failure), "%s has no %s", library_name, name);
		return false;
	}
	memcpy(function_out, &symbol, sizeof(symbol)); /* as POSIX says, and ISO C cannot */
	return true;
}

static void load(void)
{
	void *handle = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		(void)snprintf(failure, sizeof(failure), "%s cannot be loaded; install libcurl4",
			       library_name);
		return;
	}
#define X(name)                                                                                    \
	if (!find_function(handle, "curl_" #name, &library.name))                                  \
		return;
	CURL_FUNCTIONS(X)
#undef X
	if (library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)snprintf(failure, sizeof(failure), "%s does not start", library_name);
}

const struct curl_library *curl_library_load(struct error *err)
{
	(void)pthread_once(&load_once, load); /* fails only for a wrong argument */
	if (failure[0] == '\0')
		return &library;
	(void)error_set(err, ERR_INVALID_STATE, "%s", failure);
	return NULL;
}
