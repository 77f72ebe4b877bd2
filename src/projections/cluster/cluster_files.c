#include "cluster_files.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOG_MAX (4 << 20) /* bytes; it gets a few lines a start */
#define ROOM_NEEDED                                                                    \
    (128ULL << 20) /* a new cluster takes 40 MiB, its log grows at once */

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

void cluster_log_tail(const struct cluster_place *place, char *line, size_t size)
{
    char tail[512];
    size_t length = cluster_read_file(place->log, true, tail, sizeof tail);
    char *last;

    while (length > 0 && tail[length - 1] == '\n')
        tail[--length] = '\0';
    last = strrchr(tail, '\n');
    snprintf(line, size, "%s", last ? last + 1 : tail);
}

/* As the cluster's user: the files in it are that user's, links and all. The directory
 * itself lies in one that may not be. */
static void remove_tree(const struct cluster_place *place, const char *dir, int log_fd)
{
    const char *argv[] = {"/bin/rm", "-rf", "--", dir, NULL};

    cluster_run(&place->user, argv, log_fd, REMOVE_MS, NULL, NULL);
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
        remove_tree(place, found.gl_pathv[i], log_fd);
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

bool cluster_has_room(const struct cluster_place *place)
{
    struct statvfs room;

    return statvfs(place->base, &room) != 0 ||
           (unsigned long long)room.f_bavail * room.f_frsize >= ROOM_NEEDED;
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
                           const struct cluster_programs *programs,
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

    if (!cluster_has_room(place))
        return dbk_fail(err, DBK_NO_ROOM,
                        "a PostgreSQL cluster needs %llu MiB below %s",
                        ROOM_NEEDED >> 20, place->base);
    log_fd = cluster_log_open(place);
    if (log_fd < 0)
        return dbk_system_fail(err, "open", place->log);
    remove_half_made(place, log_fd);
    dbk_watch_say(watch, "making a private PostgreSQL cluster in %s", place->dir);
    code = make_temporary(place, dir, err);
    if (code == DBK_OK)
        code = cluster_run(&place->user, argv, log_fd, INITDB_MS, watch, err);
    if (code == DBK_OK)
        code = put_in_place(place, dir, err);
    if (code != DBK_OK && dir[0]) {
        if (!cluster_has_room(place))
            code = dbk_fail(err, DBK_NO_ROOM, "the disk is full");
        cluster_log_tail(place, tail, sizeof tail);
        dbk_wrap(err, "make a PostgreSQL cluster (%s says: %s)", place->log, tail);
        remove_tree(place, dir, log_fd);
    }
    close(log_fd);
    return code;
}

enum dbk_code cluster_set_aside(const struct cluster_place *place, const char *name,
                                struct dbk_error *err)
{
    char aside[PATH_MAX];

    if (cluster_path(aside, place->base, name, err) != DBK_OK)
        return DBK_TOO_LARGE;
    if (rename(place->dir, aside) != 0)
        return dbk_fail(err, DBK_IO, "rename %s to %s: %s", place->dir, aside,
                        strerror(errno));
    return DBK_OK;
}
