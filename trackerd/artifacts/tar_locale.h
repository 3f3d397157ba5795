/* libarchive turns names into the thread's character set; this makes it UTF-8, whatever the
 * process was started with, for the calling thread and the time between enter and leave. */
#ifndef ARTIFACTS_TAR_LOCALE_H
#define ARTIFACTS_TAR_LOCALE_H

#include <locale.h>

/* Returns what tar_locale_leave wants back. Any thread. */
locale_t tar_locale_enter(void);
void tar_locale_leave(locale_t previous);

#endif
