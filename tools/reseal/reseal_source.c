#include "reseal_source.h"

#include "backup_keys_place.h"
#include "lock.h"
#include "log_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one beside it is what it was made with. Where there is none it is configured. */
static enum dbk_code find_master(const struct tool *tool, struct reseal_source *source,
                                 struct dbk_error *err)
{
    const char *configured = config_text(tool->config, SETTING_MASTER_KEY_FILE);
    char beside[PATH_MAX + 16];

    snprintf(beside, sizeof beside, "%s/master", source->ring);
    if (access(beside, F_OK) == 0)
        return dbk_keys_master(NULL, NULL, source->ring, source->master, err);
    return dbk_keys_master(configured, getenv("CREDENTIALS_DIRECTORY"), source->ring,
                           source->master, err);
}

/* As the operator names it: not by way of the log. */
static bool find_ring(struct reseal_source *source)
{
    static const char by_way[] = "/log/../keys", straight[] = "/keys";
    bool there = backup_keys_find(source->folder, source->ring);
    size_t length = strlen(source->ring);
    char *end = source->ring + length;

    if (length >= sizeof by_way && strcmp(end - (sizeof by_way - 1), by_way) == 0)
        memcpy(end - (sizeof by_way - 1), straight, sizeof straight);
    return there;
}

static enum dbk_code open_ring(const struct tool *tool, struct reseal_source *source,
                               struct dbk_error *err)
{
    const struct dbk_keys_options options = {.master = source->master,
                                             .read_only = true};
    struct dbk_keys_state state;
    enum dbk_code code;

    if (!find_ring(source))
        return dbk_fail(err, DBK_NOT_FOUND,
                        "it is sealed, and its ring of keys is not there: put the copy "
                        "that daybook keys backup made, or a backup's, and the master "
                        "key that lay beside it, into %.300s first",
                        source->ring);
    code = find_master(tool, source, err);
    if (code == DBK_OK)
        code = dbk_keys_open(source->ring, &options, &source->ring_keys, err);
    if (code == DBK_OK)
        code = dbk_keys_state(source->ring_keys, &state, err);
    if (code == DBK_OK)
        source->keys = state.count;
    if (code == DBK_CONFLICT || code == DBK_NOT_FOUND)
        return dbk_wrap(err, "its ring of keys: put the master key that opens it there "
                             "as `master`, or name it by MASTER_KEY_FILE");
    return code == DBK_OK ? DBK_OK : dbk_wrap(err, "its ring of keys");
}

/* First without the ring: whether there is to be one it says itself. */
static enum dbk_code open_log(const struct tool *tool, struct reseal_source *source,
                              struct dbk_error *err)
{
    struct dbk_log_options options = {.read_only = true};
    enum dbk_code code = dbk_log_open(source->folder, &options, &source->log, err);

    if (code == DBK_OK)
        code = log_place_check_alone(source->log,
                                     "take it out of the cluster first, and begin that "
                                     "anew with the sealed one",
                                     err);
    if (code != DBK_OK || !dbk_log_is_sealed(source->log))
        return code;
    code = open_ring(tool, source, err);
    if (code != DBK_OK)
        return code;
    dbk_log_close(source->log);
    source->log = NULL;
    options.keys = source->ring_keys;
    return dbk_log_open(source->folder, &options, &source->log, err);
}

/* What a server appends meanwhile would be in the old log only. A backup has none. */
static enum dbk_code check_served(const struct reseal_source *source,
                                  struct dbk_error *err)
{
    const char *slash = strrchr(source->folder, '/');
    const char *name = slash ? slash + 1 : source->folder;
    char dir[PATH_MAX];

    if (strcmp(name, "log") != 0)
        return DBK_OK;
    snprintf(dir, sizeof dir, "%.*s",
             slash > source->folder ? (int)(slash - source->folder) : 1,
             slash ? source->folder : ".");
    return lock_look(dir, err) == DBK_CONFLICT ? DBK_CONFLICT : DBK_OK;
}

enum dbk_code reseal_source_open(const struct tool *tool, const char *path,
                                 struct reseal_source *source, struct dbk_error *err)
{
    enum dbk_code code;

    *source = (struct reseal_source){.given = path};
    source->use = (struct backup_folder){.use = -1, .write = -1, .had_lock = true};
    if (!backup_folder_find(path, source->folder))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    code = check_served(source, err);
    if (code != DBK_OK)
        return code;
    backup_folder_enter(&source->use, source->folder);
    code = open_log(tool, source, err);
    if (code == DBK_OK)
        code = dbk_log_head(source->log, &source->head, err);
    if (code == DBK_OK)
        code = dbk_log_expired(source->log, &source->expired, err);
    return code == DBK_OK ? DBK_OK : dbk_wrap(err, "%.300s", path);
}

enum dbk_code reseal_source_check(const struct reseal_source *source,
                                  struct dbk_error *err)
{
    uint64_t head;

    if (check_served(source, err) != DBK_OK ||
        dbk_log_head(source->log, &head, err) != DBK_OK)
        return err->code;
    if (head == source->head)
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "%.300s got %" PRIu64 " records meanwhile: stop what writes to it, "
                    "and run the same again",
                    source->given, head - source->head);
}

void reseal_source_close(struct reseal_source *source)
{
    dbk_log_close(source->log);
    dbk_keys_close(source->ring_keys);
    backup_folder_leave(&source->use);
    source->log = NULL;
    source->ring_keys = NULL;
}
