/* serve_start.h - `daybook serve` from its first step to its last. */
#ifndef DBK_TOOLS_SERVE_START_H
#define DBK_TOOLS_SERVE_START_H

#include "command.h"
#include "serving.h"

/* Before anything is made or started: whether tokens and HOST go together, and whoever thinks
 * that tokens are asked for is told. TOOL_MISUSED and TOOL_FAILED have been told, too. */
enum tool_exit serve_check_access(const struct serving *serving);

/* Start all parts, step by step. DBK_OK also where a signal came before the last step, or
 * interrupted one. Else the first step that failed, with its error: it ends the start, and
 * what was started before it still runs. serve_stop either way. */
enum dbk_code serve_start(struct serving *serving, struct dbk_error *err);

/* Stop what runs, the last that was started first: requests under way are finished, for as
 * long as a stop may take. Parts that were not started are fine. */
void serve_stop(struct serving *serving);

#endif
