/* Owns the UTF-8 locale that libarchive is called in. */
#include "artifacts/tar_locale.h"

#include <pthread.h>
#include <stddef.h>

static pthread_once_t made = PTHREAD_ONCE_INIT;
static locale_t utf8;

static void make(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Without C.UTF-8 on the system the thread's locale stays: names beyond ASCII are then refused
 * by libarchive. */
locale_t tar_locale_enter(void)
{
	(void)pthread_once(&made, make);
	return utf8 == (locale_t)0 ? uselocale((locale_t)0) : uselocale(utf8);
}

void tar_locale_leave(locale_t previous)
{
	(void)uselocale(previous);
}
