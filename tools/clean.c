/* daybook clean - removes what is left behind and needed by nobody. */
#include "command.h"
#include "escape.h"
#include "leftovers.h"
#include "log_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t print(const struct leftovers *leftovers)
{
    size_t removable = 0;

    for (size_t i = 0; i < leftovers->count; i++) {
        const struct leftover *one = &leftovers->list[i];

        printf("%-13s %" PRIu64 " KiB, ", one->in_use ? "in use" : "left behind",
               (one->bytes + 1023) / 1024);
        escape_plain(stdout, dbk_slice(one->path));
        putchar('\n');
        removable += !one->in_use;
    }
    return removable;
}

/* On the terminal, where it is one. */
static bool agrees(size_t count)
{
    char answer[16] = "";

    fflush(stdout);
    fprintf(stderr, "remove %zu? [y/N] ", count);
    return fgets(answer, sizeof answer, stdin) && (*answer == 'y' || *answer == 'Y');
}

static enum tool_exit remove_all(const struct tool *tool,
                                 const struct leftovers *leftovers)
{
    enum tool_exit exit = TOOL_DONE;
    struct dbk_error err;

    for (size_t i = 0; i < leftovers->count; i++) {
        if (leftovers->list[i].in_use)
            continue;
        if (leftovers_remove(tool->config, &leftovers->list[i], &err) != DBK_OK) {
            exit = tool_fail(tool, &err);
            continue;
        }
        fputs("removed       ", stdout);
        escape_plain(stdout, dbk_slice(leftovers->list[i].path));
        putchar('\n');
    }
    return exit;
}

static enum tool_exit clean(const struct tool *tool, struct leftovers *leftovers)
{
    size_t removable;

    leftovers_find(tool->config, leftovers);
    removable = print(leftovers);
    if (removable == 0) {
        puts("nothing is left behind");
        return TOOL_DONE;
    }
    if (tool_has(tool, "--yes"))
        return remove_all(tool, leftovers);
    if (!isatty(STDIN_FILENO))
        return tool_misused(tool, "nothing was removed: --yes does so without asking");
    if (agrees(removable))
        return remove_all(tool, leftovers);
    puts("nothing was removed");
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    struct leftovers *leftovers;
    struct dbk_error err;
    enum tool_exit exit;

    /* In another directory nothing is ours to remove. */
    if (log_place_check(tool->config, &err) != DBK_OK)
        return tool_fail(tool, &err);
    leftovers = malloc(sizeof *leftovers);
    if (!leftovers) {
        dbk_fail(&err, DBK_NO_MEMORY, "out of memory");
        return tool_fail(tool, &err);
    }
    exit = clean(tool, leftovers);
    free(leftovers);
    return exit;
}

const struct command command_clean = {
    .name = "clean",
    .purpose = "remove what was left behind in the data directory",
    .operands = "",
    .details =
        "Tells what runs that were killed, and private PostgreSQL clusters that were\n"
        "set aside, have left in the data directory (NAME.partial, log.tmp, keys.tmp,\n"
        "verify.tmp, postgres.damaged, postgres.version-N.TIME and others), and\n"
        "removes it once you say so. What somebody makes at the moment is told, and\n"
        "stays. Tables that are left behind are dropped by daybook rebuild "
        "--drop-old.\n"
        "\n"
        "Exit codes: 0 done, 2 asked without a terminal and without --yes, 3 not all\n"
        "could be removed, or there is no log here.\n",
    .example = "  daybook clean\n"
               "  daybook clean --yes\n",
    .settings = CONFIG_GROUP_DATA,
    .options = {{"--yes", NULL, "Remove without asking"}},
    .run = run,
};
