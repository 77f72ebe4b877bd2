#include "incoming.h"

#include "directory.h"
#include "lock.h"
#include "store/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A log's directory, whole or half made. */
static void remove_log(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[INCOMING_PATH + 16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static enum dbk_code check_empty(const char *dir, struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    enum dbk_code code;
    struct dbk_log *log;
    uint64_t head;

    code = dbk_log_open(dir, &options, &log, err);
    if (code == DBK_NOT_FOUND)
        return DBK_OK;
    if (code == DBK_DAMAGED || code == DBK_UNSUPPORTED) { /* not what comes in is */
        err->code = DBK_EXISTS;
        return dbk_wrap(err, "move what is there away first");
    }
    if (code != DBK_OK)
        return code;
    code = dbk_log_head(log, &head, err);
    dbk_log_close(log);
    if (code == DBK_OK && head > 0)
        return dbk_fail(err, DBK_EXISTS,
                        "%s holds %" PRIu64 " records: give an empty --data-dir", dir,
                        head);
    return code;
}

enum dbk_code incoming_begin(const struct config *config, struct incoming *incoming,
                             struct dbk_error *err)
{
    const char *dir = config_text(config, SETTING_DATA_DIR);
    struct stat status;

    *incoming = (struct incoming){.lock = -1};
    if (snprintf(incoming->data_dir, PATH_MAX, "%s", dir) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    snprintf(incoming->log, sizeof incoming->log, "%s/log", dir);
    snprintf(incoming->tmp, sizeof incoming->tmp, "%s/log.tmp", dir);
    incoming->made_dir = stat(dir, &status) != 0 && errno == ENOENT;
    if (lock_take(dir, &incoming->lock, err) != DBK_OK)
        return err->code;
    if (check_empty(incoming->log, err) != DBK_OK) {
        lock_release(incoming->lock);
        return err->code;
    }
    remove_log(incoming->tmp);
    return DBK_OK;
}

void incoming_abandon(struct incoming *incoming)
{
    char path[INCOMING_PATH];

    remove_log(incoming->tmp);
    if (incoming->made_dir) {
        snprintf(path, sizeof path, "%s/serve.lock", incoming->data_dir);
        unlink(path); /* nobody else has come to know of it */
        rmdir(incoming->data_dir);
    }
    lock_release(incoming->lock);
}

static enum dbk_code put_in_place(const struct incoming *incoming,
                                  struct dbk_error *err)
{
    /* Servers are kept out, but daybook import of persons is not. */
    if (check_empty(incoming->log, err) != DBK_OK)
        return err->code;
    remove_log(incoming->log);
    if (rename(incoming->tmp, incoming->log) != 0)
        return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "make %s: %s",
                        incoming->log, strerror(errno));
    return DBK_OK;
}

enum dbk_code incoming_place(struct incoming *incoming, struct dbk_error *err)
{
    enum dbk_code code = put_in_place(incoming, err);

    if (code != DBK_OK) {
        incoming_abandon(incoming);
        return code;
    }
    code = directory_sync_parent(incoming->log, err);
    lock_release(incoming->lock);
    return code;
}

const char *incoming_next(const struct incoming *incoming)
{
    char path[INCOMING_PATH];

    snprintf(path, sizeof path, "%s/postgres", incoming->data_dir);
    if (access(path, F_OK) == 0)
        return "daybook rebuild: the tables in the private PostgreSQL are another "
               "log's";
    return "daybook serve; where DB_HOST names a database that has another log's "
           "tables, daybook rebuild first";
}
