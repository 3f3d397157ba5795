/* Owns the making of environments for commands. */
#include "serve/environment.h"

#include <unistd.h>

static bool is_overridden(const char *entry, const struct variable *variables, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(variables[i].name);
		if (strncmp(entry, variables[i].name, len) == 0 && entry[len] == '=')
			return true;
	}
	return false;
}

char **environment_with(struct arena *arena, const struct variable *variables, size_t count)
{
	size_t inherited = 0, used = 0;
	while (environ[inherited] != NULL)
		inherited++;
	char **out = ARENA_NEW(arena, char *, inherited + count + 1);
	for (size_t i = 0; i < inherited; i++) {
		if (!is_overridden(environ[i], variables, count))
			out[used++] = environ[i];
	}
	for (size_t i = 0; i < count; i++)
		out[used++] = arena_cstr(
			arena, arena_printf(arena, "%s=%s", variables[i].name, variables[i].value));
	return out;
}
