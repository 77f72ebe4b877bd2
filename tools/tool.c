#include "command.h"

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
    return NULL;
}

bool tool_has(const struct tool *tool, const char *flag)
{
    return tool_value(tool, flag) != NULL;
}

enum tool_exit tool_fail(const struct tool *tool, const struct dbk_error *err)
{
    fprintf(stderr, "daybook %s: %s\n", tool->command->name, err->text);
    return TOOL_FAILED;
}

enum tool_exit tool_misused(const struct tool *tool, const char *format, ...)
{
    struct dbk_error err; /* its text is one line, whatever the arguments held */
    char text[sizeof err.text];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dbk_fail(&err, DBK_INVALID, "%s", text);
    fprintf(stderr, "daybook %s: %s\ndaybook help %s tells how it is used\n",
            tool->command->name, err.text, tool->command->name);
    return TOOL_MISUSED;
}
