/* What "show" commands print for people: titles, and fields below them. */
#ifndef CLI_SECTIONS_H
#define CLI_SECTIONS_H

#include "cli/cli.h"
#include "cli/terminal.h"

/* A line of its own, with an empty one before it. */
void section_title(const char *title);
/* "  name        value"; nothing for an empty value. */
void section_field(struct cli *cli, const char *name, struct slice value, enum terminal_style style);

#endif
