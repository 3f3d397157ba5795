/* Owns the look of titles and fields. */
#include "cli/sections.h"

void section_title(const char *title)
{
	(void)printf("\n%s%s%s\n", terminal_style(stdout, STYLE_BOLD), title,
		     terminal_style(stdout, STYLE_PLAIN));
}

void section_field(struct cli *cli, const char *name, struct slice value, enum terminal_style style)
{
	if (value.len == 0)
		return;
	(void)printf("  %s%-10s%s  ", terminal_style(stdout, STYLE_DIM), name,
		     terminal_style(stdout, STYLE_PLAIN));
	terminal_print(stdout, cli->arena, style, value);
	(void)putchar('\n');
}
