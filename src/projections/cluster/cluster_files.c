#include "cluster_files.h"

#include "cluster_room.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAX (4 << 20) /* bytes; it gets a few lines a start */

enum { INITDB_MS = 180000, REMOVE_MS = 60000 };

size_t cluster_read_file(const char *path, bool end, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0;

    if (fd >= 0) {
        if (end) /* of a shorter one this fails, and it is read from its beginning */
            lseek(fd, -(off_t)(size - 1), SEEK_END);
        length = read(fd, out, size - 1);
        close(fd);
    }
    out[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

int cluster_version(const struct cluster_place *place)
{
    char path[PATH_MAX], text[16];

    if (cluster_path(path, place->dir, "PG_VERSION", NULL) != DBK_OK)
        return 0;
    cluster_read_file(path, false, text, sizeof text);
    return (int)strtol(text, NULL, 10);
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH_MAX];

    return cluster_path(path, dir, name, NULL) == DBK_OK && access(path, F_OK) == 0;
}

bool cluster_is_whole(const struct cluster_place *place)
{
    static const char *const needed[] = {"global/pg_control", "base", "pg_wal",
                                         "pg_xact"};

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!is_there(place->dir, needed[i]))
            return false;
    }
    return cluster_version(place) > 0;
}

bool cluster_is_same(const struct cluster_place *place, const struct stat *before)
{
    struct stat now;

    return stat(place->dir, &now) == 0 && now.st_dev == before->st_dev &&
           now.st_ino == before->st_ino;
}

bool cluster_is_reached(const struct cluster_place *place)
{
    return is_there(place->dir, "postmaster.pid") &&
           is_there(place->socket_dir, ".s.PGSQL." CLUSTER_PORT);
}

