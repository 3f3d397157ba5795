/* Assertions that stay on in release builds.
 *
 * ASSERT guards against our own mistakes only. Input, disk, network and peers produce a struct
 * error instead (error.h). A failed assertion prints one line to standard error and aborts. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_index) \
	__attribute__((format(printf, format_index, first_index)))

#define ASSERT(condition) \
	((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__, __func__))

/* A place that no value of a switch should lead to. */
#define UNREACHABLE(what) assert_failed(what, __FILE__, __LINE__, __func__)

/* Where a struct is embedded in a bigger one: the bigger one, from a pointer to its member. */
#define CONTAINER_OF(pointer, type, member) \
	((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

__attribute__((noreturn, cold)) void assert_failed(const char *condition, const char *file,
						   int line, const char *function);

#endif
