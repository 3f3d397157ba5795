/* Help of each level, printed from the table of commands for 80 columns. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

/* Help of trk, of a noun, or of a command, to standard output when it was asked for (exit status
 * 0). Else, and for an unknown noun or verb, what is wrong goes to standard error, with what may
 * have been meant (exit status 2). */
int help_print(bool is_asked, const char *noun_or_null, const char *verb_or_null);
void help_print_command(const struct command *command);

#endif
