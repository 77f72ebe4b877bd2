/* daybook retry - asks the projector to try the quarantined persons again. */
#include "command.h"
#include "database_file.h"
#include "projections/projector.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>

static enum tool_exit run(struct tool *tool)
{
    struct tool_database database;
    struct dbk_error err;
    enum dbk_code code;
    uint64_t count = 0;
    enum tool_exit exit = database_file_check(tool);

    if (exit != TOOL_DONE)
        return exit;
    if (tool_database_open(tool, NULL, false, &database, &err) != DBK_OK)
        return tool_fail(tool, &err);
    code = dbk_quarantine_retry(&database.at, &count, &err);
    tool_database_close(&database);
    if (code != DBK_OK)
        return tool_fail(tool, &err);
    if (count == 0)
        puts("nobody is quarantined");
    else
        printf("%" PRIu64
               " to be tried again by the server that runs, or the next one; "
               "daybook status tells how it went\n",
               count);
    return TOOL_DONE;
}

const struct command command_retry = {
    .name = "retry",
    .purpose = "try the quarantined persons again",
    .operands = "",
    .details =
        "A record that PostgreSQL refused quarantines its person: the person's later\n"
        "records are set aside, everyone else's go on, and status shows the reason.\n"
        "When the cause is gone, this lets the projector post them again from the "
        "log.\n",
    .example = "  daybook retry --data-dir /var/lib/daybook\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .run = run,
};
