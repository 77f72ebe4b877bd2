#include "cluster_place.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTSIDE "/var/lib/daybook-postgres"
#define SOCKET_TEMPLATE "/tmp/daybook-XXXXXX"

void cluster_say(const struct cluster_caller *caller, const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!caller->line)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    caller->line(caller->context, line);
}

enum dbk_code cluster_path(char *out, const char *base, const char *name,
                           struct dbk_error *err)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", base, name);

    if (length < 0 || length >= PATH_MAX)
        return dbk_fail(err, DBK_TOO_LARGE, "the path is too long: %s/%s", base, name);
    return DBK_OK;
}

static enum dbk_code set_base(struct cluster_place *place, const char *base,
                              struct dbk_error *err)
{
    snprintf(place->base, sizeof place->base, "%s", base);
    if (cluster_path(place->dir, base, "postgres", err) != DBK_OK ||
        cluster_path(place->log, base, "postgres.log", err) != DBK_OK)
        return DBK_TOO_LARGE;
    return DBK_OK;
}

/* A cluster runs as the owner of its files: one that was made by an ordinary user can
 * then be run by root, too. */
static void adopt_owner(struct cluster_place *place)
{
    struct stat found;

    if (!place->user.drop || stat(place->dir, &found) != 0 || found.st_uid == 0)
        return;
    place->user.uid = found.st_uid;
    place->user.gid = found.st_gid;
}

/* The unprivileged user must get through, whatever the caller's umask. */
static enum dbk_code make_dir(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, S_IRWXU) != 0)
        return errno == EEXIST
                   ? DBK_OK
                   : dbk_fail(err, DBK_IO, "make %s: %s", dir, strerror(errno));
    if (chmod(dir, S_IRWXU | S_IXGRP | S_IXOTH) != 0)
        return dbk_fail(err, DBK_IO, "open %s to others: %s", dir, strerror(errno));
    return DBK_OK;
}

static enum dbk_code place_outside(const struct dbk_uuid *store_id,
                                   struct cluster_place *place, struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1], base[sizeof OUTSIDE + sizeof id];

    dbk_uuid_format(store_id, id);
    snprintf(base, sizeof base, "%s/%s", OUTSIDE, id);
    if (make_dir(OUTSIDE, err) != DBK_OK || make_dir(base, err) != DBK_OK)
        return DBK_IO;
    if (set_base(place, base, err) != DBK_OK)
        return DBK_TOO_LARGE;
    place->user = cluster_user_find();
    adopt_owner(place);
    if (!cluster_user_reaches(&place->user, base))
        return dbk_fail(err, DBK_IO,
                        "the user that PostgreSQL runs as (uid %u) can reach neither "
                        "the data directory nor %s: change their permissions",
                        (unsigned)place->user.uid, base);
    return DBK_OK;
}

enum dbk_code cluster_place_find(const char *data_dir, const struct dbk_uuid *store_id,
                                 const struct cluster_caller *caller,
                                 struct cluster_place *place, struct dbk_error *err)
{
    memset(place, 0, sizeof *place);
    place->user = cluster_user_find();
    if (set_base(place, data_dir, err) != DBK_OK)
        return DBK_TOO_LARGE;
    adopt_owner(place);
    if (cluster_user_reaches(&place->user, data_dir))
        return DBK_OK;
    if (place_outside(store_id, place, err) != DBK_OK)
        return err ? err->code : DBK_IO;
    cluster_say(caller, "PostgreSQL cannot reach %s as uid %u: its files are in %s",
                data_dir, (unsigned)place->user.uid, place->base);
    return DBK_OK;
}

/* libpq reads a comma, PostgreSQL a comma or a quote, as more than one directory. */
static bool fits_socket(const char *dir)
{
    return strlen(dir) + sizeof "/.s.PGSQL." CLUSTER_PORT <= CLUSTER_SOCKET_DIR &&
           !strpbrk(dir, ",\"");
}

static bool still_ours(const struct cluster_place *place, const char *dir)
{
    struct stat found;

    return strlen(dir) == strlen(SOCKET_TEMPLATE) &&
           !strncmp(dir, SOCKET_TEMPLATE, sizeof "/tmp/daybook-" - 1) &&
           !strchr(dir + sizeof "/tmp/daybook-" - 1, '/') && lstat(dir, &found) == 0 &&
           S_ISDIR(found.st_mode) && found.st_uid == place->user.uid &&
           (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

enum dbk_code cluster_place_socket(struct cluster_place *place, const char *last,
                                   struct dbk_error *err)
{
    if (fits_socket(place->dir)) {
        memcpy(place->socket_dir, place->dir, strlen(place->dir) + 1);
        return DBK_OK;
    }
    place->own_socket_dir = true;
    if (still_ours(place, last)) {
        memcpy(place->socket_dir, last, strlen(last) + 1);
        return DBK_OK;
    }
    memcpy(place->socket_dir, SOCKET_TEMPLATE, sizeof SOCKET_TEMPLATE);
    if (!mkdtemp(place->socket_dir))
        return dbk_fail(err, DBK_IO, "make %s: %s", SOCKET_TEMPLATE, strerror(errno));
    if (place->user.drop &&
        chown(place->socket_dir, place->user.uid, place->user.gid) != 0)
        return dbk_fail(err, DBK_IO, "give %s to PostgreSQL: %s", place->socket_dir,
                        strerror(errno));
    return DBK_OK;
}
