#include "leftovers.h"

#include "log_mark.h"
#include "projections/cluster.h"
#include "store/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTSIDE "/var/lib/daybook-postgres" /* as include/projections/cluster.h tells */
#define BLOCK 512                           /* bytes, of st_blocks */

/* Who makes it holds which lock meanwhile. */
enum guard {
    NOBODY,  /* it was set aside */
    ITSELF,  /* flock of it, or LMDB's lock in it */
    SERVER,  /* serve.lock */
    CLUSTER, /* postgres.lock, beside it */
};

static const struct kind {
    const char *pattern;
    enum guard guard;
} kinds[] = {
    {"postgres.damaged*", NOBODY},
    {"postgres.version-*", NOBODY},
    {"postgres.tmp.??????", CLUSTER},
    {"log.tmp", SERVER},
    {"keys.tmp", SERVER},
    {"check.tmp", SERVER},
    {"verify.tmp", ITSELF},
    {"tokens.tmp", ITSELF},
    {"log.id.tmp", SERVER},
    {"database.tmp", SERVER},
    {"last_backup.tmp", SERVER},
    {"*.partial", ITSELF},
    {"*.check", ITSELF},
};

static const struct kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (fnmatch(kinds[i].pattern, name, FNM_PERIOD) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* Add up what is below it, and with remove take it away. The directories may be another
 * user's, who may change them meanwhile: no path is walked twice, no link followed. */
static bool walk(int at, const char *name, bool remove, uint64_t *bytes)
{
    struct stat status;
    struct dirent *entry;
    bool right = true;
    DIR *dir;
    int fd;

    if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    *bytes += (uint64_t)status.st_blocks * BLOCK;
    if (!S_ISDIR(status.st_mode))
        return !remove || unlinkat(at, name, 0) == 0;
    fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            right = walk(fd, entry->d_name, remove, bytes) && right;
    }
    closedir(dir);
    return right && (!remove || unlinkat(at, name, AT_REMOVEDIR) == 0);
}

/* Whether another process holds the file's flock. */
static bool is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool locked;

    if (fd < 0)
        return false;
    locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

/* The same of locks by fcntl, of any part. */
static bool is_locked_in_part(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool locked;

    if (fd < 0)
        return false;
    locked = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

static bool is_used(const struct config *config, const char *path, enum guard guard)
{
    const char *dir = config_text(config, SETTING_DATA_DIR);
    char lock[PATH_MAX + 16];

    switch (guard) {
    case NOBODY:
        return false;
    case ITSELF:
        snprintf(lock, sizeof lock, "%s/lock.mdb", path);
        return is_locked(path) || is_locked_in_part(lock);
    case SERVER:
        snprintf(lock, sizeof lock, "%s/serve.lock", dir);
        return is_locked(lock);
    case CLUSTER:
        snprintf(lock, sizeof lock, "%.*s/postgres.lock",
                 (int)(strrchr(path, '/') - path), path);
        return is_locked_in_part(lock);
    }
    return true;
}

static void add(const struct config *config, const char *dir, const char *name,
                struct leftovers *leftovers)
{
    struct leftover *one = &leftovers->list[leftovers->count];
    const struct kind *kind = kind_of(name);

    if (!kind || leftovers->count == LEFTOVERS_MAX ||
        snprintf(one->path, sizeof one->path, "%s/%s", dir, name) >= PATH_MAX)
        return;
    one->bytes = 0;
    walk(AT_FDCWD, one->path, false, &one->bytes);
    one->in_use = is_used(config, one->path, kind->guard);
    leftovers->count++;
}

/* With only, what begins so: the rest of another directory is not ours. */
static void find_in(const struct config *config, const char *dir, const char *only,
                    struct leftovers *leftovers)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        if (!strncmp(entry->d_name, only, strlen(only)))
            add(config, dir, entry->d_name, leftovers);
    }
    if (stream)
        closedir(stream);
}

void leftovers_find(const struct config *config, struct leftovers *leftovers)
{
    const char *dir = config_text(config, SETTING_DATA_DIR);
    const char *cluster_dir = config_text(config, SETTING_CLUSTER_DIR);
    struct dbk_cluster_options cluster = {.data_dir = dir, .cluster_dir = cluster_dir};
    struct dbk_cluster_size taken;
    char id[DBK_UUID_TEXT + 1];
    enum log_mark mark;

    leftovers->count = 0;
    find_in(config, dir, "", leftovers);
    if (*cluster_dir)
        find_in(config, cluster_dir, "postgres.", leftovers);
    if (log_mark_read(dir, &mark, id, NULL) != DBK_OK || mark != LOG_MARK_MADE ||
        !dbk_uuid_parse(id, strlen(id), &cluster.store_id) ||
        dbk_cluster_size(&cluster, &taken, NULL) != DBK_OK ||
        strncmp(taken.dir, OUTSIDE "/", sizeof OUTSIDE) != 0)
        return;
    *strrchr(taken.dir, '/') = '\0';
    find_in(config, taken.dir, "postgres.", leftovers);
}

enum dbk_code leftovers_remove(const struct config *config, const struct leftover *one,
                               struct dbk_error *err)
{
    const char *slash = strrchr(one->path, '/');
    const struct kind *kind = kind_of(slash ? slash + 1 : one->path);
    uint64_t bytes = 0;

    if (!kind || is_used(config, one->path, kind->guard))
        return dbk_fail(err, DBK_CONFLICT, "%s is in use", one->path);
    if (!walk(AT_FDCWD, one->path, true, &bytes))
        return dbk_system_fail(err, "remove", one->path);
    return DBK_OK;
}
