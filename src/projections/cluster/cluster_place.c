#include "cluster_place.h"

#include "store/durable.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTSIDE "/var/lib/daybook-postgres"
#define OUTSIDE_NAME (DBK_UUID_TEXT + sizeof "-0123456789abcdef")

enum dbk_code cluster_path(char *out, const char *base, const char *name,
                           struct dbk_error *err)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", base, name);

    if (length < 0 || length >= PATH_MAX)
        return dbk_fail(err, DBK_TOO_LARGE, "the path is too long: %s/%s", base, name);
    return DBK_OK;
}

/* A cluster runs as the owner of its files: one that was made by an ordinary user can
 * then be run by root, too. */
static enum dbk_code set_base(struct cluster_place *place, const char *base,
                              struct dbk_error *err)
{
    struct stat found;

    snprintf(place->base, sizeof place->base, "%s", base);
    if (cluster_path(place->dir, base, "postgres", err) != DBK_OK ||
        cluster_path(place->log, base, "postgres.log", err) != DBK_OK)
        return DBK_TOO_LARGE;
    place->user = cluster_user_find();
    if (place->user.drop && stat(place->dir, &found) == 0 && found.st_uid != 0) {
        place->user.uid = found.st_uid;
        place->user.gid = found.st_gid;
    }
    return DBK_OK;
}

/* libpq reads a comma, PostgreSQL a comma or a quote, as more than one directory. */
static bool fits_socket(const char *dir)
{
    return strlen(dir) + sizeof "/.s.PGSQL." CLUSTER_PORT <= CLUSTER_SOCKET_DIR &&
           !strpbrk(dir, ",\"");
}

/* The directory that CLUSTER_DIR names, where it is there without its links and dots. */
static void find_chosen(const char *cluster_dir, char base[PATH_MAX])
{
    char *found = realpath(cluster_dir, NULL);

    snprintf(base, PATH_MAX, "%s", found ? found : cluster_dir);
    free(found);
}

/* Members of one log on one machine have its id in common: the path tells them apart. */
static void name_outside(const struct dbk_uuid *store_id, const char *data_dir,
                         char out[OUTSIDE_NAME])
{
    char id[DBK_UUID_TEXT + 1];
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

    for (const char *c = data_dir; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    dbk_uuid_format(store_id, id);
    snprintf(out, OUTSIDE_NAME, "%s-%016" PRIx64, id, hash);
}

enum dbk_code cluster_place_find(const char *data_dir, const char *cluster_dir,
                                 const struct dbk_uuid *store_id,
                                 struct cluster_place *place, struct dbk_error *err)
{
    char name[OUTSIDE_NAME], base[PATH_MAX];

    assert(data_dir[0] == '/'); /* the programs run in / */
    *place = (struct cluster_place){.outside = false};
    name_outside(store_id, data_dir, name);
    snprintf(place->data_dir, sizeof place->data_dir, "%s", data_dir);
    place->chosen = cluster_dir && *cluster_dir;
    if (place->chosen)
        find_chosen(cluster_dir, base);
    if (set_base(place, place->chosen ? base : data_dir, err) != DBK_OK)
        return DBK_TOO_LARGE;
    place->outside = !place->chosen && place->user.drop &&
                     !cluster_user_reaches(&place->user, data_dir);
    if (place->outside) {
        snprintf(base, sizeof base, "%s/%s", OUTSIDE, name);
        if (set_base(place, base, err) != DBK_OK)
            return DBK_TOO_LARGE;
    }
    place->own_socket_dir = !fits_socket(place->dir);
    if (place->own_socket_dir)
        snprintf(place->socket_dir, sizeof place->socket_dir, "/tmp/daybook-%s", name);
    else
        memcpy(place->socket_dir, place->dir, strlen(place->dir) + 1);
    return DBK_OK;
}

/* The unprivileged user must get through, whatever the caller's umask. */
static enum dbk_code make_passage(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, S_IRWXU) != 0)
        return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", dir);
    if (chmod(dir, S_IRWXU | S_IXGRP | S_IXOTH) != 0)
        return dbk_fail(err, DBK_IO, "open %s to others: %s", dir, strerror(errno));
    return DBK_OK;
}

/* Only itself: where the way to it is missing, a disk is not mounted. */
static enum dbk_code make_chosen(const struct cluster_place *place,
                                 struct dbk_error *err)
{
    if (place->base[0] != '/')
        return dbk_fail(err, DBK_IO,
                        "CLUSTER_DIR %s is not there: make it, or mount "
                        "its disk",
                        place->base);
    if (make_passage(place->base, err) != DBK_OK)
        return dbk_wrap(err, "CLUSTER_DIR");
    if (!cluster_user_reaches(&place->user, place->base))
        return dbk_fail(err, DBK_IO,
                        "the user that PostgreSQL runs as (uid %u) cannot reach "
                        "CLUSTER_DIR %s: change its permissions",
                        (unsigned)place->user.uid, place->base);
    return DBK_OK;
}

static enum dbk_code make_outside(const struct cluster_place *place,
                                  struct dbk_error *err)
{
    if (make_passage(OUTSIDE, err) != DBK_OK ||
        make_passage(place->base, err) != DBK_OK)
        return err->code;
    if (!cluster_user_reaches(&place->user, place->base))
        return dbk_fail(err, DBK_IO,
                        "the user that PostgreSQL runs as (uid %u) can reach neither "
                        "the data directory nor %s: change their permissions",
                        (unsigned)place->user.uid, place->base);
    return DBK_OK;
}

/* Everybody may write in /tmp, and so have put something in its place. */
static enum dbk_code make_socket_dir(const struct cluster_place *place,
                                     struct dbk_error *err)
{
    const struct cluster_user *user = &place->user;
    bool made = mkdir(place->socket_dir, S_IRWXU) == 0;
    struct stat found;

    if (!made && errno != EEXIST)
        return dbk_system_fail(err, "make", place->socket_dir);
    if (made && user->drop && lchown(place->socket_dir, user->uid, user->gid) != 0)
        return dbk_fail(err, DBK_IO, "give %s to PostgreSQL: %s", place->socket_dir,
                        strerror(errno));
    if (lstat(place->socket_dir, &found) != 0)
        return dbk_system_fail(err, "look at", place->socket_dir);
    if (!S_ISDIR(found.st_mode) || found.st_uid != user->uid ||
        (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return dbk_fail(err, DBK_IO, "%s is not ours: remove it", place->socket_dir);
    return DBK_OK;
}

enum dbk_code cluster_place_make(const struct cluster_place *place,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (place->chosen)
        code = make_chosen(place, err);
    else if (place->outside)
        code = make_outside(place, err);
    if (code == DBK_OK && place->own_socket_dir)
        code = make_socket_dir(place, err);
    return code;
}
