/* command.h - one subcommand of daybook, and what it is given to run with.
 *
 * A subcommand is a file: a line of purpose, a constant entry, the function. main.c
 * declares and lists them all. Flags and settings are read before run is called, so a
 * subcommand sees only values that are allowed.
 */
#ifndef DBK_TOOLS_COMMAND_H
#define DBK_TOOLS_COMMAND_H

#include "config.h"
#include "logger.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What the shell is told. */
enum tool_exit {
    TOOL_DONE = 0,
    TOOL_DIFFERENT = 1, /* it found a difference, bad lines, or damage */
    TOOL_MISUSED = 2,   /* unknown command or flag, a value that is not allowed */
    TOOL_FAILED = 3,    /* could not run */
};

#define TOOL_OPTIONS_MAX 12

/* An option of one subcommand only; settings (config.h) come on top. */
struct tool_option {
    const char *flag;     /* "--limit" */
    const char *argument; /* "N"; NULL: a switch */
    const char *help;     /* one line */
    bool many;            /* may come several times: the values joined with commas */
};

/* One run of a subcommand. */
struct tool {
    const struct command *command;
    const struct config *config; /* the settings of command->settings */
    const struct logger *logger; /* stderr, as LOG_LEVEL and LOG_FORMAT say */
    const char *const *operands; /* what is neither flag nor value; ends with NULL */
    size_t operand_count;        /* within operands_min and operands_max */
    bool quiet;                  /* shows no progress, and logs from warnings on */
    const char *values[TOOL_OPTIONS_MAX]; /* by index of command->options; private */
};

struct command {
    const char *name;
    const char *purpose;  /* one line, lower case, no full stop: for the list */
    const char *operands; /* for the usage line: "PERSONS EVENTS"; "" for none */
    const char *details;  /* paragraphs of at most 80 columns, each line ended */
    const char *example;  /* lines to type, each indented by two and ended */
    unsigned settings;    /* the groups of settings it reads: CONFIG_GROUP_... */
    size_t operands_min, operands_max;
    struct tool_option options[TOOL_OPTIONS_MAX]; /* flag NULL: unused */
    enum tool_exit (*run)(struct tool *tool);
};

/* The value of an option, NULL where it was not given; "" for a switch that was. flag
 * must be one of the command's. Borrowed. */
const char *tool_value(const struct tool *tool, const char *flag);
bool tool_has(const struct tool *tool, const char *flag);

/* Where the command shows its progress: stderr, or NULL where it was asked to be quiet. */
FILE *tool_progress(const struct tool *tool);

/* Say on stderr "daybook CMD: text" and return TOOL_FAILED; for what could not be done. Of
 * damage TOOL_DIFFERENT. */
enum tool_exit tool_fail(const struct tool *tool, const struct dbk_error *err);
/* The same for wrong use, with where to read on; returns TOOL_MISUSED. */
enum tool_exit tool_misused(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The one or the other: DBK_INVALID is wrong use. */
enum tool_exit tool_refuse(const struct tool *tool, const struct dbk_error *err);

#endif
