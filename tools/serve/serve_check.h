/* serve_check.h - what `daybook serve` would do, line by line, without doing it. */
#ifndef DBK_TOOLS_SERVE_CHECK_H
#define DBK_TOOLS_SERVE_CHECK_H

#include "command.h"

/* Print it. Nothing is changed. TOOL_DONE: it would serve, with whatever is warned of;
 * TOOL_MISUSED: a setting forbids it; TOOL_FAILED: it would not start, or answer no
 * reads. */
enum tool_exit serve_check(const struct tool *tool);

#endif