int cluster_log_open(const struct cluster_place *place)
{
    int fd = open(place->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  S_IRUSR | S_IWUSR);
    struct stat found;

    if (fd >= 0 && fstat(fd, &found) == 0 && found.st_size > LOG_MAX &&
        ftruncate(fd, 0) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The last line that has the word, from it on; NULL: none has. What a server says to those
 * that come before it has started is no reason. */
static const char *last_with(const char *text, const char *word)
{
    const char *found = NULL;

    for (const char *one = strstr(text, word); one; one = strstr(one + 1, word)) {
        if (!strstr(one, "the database system is") ||
            strcspn(one, "\n") < (size_t)(strstr(one, "the database system is") - one))
            found = one;
    }
    return found;
}

void cluster_log_tail(const struct cluster_place *place, char *line, size_t size)
{
    char tail[2048];
    size_t length = cluster_read_file(place->log, true, tail, sizeof tail);
    const char *last;

    while (length > 0 && tail[length - 1] == '\n')
        tail[--length] = '\0';
    last = last_with(tail, "PANIC:");
    if (!last)
        last = last_with(tail, "FATAL:");
    if (!last && (last = strrchr(tail, '\n')))
        last++;
    last = last ? last : tail;
    snprintf(line, size, "%.*s", (int)strcspn(last, "\n"), last);
}

/* As the cluster's user: the files in it are that user's, links and all. The directory
 * itself lies in one that may not be. */
static void remove_tree(const struct cluster_place *place, const char *dir, int log_fd,
                        const struct dbk_watch *watch)
{
    const char *argv[] = {"/bin/rm", "-rf", "--", dir, NULL};

    cluster_run(&place->user, argv, log_fd, REMOVE_MS, watch, NULL);
    rmdir(dir);
}

/* What a first start that was interrupted left behind. */
static void remove_half_made(const struct cluster_place *place, int log_fd)
{
    char pattern[PATH_MAX];
    glob_t found;

    if (cluster_path(pattern, place->base, "postgres.tmp.??????", NULL) != DBK_OK ||
        glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        remove_tree(place, found.gl_pathv[i], log_fd, NULL);
    globfree(&found);
}

/* A name of its own each time: a killed initdb may still be tidying up the last one. */
static enum dbk_code make_temporary(const struct cluster_place *place,
                                    char dir[PATH_MAX], struct dbk_error *err)
{
    if (cluster_path(dir, place->base, "postgres.tmp.XXXXXX", err) != DBK_OK)
        return DBK_TOO_LARGE;
    if (!mkdtemp(dir))
        return dbk_system_fail(err, "make", dir);
    if (place->user.drop && chown(dir, place->user.uid, place->user.gid) != 0)
        return dbk_fail(err, DBK_IO, "give %s to PostgreSQL: %s", dir, strerror(errno));
    return DBK_OK;
}

static void remove_damaged(const struct cluster_place *place, int log_fd,
                           const struct dbk_watch *watch)
{
    char path[PATH_MAX];

    if (cluster_path(path, place->base, CLUSTER_DAMAGED, NULL) == DBK_OK &&
        access(path, F_OK) == 0)
        remove_tree(place, path, log_fd, watch);
}

/* The older damaged one goes first where that makes the room. */
static bool make_room(const struct cluster_place *place, int log_fd,
                      const struct dbk_watch *watch)
{
    if (!cluster_room_for_another(place))
        remove_damaged(place, log_fd, watch);
    return cluster_room_for_another(place);
}

static enum dbk_code set_aside(const struct cluster_place *place, const char *name,
                               int log_fd, const struct dbk_watch *watch,
                               struct dbk_error *err)
{
    char aside[PATH_MAX];

    if (access(place->dir, F_OK) != 0)
        return DBK_OK;
    if (!strcmp(name, CLUSTER_DAMAGED))
        remove_damaged(place, log_fd, watch);
    if (cluster_path(aside, place->base, name, err) != DBK_OK)
        return DBK_TOO_LARGE;
    if (rename(place->dir, aside) != 0)
        return dbk_fail(err, DBK_IO, "rename %s to %s: %s", place->dir, aside,
                        strerror(errno));
    dbk_watch_say(watch, "the cluster %s is set aside as %s", place->dir, name);
    return DBK_OK;
}

/* The rename is in place after a power cut, too. */
static enum dbk_code put_in_place(const struct cluster_place *place, const char *dir,
                                  struct dbk_error *err)
{
    if (rename(dir, place->dir) != 0)
        return dbk_system_fail(err, "rename to", place->dir);
    return dbk_sync_directory(place->base, err);
}

enum dbk_code cluster_make(const struct cluster_place *place,
                           const struct cluster_programs *programs, const char *aside,
                           const struct dbk_watch *watch, struct dbk_error *err)
{
    char dir[PATH_MAX] = "", tail[256];
    const char *argv[] = {programs->initdb,
                          "-D",
                          dir,
                          "-U",
                          "daybook",
                          "-A",
                          "trust",
                          "-E",
                          "UTF8",
                          "--data-checksums",
                          "--locale=C.UTF-8",
                          NULL};
    enum dbk_code code;
    int log_fd;

    log_fd = cluster_log_open(place);
    if (log_fd < 0)
        return dbk_system_fail(err, "open", place->log);
    remove_half_made(place, log_fd);
    dbk_watch_say(watch, "making a private PostgreSQL cluster in %s", place->dir);
    code = make_room(place, log_fd, watch)
               ? make_temporary(place, dir, err)
               : dbk_fail(err, DBK_NO_ROOM,
                          "a PostgreSQL cluster needs %u MiB below %s, beside what the "
                          "log keeps",
                          cluster_room_needed_mib(), place->base);
    if (code == DBK_OK)
        code = cluster_run(&place->user, argv, log_fd, INITDB_MS, watch, err);
    if (code == DBK_OK)
        code = set_aside(place, aside, log_fd, watch, err);
    if (code == DBK_OK)
        code = put_in_place(place, dir, err);
    if (code != DBK_OK && dir[0]) {
        if (code == DBK_IO && !cluster_room_for_another(place))
            code = dbk_fail(err, DBK_NO_ROOM, "the disk is full");
        cluster_log_tail(place, tail, sizeof tail);
        dbk_wrap(err, "make a PostgreSQL cluster (%s says: %s)", place->log, tail);
        remove_tree(place, dir, log_fd, NULL);
    }
    close(log_fd);
    return code;
}
