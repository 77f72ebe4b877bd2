#include "log_place.h"

#include "backup_last.h"
#include "directory.h"
#include "log_mark.h"
#include "projections/projector.h"
#include "store/durable.h"
#include "store/replicated.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NEXT "mount the disk, or restore a backup: daybook restore %s"
#define NEXT_OR_NEW NEXT "; \"daybook serve --new\" begins an empty log"

#define SIGNS 256       /* bytes of their names */
#define BACKUP_SHOWN 96 /* bytes; a longer path would be cut */

static const char *dir_of(const struct config *config)
{
    return config_text(config, SETTING_DATA_DIR);
}

static bool make_path(const struct config *config, const char *name,
                      char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", dir_of(config), name) < PATH_MAX;
}

/* A link whose target is away is there, too. */
static bool is_there(const struct config *config, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    return make_path(config, name, path) && lstat(path, &status) == 0;
}

/* log may be a place for another disk; where it is a link, something was meant by it. */
static bool is_link(const struct config *config, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    return make_path(config, name, path) && lstat(path, &status) == 0 &&
           S_ISLNK(status.st_mode);
}

static bool has_cluster_elsewhere(const struct config *config)
{
    const char *dir = config_text(config, SETTING_CLUSTER_DIR);
    char path[PATH_MAX];

    return *dir && snprintf(path, sizeof path, "%s/postgres", dir) < PATH_MAX &&
           access(path, F_OK) == 0;
}

/* What is only there where a log was, or is half made; in the order of what tells most. */
static void find_signs(const struct config *config, char signs[SIGNS])
{
    static const char *const names[] = {
        LOG_MARK_NAME,   "log/data.mdb",     "log/lock.mdb", "log.tmp",
        "tokens",        "database",         "postgres",     "postgres.log",
        "postgres.lock", "postgres.damaged", "serve.lock",   "last_backup",
        "history",       "verify.tmp"};
    size_t length = 0;

    *signs = '\0';
    if (is_link(config, "log"))
        length = (size_t)snprintf(signs, SIGNS, "log");
    if (has_cluster_elsewhere(config))
        length += (size_t)snprintf(signs + length, SIGNS - length, "%sCLUSTER_DIR",
                                   length ? ", " : "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_there(config, names[i]))
            length += (size_t)snprintf(signs + length, SIGNS - length, "%s%s",
                                       length ? ", " : "", names[i]);
    }
}

/* A path that tells a person which place is meant. */
static const char *shown(const struct config *config, char path[PATH_MAX])
{
    directory_absolute(dir_of(config), path);
    return path;
}

/* The last one that was made, where that is known. */
static const char *backup_of(const struct config *config, struct backup_last *last)
{
    backup_last_read(dir_of(config), last);
    return last->head > 0 && strlen(last->path) <= BACKUP_SHOWN ? last->path : "BACKUP";
}

enum dbk_code log_place_fail(const struct config *config, struct dbk_error *err)
{
    char path[PATH_MAX], signs[SIGNS];
    struct backup_last last;

    find_signs(config, signs);
    if (*signs)
        return dbk_fail(err, DBK_NOT_FOUND, "no log in %.200s, which has %s: " NEXT,
                        shown(config, path), signs, backup_of(config, &last));
    return dbk_fail(err, DBK_NOT_FOUND,
                    "no log in %.400s: give the --data-dir of the server",
                    shown(config, path));
}

/* A file of no bytes is as good as none: whoever made it was killed before its first
 * write, or it was emptied. */
static bool has_file(const struct config *config)
{
    char path[PATH_MAX];
    struct stat status;

    return make_path(config, "log/data.mdb", path) && stat(path, &status) == 0 &&
           status.st_size > 0;
}

enum dbk_code log_place_check(const struct config *config, struct dbk_error *err)
{
    char path[PATH_MAX];
    struct stat status;

    if (has_file(config))
        return DBK_OK;
    if (make_path(config, "log/data.mdb", path) && stat(path, &status) != 0 &&
        errno != ENOENT &&
        errno != ENOTDIR) /* it may be there: nothing is to be restored */
        return dbk_system_fail(err, "look at", path);
    return log_place_fail(config, err);
}

bool log_place_has_log(const struct config *config)
{
    const struct dbk_log_options options = {.read_only = true};
    char dir[PATH_MAX], id[DBK_UUID_TEXT + 1];
    enum log_mark mark;
    struct dbk_log *log;
    enum dbk_code code;

    if (!has_file(config) || !tool_log_dir(config, dir, sizeof dir, NULL))
        return false;
    if (log_mark_read(dir_of(config), &mark, id, NULL) == DBK_OK &&
        mark == LOG_MARK_MADE)
        return true;
    code = dbk_log_open(dir, &options, &log, NULL); /* one that was half made is none */
    if (code == DBK_OK)
        dbk_log_close(log);
    return code != DBK_NOT_FOUND;
}

