/* help.h - the help texts, printed from the tables of subcommands and settings. */
#ifndef DBK_TOOLS_HELP_H
#define DBK_TOOLS_HELP_H

#include "command.h"

#include <stdio.h>

/* What daybook is, and its subcommands; commands ends with NULL. */
void help_program(FILE *out, const struct command *const *commands);

/* One subcommand: usage, details, options, settings, an example, exit codes. */
void help_command(FILE *out, const struct command *command);

#endif
