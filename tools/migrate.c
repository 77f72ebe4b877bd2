/* daybook migrate - brings the schema of the read tables to this program's version. */
#include "projections/migrate.h"
#include "command.h"
#include "database_file.h"
#include "lock.h"
#include "projections/projector.h"
#include "tool_data.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_applied(void *context, const struct dbk_migration_state *state)
{
    size_t *count = context;

    printf("applied  %04d %s\n", state->version, state->name);
    (*count)++;
}

static void print_taken_back(void *context, const struct dbk_migration_state *state)
{
    size_t *count = context;

    printf("taken back  %04d %s\n", state->version, state->name);
    (*count)++;
}

static enum dbk_code up(const struct dbk_database *database, struct dbk_error *err)
{
    size_t count = 0;

    if (dbk_migrate_up(database, print_applied, &count, err) != DBK_OK)
        return err->code;
    if (count == 0)
        puts("nothing to apply: the schema is up to date");
    return DBK_OK;
}

/* One that runs would apply it again at once, or stand before tables it does not know. */
static enum dbk_code check_that_none_serves(const struct tool *tool,
                                            const struct dbk_database *database,
                                            struct dbk_error *err)
{
    struct dbk_tables_state tables;
    struct dbk_error unknown;

    if (lock_look(config_text(tool->config, SETTING_DATA_DIR), err) != DBK_OK)
        return err->code;
    /* Tables that cannot be read have nobody who posts to them. */
    if (dbk_tables_read(database, &tables, &unknown) == DBK_OK && tables.held)
        return dbk_fail(err, DBK_CONFLICT,
                        "a server posts to these tables (%s): stop it first",
                        *tables.holder ? tables.holder : "it has not said which");
    return DBK_OK;
}

static enum dbk_code down(const struct tool *tool, const struct dbk_database *database,
                          size_t steps, struct dbk_error *err)
{
    size_t count = 0;

    if (check_that_none_serves(tool, database, err) != DBK_OK)
        return err->code;
    if (dbk_migrate_down(database, steps, print_taken_back, &count, err) != DBK_OK)
        return err->code;
    if (count == 0)
        puts("nothing to take back: no migration is applied");
    return DBK_OK;
}

static void print_state(void *context, const struct dbk_migration_state *state)
{
    bool *different = context;
    const char *note = "";

    if (!state->known)
        note = "  (of a newer daybook)";
    else if (state->changed)
        note = "  (applied from another text than this program has)";
    else if (!state->applied)
        note = "  (not applied)";
    printf("%04d  %-26s  %s%s\n", state->version,
           state->applied ? state->applied_at : "-", state->name, note);
    *different = *different || *note;
}

/* Read N of --down N; false where it is not a number of steps. */
static bool read_steps(const struct tool *tool, size_t *steps)
{
    char *end;
    unsigned long number;

    *steps = 1;
    if (tool->operand_count == 0)
        return true;
    errno = 0;
    number = strtoul(tool->operands[0], &end, 10);
    *steps = number;
    return !errno && !*end && end != tool->operands[0] && *tool->operands[0] != '-' &&
           number > 0 && number <= INT_MAX;
}

static enum tool_exit write_new(const struct tool *tool)
{
    const char *dir = tool_value(tool, "--dir");
    struct dbk_error err;
    char path[4096];

    if (dbk_migrate_new(dir ? dir : "migrations", tool->operands[1], path, sizeof path,
                        &err) != DBK_OK)
        return tool_refuse(tool, &err);
    printf("wrote %s and its .down.sql; build again to have it in the program\n", path);
    return TOOL_DONE;
}

static enum tool_exit run_on_database(const struct tool *tool, size_t steps)
{
    struct tool_database database;
    struct dbk_error err;
    enum dbk_code code;
    bool different = false;

    if (tool_database_open(tool, NULL, false, &database, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (tool_has(tool, "--status"))
        code = dbk_migrate_status(&database.at, print_state, &different, &err);
    else if (tool_has(tool, "--down"))
        code = down(tool, &database.at, steps, &err);
    else
        code = up(&database.at, &err);
    tool_database_close(&database);
    if (code != DBK_OK)
        return tool_fail(tool, &err);
    return different ? TOOL_DIFFERENT : TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    bool status = tool_has(tool, "--status"), back = tool_has(tool, "--down");
    const char *word = tool->operand_count ? tool->operands[0] : "";
    enum tool_exit exit;
    size_t steps;

    if (status && back)
        return tool_misused(tool, "--status and --down exclude each other");
    if (!strcmp(word, "new")) {
        if (tool->operand_count != 2 || status || back)
            return tool_misused(tool, "expected new \"description\"");
        return write_new(tool);
    }
    if (tool->operand_count > (back ? 1U : 0U))
        return tool_misused(tool, "unexpected \"%.64s\"", tool->operands[back ? 1 : 0]);
    if (!read_steps(tool, &steps))
        return tool_misused(
            tool, "--down takes back 1 or more migrations, not \"%.64s\"", word);
    exit = database_file_check(tool);
    return exit == TOOL_DONE ? run_on_database(tool, steps) : exit;
}

const struct command command_migrate = {
    .name = "migrate",
    .purpose = "bring the schema of the read tables up to date, or back",
    .operands = "[new \"DESCRIPTION\"]",
    .details =
        "Applies what is missing, in the database of DB_HOST or else in the private\n"
        "one, which it starts where none runs. serve does this by itself; the log is\n"
        "never touched. --status exits with 1 where something is not as this program\n"
        "has it. --down is refused while a server runs, which would apply it again at\n"
        "once. new writes the two empty files of the next migration.\n",
    .example = "  daybook migrate --status\n"
               "  daybook migrate --down 1\n"
               "  daybook migrate new \"add country\"\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE,
    .operands_max = 2,
    .options = {{"--status", NULL, "List the migrations and whether they are applied"},
                {"--down", NULL,
                 "Take back the last migration, or the last N: --down N"},
                {"--dir", "DIR", "Where new writes its files [migrations]"}},
    .run = run,
};