/* A first start that was killed has left some of them. */
static enum dbk_code check_directory(const struct config *config, struct dbk_error *err)
{
    char path[PATH_MAX], signs[SIGNS], id[DBK_UUID_TEXT + 1];
    struct backup_last last;
    enum log_mark mark;

    if (log_mark_read(dir_of(config), &mark, id, err) != DBK_OK)
        return err->code;
    if (mark == LOG_MARK_NEW)
        return DBK_OK;
    find_signs(config, signs);
    if (!*signs)
        return DBK_OK;
    if (*id)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the log %s is not in %.128s, which has %s: " NEXT_OR_NEW, id,
                        shown(config, path), signs, backup_of(config, &last));
    return dbk_fail(err, DBK_NOT_FOUND, "no log in %.160s, which has %s: " NEXT_OR_NEW,
                    shown(config, path), signs, backup_of(config, &last));
}

static void warn(const struct tool *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(const struct tool *tool, const char *format, ...)
{
    char line[PATH_MAX + 512];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    logger_line(tool->logger, LOG_LEVEL_WARN, line);
}

/* One that cannot be asked keeps nobody from starting: should its tables be another log's,
 * the projector finds that out. */
static enum dbk_code check_tables(const struct tool *tool, struct dbk_error *err)
{
    char path[PATH_MAX], id[DBK_UUID_TEXT + 1];
    struct dbk_database database;
    struct dbk_uuid store_id;
    struct dbk_error why;
    uint64_t sequence;

    if (!(tool->command->settings & CONFIG_GROUP_DATABASE) ||
        !config_database(tool->config, &database))
        return DBK_OK;
    switch (dbk_tables_log(&database, &store_id, &sequence, &why)) {
    case DBK_OK:
        break;
    case DBK_NOT_FOUND:
        return DBK_OK;
    default:
        warn(tool, "whether tables at DB_HOST know a log is not known: %s", why.text);
        return DBK_OK;
    }
    if (sequence == 0)
        return DBK_OK;
    dbk_uuid_format(&store_id, id);
    return dbk_fail(
        err, DBK_NOT_FOUND,
        "no log in %.128s, but the tables in the schema %.64s at DB_HOST are "
        "of the log %s, up to record %" PRIu64 ": " NEXT_OR_NEW,
        shown(tool->config, path), database.schema, id, sequence, "BACKUP");
}

enum dbk_code log_place_check_new(const struct tool *tool, struct dbk_error *err)
{
    if (check_directory(tool->config, err) != DBK_OK)
        return err->code;
    return check_tables(tool, err);
}

enum dbk_code log_place_prepare(const struct tool *tool, bool anew,
                                struct dbk_error *err)
{
    const char *dir = dir_of(tool->config);
    char path[PATH_MAX];
    struct stat status;

    shown(tool->config, path);
    if (anew && log_place_has_log(tool->config))
        return dbk_fail(err, DBK_EXISTS,
                        "%.300s has a log: leave --new out, or move what is there away",
                        path);
    if (!anew && log_place_check_new(tool, err) != DBK_OK)
        return err->code;
    if (stat(dir, &status) != 0)
        warn(tool, "making the data directory %s", path);
    if (directory_make(dir, err) != DBK_OK)
        return err->code;
    return log_mark_prepare(dir, anew, err);
}

/* Its id is known for the next start; a disk that is full then keeps nobody from this
 * one. */
static void note(const struct tool *tool, const struct dbk_uuid *store_id)
{
    char before[DBK_UUID_TEXT + 1];
    struct dbk_error err;

    if (log_mark_set(dir_of(tool->config), store_id, before, &err) != DBK_OK)
        warn(tool, "note which log is here: %s", err.text);
    else if (*before)
        warn(tool, "another log than before is here: it was %s", before);
}

static void tell_made(const struct tool *tool, const struct dbk_uuid *store_id)
{
    char path[PATH_MAX], id[DBK_UUID_TEXT + 1];

    note(tool, store_id);
    dbk_uuid_format(store_id, id);
    warn(tool, "made a new log in %s/log, %s", shown(tool->config, path), id);
}

void log_place_made(const struct tool *tool)
{
    struct dbk_error err;
    struct dbk_log *log;
    struct dbk_uuid id;
    bool sealed;

    if (tool_log_open(tool, &log, &err) != DBK_OK) {
        warn(tool, "%s", err.text);
        return;
    }
    id = dbk_log_store_id(log);
    sealed = dbk_log_is_sealed(log);
    dbk_log_close(log);
    tell_made(tool, &id);
    if (!sealed)
        warn(tool, "it is not sealed, for what it was made of is not: nobody can be "
                   "erased from it for good; daybook reseal makes one that is");
}

const char *log_place_network(long type)
{
    static const struct {
        long type;
        const char *name;
    } known[] = {{0x6969, "NFS"},      {0x517B, "SMB"},       {0xFF534D42, "CIFS"},
                 {0xFE534D42, "SMB2"}, {0x01021997, "9p"},    {0x5346414F, "AFS"},
                 {0x6B414653, "AFS"},  {0x0BD00BD0, "Lustre"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].type == (type & 0xFFFFFFFF))
            return known[i].name;
    }
    return NULL;
}

