/* arguments.h - reads a subcommand's command line: settings, its own options, operands.
 *
 * --flag VALUE and --flag=VALUE are the same; a switch and a boolean setting take a
 * value only behind =. "--" ends the flags; "-" is an operand.
 */
#ifndef DBK_TOOLS_ARGUMENTS_H
#define DBK_TOOLS_ARGUMENTS_H

#include "command.h"

/* Borrowed from argv, but for what is joined. Zero it before first use; arguments_finish frees it. */
struct arguments {
    const char *settings[SETTING_COUNT];
    const char *values[TOOL_OPTIONS_MAX];
    char *joined[TOOL_OPTIONS_MAX]; /* owned: values that came in several parts */
    const char **operands;          /* ends with NULL */
    size_t operand_count;
    bool help;  /* --help or -h came: nothing else matters */
    bool quiet; /* --quiet came */
};

/* Read argv[0..argc), what follows the subcommand's name.
 *
 * DBK_INVALID    err says what is wrong, and what was most likely meant
 * DBK_NO_MEMORY
 */
enum dbk_code arguments_read(const struct command *command, int argc, char **argv,
                             struct arguments *out, struct dbk_error *err);
void arguments_finish(struct arguments *arguments);

#endif
