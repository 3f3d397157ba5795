#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "src/fork_mark.h"

static void test_a_child_and_a_grandchild_are_told_apart(void **state)
{
	(void)state;
	struct fork_mark *mark;
	struct error err;
	assert_true(fork_mark_new(&mark, &err));
	assert_true(fork_mark_is_mine(mark));
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int inner = 0;
		pid_t grandchild = fork();
		if (grandchild == 0)
			_exit(fork_mark_is_mine(mark) ? 1 : 0);
		bool ok = waitpid(grandchild, &inner, 0) == grandchild && inner == 0;
		_exit(ok && !fork_mark_is_mine(mark) ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(fork_mark_is_mine(mark));
	fork_mark_free(mark);
	fork_mark_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_child_and_a_grandchild_are_told_apart)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