/* The log is a memory map, with locks that die with their holder. */
static void warn_of_network(const struct tool *tool, const char *dir)
{
    struct statfs status;
    const char *name =
        statfs(dir, &status) == 0 ? log_place_network((long)status.f_type) : NULL;

    if (name)
        warn(
            tool,
            "%s is on a network file system (%s), which does not keep what a log needs "
            "of it: it will be damaged sooner or later; move it to a local disk",
            dir, name);
}

static enum dbk_code open_existing(const struct tool *tool, const char *dir,
                                   const struct dbk_log_options *how,
                                   struct dbk_log **log, struct dbk_error *err)
{
    struct dbk_error why;
    enum dbk_code code = tool_keys_log_open(tool, dir, how, log, &why, err);

    if (code != DBK_OK || why.code == DBK_OK)
        return code;
    dbk_log_close(*log);
    *log = NULL;
    return tool_keys_fail(&why, err);
}

/* One that several machines share is what the first of them made it. */
static bool is_to_be_sealed(const struct tool *tool, const struct dbk_log_options *how)
{
    return (tool->command->settings & CONFIG_GROUP_NEW) &&
           config_boolean(tool->config, SETTING_SEALED) && !how->store_id;
}

static void tell_sealed(const struct tool *tool)
{
    struct tool_keys_place place;
    bool elsewhere =
        tool_keys_find(tool->config, &place, NULL) == DBK_OK && place.master[0];
    char path[PATH_MAX];

    warn(
        tool,
        "what it says of persons is sealed with the keys in %s/keys: nobody can read a "
        "name without them; daybook backup takes them along%s%s",
        shown(tool->config, path),
        elsewhere ? ", but not the master key: keep a copy of " : "",
        elsewhere ? place.master : "");
}

static enum dbk_code make_log(const struct tool *tool, const char *dir,
                              struct dbk_log_options *how, struct dbk_log **log,
                              struct dbk_error *err)
{
    struct dbk_uuid id;

    how->existing = false;
    if (!how->keys && is_to_be_sealed(tool, how) &&
        tool_keys_make(tool, &how->keys, err) != DBK_OK)
        return err->code;
    if (tool_keys_own(dir, how, log, err) != DBK_OK)
        return err->code;
    id = dbk_log_store_id(*log);
    tell_made(tool, &id);
    if (dbk_log_is_sealed(*log))
        tell_sealed(tool);
    return DBK_OK;
}

enum dbk_code log_place_open(const struct tool *tool, bool make,
                             const struct dbk_log_options *options,
                             struct dbk_log **log, struct dbk_error *err)
{
    struct dbk_log_options how = options ? *options : (struct dbk_log_options){0};
    char dir[PATH_MAX];
    enum dbk_code code;
    struct dbk_uuid id;

    *log = NULL;
    how.by_month = config_number(tool->config, SETTING_RETENTION) > 0;
    code = tool_log_dir(tool->config, dir, sizeof dir, err)
               ? open_existing(tool, dir, &how, log, err)
               : DBK_INVALID;
    if (code == DBK_NOT_FOUND && make)
        code = make_log(tool, dir, &how, log, err);
    else
        dbk_keys_close(how.keys);
    if (code == DBK_NOT_FOUND && !make)
        return log_place_fail(tool->config, err);
    if (code != DBK_OK)
        return code;
    id = dbk_log_store_id(*log);
    note(tool, &id);
    warn_of_network(tool, dir);
    return DBK_OK;
}

enum dbk_code log_place_check_alone(struct dbk_log *log, const char *instead,
                                    struct dbk_error *err)
{
    struct dbk_place place;
    enum dbk_code code = dbk_log_place(log, &place, err);

    if (code == DBK_NOT_FOUND)
        return DBK_OK;
    if (code != DBK_OK)
        return code;
    return dbk_fail(
        err, DBK_CONFLICT,
        "this log is a member of a cluster, whose leader alone writes to it: "
        "%s",
        instead);
}
