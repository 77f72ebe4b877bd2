#include "database_file.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE "private"

static enum dbk_code make_path(const struct config *config, const char *name,
                               char path[PATH_MAX], struct dbk_error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%s", config_text(config, SETTING_DATA_DIR), name) <
        PATH_MAX)
        return DBK_OK;
    return dbk_fail(err, DBK_IO, "the data directory's path is too long");
}

static void cut_line(char *text)
{
    text[strcspn(text, "\n")] = '\0';
}

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
    cut_line(text);
}

/* "" where there is none. */
static enum dbk_code read_text(const char *path, char text[DATABASE_FILE_TEXT],
                               struct dbk_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t length;

    *text = '\0';
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? DBK_OK
                                                   : dbk_system_fail(err, "open", path);
    length = read(fd, text, DATABASE_FILE_TEXT - 1);
    if (length < 0)
        dbk_system_fail(err, "read", path);
    close(fd);
    if (length < 0)
        return err->code;
    text[length] = '\0';
    cut_line(text);
    return DBK_OK;
}

/* What a run that was killed left of it is not written into, whatever it is. */
static enum dbk_code replace(const char *tmp, const char *path, const char *line,
                             struct dbk_error *err)
{
    enum dbk_code code;
    int fd;

    unlink(tmp);
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    code = dbk_write_all(fd, line, strlen(line), tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, path, err);
    close(fd);
    if (code != DBK_OK)
        unlink(tmp);
    return code;
}

enum dbk_code database_file_leave(const struct config *config,
                                  char before[DATABASE_FILE_TEXT],
                                  struct dbk_error *err)
{
    char path[PATH_MAX], tmp[PATH_MAX], now[DATABASE_FILE_TEXT + 1];

    *before = '\0';
    describe(config, now);
    if (make_path(config, "database", path, err) != DBK_OK ||
        make_path(config, "database.tmp", tmp, err) != DBK_OK ||
        read_text(path, before, err) != DBK_OK)
        return err->code;
    if (!strcmp(before, now)) {
        *before = '\0';
        return DBK_OK;
    }
    strcat(now, "\n");
    return replace(tmp, path, now, err);
}

enum tool_exit database_file_check(const struct tool *tool)
{
    const char *dir = config_text(tool->config, SETTING_DATA_DIR);
    char path[PATH_MAX], text[DATABASE_FILE_TEXT];
    struct dbk_database database;
    struct dbk_error err;

    if (config_database(tool->config, &database))
        return TOOL_DONE;
    if (make_path(tool->config, "database", path, &err) != DBK_OK ||
        read_text(path, text, &err) != DBK_OK)
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
