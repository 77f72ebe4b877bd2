#include "command.h"
#include "escape.h"
#include "privileges.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *tool_value(const struct tool *tool, const char *flag)
{
    for (size_t i = 0; i < TOOL_OPTIONS_MAX; i++) {
        const char *known = tool->command->options[i].flag;

        if (known && !strcmp(known, flag))
            return tool->values[i];
    }
    assert(false); /* not an option of this subcommand */
    return NULL;
}

bool tool_has(const struct tool *tool, const char *flag)
{
    return tool_value(tool, flag) != NULL;
}

FILE *tool_progress(const struct tool *tool)
{
    return tool->quiet ? NULL : stderr;
}

/* On stderr, after the command's name: one line that a terminal only shows. */
static void complain(const struct tool *tool, const char *text)
{
    char safe[4 * sizeof((struct dbk_error *)0)->text] = "";
    struct line line = {.text = safe, .size = sizeof safe};

    line_add_plain(&line, text);
    fprintf(stderr, "daybook %s: %s\n", tool->command->name, safe);
}

/* A command that root starts becomes another user: a file that is closed to it is no
 * riddle where that user is named. */
enum tool_exit tool_fail(const struct tool *tool, const struct dbk_error *err)
{
    struct dbk_error told = *err;
    char user[33];

    if (strstr(told.text, strerror(EACCES)))
        dbk_fail(&told, told.code, "%s (this runs as the user %s)", told.text,
                 privileges_user(user));
    complain(tool, told.text);
    return err->code == DBK_DAMAGED ? TOOL_DIFFERENT : TOOL_FAILED;
}

enum tool_exit tool_misused(const struct tool *tool, const char *format, ...)
{
    char text[sizeof((struct dbk_error *)0)->text];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    complain(tool, text);
    fprintf(stderr, "daybook help %s tells how it is used\n", tool->command->name);
    return TOOL_MISUSED;
}

enum tool_exit tool_refuse(const struct tool *tool, const struct dbk_error *err)
{
    return err->code == DBK_INVALID ? tool_misused(tool, "%s", err->text)
                                    : tool_fail(tool, err);
}
