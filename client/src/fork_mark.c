/* Owns the knowledge of whether a handle crossed a fork. */
#include "src/fork_mark.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct fork_mark {
	unsigned char *page_or_null; /* 1 here, 0 in a child */
	size_t page_bytes;
	pid_t pid; /* without a page */
};

bool fork_mark_new(struct fork_mark **out, struct error *err)
{
	struct fork_mark *mark = calloc(1, sizeof *mark);
	if (mark == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	mark->pid = getpid();
	mark->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *page = mmap(NULL, mark->page_bytes, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED && madvise(page, mark->page_bytes, MADV_WIPEONFORK) == 0) {
		page[0] = 1;
		mark->page_or_null = page;
	} else if (page != MAP_FAILED) {
		(void)munmap(page, mark->page_bytes);
	}
	*out = mark;
	return true;
}

void fork_mark_free(struct fork_mark *mark)
{
	if (mark == NULL)
		return;
	if (mark->page_or_null != NULL)
		(void)munmap(mark->page_or_null, mark->page_bytes);
	free(mark);
}

bool fork_mark_is_mine(const struct fork_mark *mark)
{
	if (mark->page_or_null != NULL)
		return mark->page_or_null[0] == 1;
	return mark->pid == getpid();
}
