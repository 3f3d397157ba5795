/* Tests what reaches a service manager: a real datagram socket, by path and in the abstract namespace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

struct manager {
	int fd;
	struct sockaddr_un address;
};

/* Listens at `name`, in which "@" stands for the zero byte, and says so in the environment. */
static struct manager manager_open(const char *name)
{
	struct manager m = {.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)};
	size_t len = strlen(name);
	m.address.sun_family = AF_UNIX;
	memcpy(m.address.sun_path, name, len);
	if (name[0] == '@')
		m.address.sun_path[0] = '\0';
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	assert_true(m.fd >= 0);
	assert_int_equal(bind(m.fd, (struct sockaddr *)&m.address, bytes), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return m;
}

static void manager_close(struct manager *m)
{
	(void)close(m->fd);
	if (m->address.sun_path[0] != '\0')
		(void)unlink(m->address.sun_path);
	(void)unsetenv("NOTIFY_SOCKET");
}

static void check_sent(const char *name)
{
	struct manager m = manager_open(name);
	char text[64];
	assert_true(notify_send("READY=1\nSTATUS=listening"));
	ssize_t len = recv(m.fd, text, sizeof(text), 0);
	assert_int_equal(len, strlen("READY=1\nSTATUS=listening"));
	assert_memory_equal(text, "READY=1\nSTATUS=listening", (size_t)len);
	assert_int_equal(recv(m.fd, text, sizeof(text), 0), -1); /* one datagram */
	manager_close(&m);
}

static void sends_to_a_socket_in_the_file_system(void **state)
{
	char directory[] = "/tmp/trackerd-notify-XXXXXX";
	char path[64];
	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	check_sent(path);
	(void)rmdir(directory);
}

static void sends_to_an_abstract_socket(void **state)
{
	char name[64];
	(void)state;
	(void)snprintf(name, sizeof(name), "@trackerd-notify-%ld", (long)getpid());
	check_sent(name);
}

static void says_when_nobody_is_told(void **state)
{
	static const char *const names[] = {"", "/", "relative", "vsock:2:1", "/nowhere/at/all"};
	char long_name[200];
	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_false(notify_send("READY=1"));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		assert_false(notify_send("READY=1"));
	}
	memset(long_name, 'a', sizeof(long_name));
	long_name[0] = '/';
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", long_name, 1), 0);
	assert_false(notify_send("READY=1"));
	(void)unsetenv("NOTIFY_SOCKET");
}

static void reads_the_period_of_the_watchdog(void **state)
{
	char ours[24];
	(void)snprintf(ours, sizeof(ours), "%ld", (long)getpid());
	const struct {
		const char *usec, *pid_or_null;
		int64_t ms;
	} rows[] = {
		{"60000000", NULL, 60000},
		{"60000000", ours, 60000},
		{"60000000", "1", 0},
		{"1999", NULL, 1},
		{"0", NULL, 0},
		{"", NULL, 0},
		{"-5", NULL, 0},
		{"5s", NULL, 0},
		{" 5000", NULL, 0},
		{"99999999999999999999", NULL, INT64_MAX / 1000},
	};
	(void)state;
	(void)unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_ms(), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(setenv("WATCHDOG_USEC", rows[i].usec, 1), 0);
		(void)unsetenv("WATCHDOG_PID");
		if (rows[i].pid_or_null != NULL)
			assert_int_equal(setenv("WATCHDOG_PID", rows[i].pid_or_null, 1), 0);
		assert_int_equal(notify_watchdog_ms(), rows[i].ms);
	}
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_to_a_socket_in_the_file_system),
		cmocka_unit_test(sends_to_an_abstract_socket),
		cmocka_unit_test(says_when_nobody_is_told),
		cmocka_unit_test(reads_the_period_of_the_watchdog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
