#include "database_file.h"

#include "note.h"

#include <stdio.h>
#include <string.h>

#define NAME "database"
#define PRIVATE "private"

static void describe(const struct config *config, char text[DATABASE_FILE_TEXT])
{
    static const enum setting settings[] = {SETTING_DB_HOST, SETTING_DB_PORT,
                                            SETTING_DB_NAME, SETTING_DB_USER,
                                            SETTING_DB_SCHEMA};
    struct dbk_database database;
    size_t length = 0;

    snprintf(text, DATABASE_FILE_TEXT, PRIVATE);
    if (!config_database(config, &database))
        return;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        length += (size_t)snprintf(
            text + length, DATABASE_FILE_TEXT - length, "%s%s=%s", i ? " " : "",
            config_table[settings[i]].name, config_text(config, settings[i]));
    text[strcspn(text, "\n")] = '\0';
}

enum dbk_code database_file_leave(const struct config *config,
                                  char before[DATABASE_FILE_TEXT],
                                  struct dbk_error *err)
{
    const char *dir = config_text(config, SETTING_DATA_DIR);
    char now[DATABASE_FILE_TEXT];
    bool there;

    *before = '\0';
    describe(config, now);
    if (note_read(dir, NAME, before, DATABASE_FILE_TEXT, &there, err) != DBK_OK)
        return err->code;
    if (!strcmp(before, now)) {
        *before = '\0';
        return DBK_OK;
    }
    return note_write(dir, NAME, now, err);
}

enum tool_exit database_file_check(const struct tool *tool)
{
    const char *dir = config_text(tool->config, SETTING_DATA_DIR);
    char text[DATABASE_FILE_TEXT];
    struct dbk_database database;
    struct dbk_error err;
    bool there;

    if (config_database(tool->config, &database))
        return TOOL_DONE;
    if (note_read(dir, NAME, text, sizeof text, &there, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (!*text || !strcmp(text, PRIVATE))
        return TOOL_DONE;
    dbk_fail(&err, DBK_INVALID,
             "the read tables of %.128s are not in a private PostgreSQL: give %s, and "
             "DB_PASS where it needs one",
             dir, text);
    tool_fail(tool, &err);
    return TOOL_MISUSED;
}
