#include "staging.h"

#include "lock.h"
#include "store/durable.h"
#include "store/history.h"
#include "store/log.h"
#include "store/log_builder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

enum dbk_code staging_begin(const struct config *config, struct staging *staging,
                            struct dbk_error *err)
{
    const char *dir = config_text(config, SETTING_DATA_DIR);
    struct stat status;

    *staging = (struct staging){.lock = -1};
    if (snprintf(staging->data_dir, PATH_MAX, "%s", dir) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    snprintf(staging->log, sizeof staging->log, "%s/log", dir);
    snprintf(staging->tmp, sizeof staging->tmp, "%s/log.tmp", dir);
    staging->made_dir = stat(dir, &status) != 0 && errno == ENOENT;
    if (lock_take(dir, &staging->lock, err) != DBK_OK)
        return err->code;
    if (check_empty(staging->log, err) != DBK_OK) {
        lock_release(staging->lock);
        return err->code;
    }
    dbk_log_builder_remove(staging->tmp);
    return DBK_OK;
}

void staging_abandon(struct staging *staging)
{
    char path[STAGING_PATH];

    dbk_log_builder_remove(staging->tmp);
    if (staging->made_dir) {
        snprintf(path, sizeof path, "%s/serve.lock", staging->data_dir);
        unlink(path); /* nobody else has come to know of it */
        rmdir(staging->data_dir);
    }
    lock_release(staging->lock);
}

static enum dbk_code put_in_place(const struct staging *staging, struct dbk_error *err)
{
    char path[STAGING_PATH];

    /* Servers are kept out, but daybook import of persons is not. */
    if (check_empty(staging->log, err) != DBK_OK)
        return err->code;
    dbk_log_builder_remove(staging->log);
    if (rename(staging->tmp, staging->log) != 0)
        return dbk_system_fail(err, "make", staging->log);
    snprintf(path, sizeof path, "%s/history", staging->data_dir);
    dbk_history_remove(path); /* it would be thrown away: it is another log's */
    return DBK_OK;
}

enum dbk_code staging_place(struct staging *staging, struct dbk_error *err)
{
    enum dbk_code code = put_in_place(staging, err);

    if (code != DBK_OK) {
        if (staging->take_back)
            staging->take_back(staging->context);
        staging_abandon(staging);
        return code;
    }
    code = dbk_sync_parent(staging->log, err);
    lock_release(staging->lock);
    return code;
}

const char *staging_next(const struct staging *staging)
{
    char path[STAGING_PATH];

    snprintf(path, sizeof path, "%s/postgres", staging->data_dir);
    if (access(path, F_OK) == 0)
        return "daybook rebuild: the tables in the private PostgreSQL are another "
               "log's";
    return "daybook serve; where DB_HOST names a database that has another log's "
           "tables, daybook rebuild first";
}
