/* Owns the datagrams to the service manager. */
#include "base/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or with "@" first a name in the abstract namespace, which begins with a zero byte. */
static socklen_t find_address(struct sockaddr_un *address)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name != NULL ? strlen(name) : 0;
	if (len < 2 || len >= sizeof(address->sun_path) || (name[0] != '/' && name[0] != '@'))
		return 0;
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, name, len);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

bool notify_send(const char *lines)
{
	struct sockaddr_un address;
	socklen_t address_bytes = find_address(&address);
	if (address_bytes == 0)
		return false;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	ssize_t sent = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
			      (const struct sockaddr *)&address, address_bytes);
	(void)close(fd);
	return sent >= 0;
}

/* 0 for what is no decimal number above 0. */
static int64_t read_count(const char *name)
{
	const char *text = getenv(name);
	char *end;
	if (text == NULL || *text < '0' || *text > '9')
		return 0;
	intmax_t count = strtoimax(text, &end, 10);
	return *end == '\0' && count <= INT64_MAX ? (int64_t)count : 0;
}

int64_t notify_watchdog_ms(void)
{
	/* Meant for another process, which we inherited it from? */
	if (getenv("WATCHDOG_PID") != NULL && read_count("WATCHDOG_PID") != getpid())
		return 0;
	return read_count("WATCHDOG_USEC") / 1000;
}
