#include "privileges.h"

#include "directory.h"
#include "privileges_drop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "daybook"

static void fill(const struct passwd *entry, struct privileges_user *user)
{
    *user = (struct privileges_user){.uid = entry->pw_uid, .gid = entry->pw_gid};
    snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
    if (strlen(entry->pw_dir) < sizeof user->home)
        memcpy(user->home, entry->pw_dir, strlen(entry->pw_dir) + 1);
}

static bool find_by_name(const char *name, struct privileges_user *user)
{
    char buffer[8192];
    struct passwd entry, *found = NULL;

    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return false;
    fill(found, user);
    return true;
}

/* A user without a name is one, too: files keep numbers only. */
static void find_by_number(uid_t uid, gid_t gid, struct privileges_user *user)
{
    char buffer[8192];
    struct passwd entry, *found = NULL;

    *user = (struct privileges_user){.uid = uid, .gid = gid};
    snprintf(user->name, sizeof user->name, "%u", (unsigned)uid);
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
        fill(found, user);
}

char *privileges_user(char out[33])
{
    struct privileges_user user;

    find_by_number(geteuid(), getegid(), &user);
    memcpy(out, user.name, sizeof user.name);
    return out;
}

/* The deepest directory of the path that is there, as an absolute path without links;
 * *rest, unless NULL, is what is missing below it, in path. */
static bool find_existing(const char *path, char out[PATH_MAX], const char **rest)
{
    size_t there = strlen(path);
    char part[PATH_MAX];

    if (snprintf(part, sizeof part, "%s", path) >= PATH_MAX)
        return false;
    while (!realpath(part, out)) {
        char *slash = strrchr(part, '/');

        if (errno != ENOENT)
            return false;
        there = slash ? (size_t)(slash - part) + 1 : 0;
        if (slash && slash != part)
            *slash = '\0';
        else
            strcpy(part, slash ? "/" : ".");
    }
    if (rest)
        *rest = path + there;
    return true;
}

/* Whether nobody but root can change what the path of this directory, which has no links,
 * leads to, or put anything into it. */
static bool is_roots_alone(const char *dir)
{
    char part[PATH_MAX];
    struct stat status;
    char *slash;

    snprintf(part, sizeof part, "%s", dir);
    for (mode_t kept = 0; lstat(*part ? part : "/", &status) == 0; kept = S_ISVTX) {
        bool open = status.st_mode & (S_IWGRP | S_IWOTH);

        /* In a sticky one, what is root's stays where it is. */
        if (status.st_uid != 0 || (open && !(status.st_mode & kept)))
            return false;
        slash = strrchr(part, '/');
        if (!slash)
            return true;
        *slash = '\0';
    }
    return false;
}

static enum dbk_code refuse_reach(const struct privileges_user *user, const char *dir,
                                  struct dbk_error *err)
{
    return dbk_fail(err, DBK_IO,
                    "the user %s cannot get to %s: open the directories above it to "
                    "others (chmod o+x), or give another --data-dir",
                    user->name, dir);
}

static enum dbk_code give(const char *dir, const struct privileges_user *user,
                          struct dbk_error *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat status;
    bool given;

    given = fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == 0 &&
            fchmod(fd, 0700) == 0 && fchown(fd, user->uid, user->gid) == 0;
    if (!given)
        dbk_fail(err, DBK_IO, "give %s to the user %s: %s", dir, user->name,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    return given ? DBK_OK : DBK_IO;
}

/* Where nobody else can lead it astray meanwhile. */
static enum dbk_code make_for(const struct privileges_user *user, const char *above,
                              const char *rest, struct dbk_error *err)
{
    char dir[PATH_MAX];

    if (snprintf(dir, sizeof dir, "%s/%s", above, rest) >= PATH_MAX)
        return dbk_fail(err, DBK_IO, "the data directory's path is too long");
    if (directory_make(dir, err) != DBK_OK)
        return err->code;
    return give(dir, user, err);
}

/* The directory is there: *become says whether user is to be become. */
static enum dbk_code choose_owner(const struct privileges_wish *wish,
                                  const struct stat *status,
                                  struct privileges_user *user, bool *become,
                                  struct dbk_error *err)
{
    struct privileges_user owner;

    find_by_number(status->st_uid, status->st_gid, &owner);
    if (*wish->run_as && owner.uid != user->uid)
        return dbk_fail(err, DBK_INVALID,
                        "%.256s belongs to the user %s, so it is not for %s: chown -R "
                        "it, or leave RUN_AS out",
                        wish->data_dir, owner.name, user->name);
    *user = owner;
    *become = owner.uid != 0;
    return DBK_OK;
}

/* It is missing: made for RUN_AS, or for "daybook" if that user can get there; by root
 * where the way there is root's alone, else by that user once we are it. */
static enum dbk_code choose_new(const struct privileges_wish *wish,
                                struct privileges_user *user, bool *become,
                                struct dbk_error *err)
{
    char above[PATH_MAX];
    const char *rest;
    bool makes;

    *become = false;
    if (!*wish->run_as && (!wish->serves || !find_by_name(DEFAULT_USER, user)))
        return DBK_OK;
    if (user->uid == 0)
        return DBK_OK;
    if (!find_existing(wish->data_dir, above, &rest))
        return dbk_fail(err, DBK_IO, "find %.256s: %s", wish->data_dir,
                        strerror(errno));
    if (!privileges_reaches(user, above, X_OK))
        return *wish->run_as ? refuse_reach(user, above, err) : DBK_OK;
    makes = wish->serves && is_roots_alone(above);
    if (!makes && !*wish->run_as && !privileges_reaches(user, above, W_OK))
        return DBK_OK;
    *become = true;
    return makes ? make_for(user, above, rest, err) : DBK_OK;
}

/* A path of the working directory may be reached through it alone; PostgreSQL has another
 * one. */
static enum dbk_code check_reach(const char *dir, const struct privileges_user *user,
                                 struct dbk_error *err)
{
    char above[PATH_MAX];

    if (!find_existing(dir, above, NULL))
        return dbk_fail(err, DBK_IO, "find %.256s: %s", dir, strerror(errno));
    return privileges_reaches(user, above, X_OK) ? DBK_OK
                                                 : refuse_reach(user, above, err);
}

static enum dbk_code check_other(const struct privileges_wish *wish,
                                 const struct privileges_user *user,
                                 struct dbk_error *err)
{
    char own[33];

    if (!*wish->run_as || user->uid == geteuid())
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "only root can run as %s, and this is %s",
                    user->name, privileges_user(own));
}

enum dbk_code privileges_settle(const struct privileges_wish *wish,
                                struct dbk_error *err)
{
    struct privileges_user user = {0};
    struct stat status;
    enum dbk_code code;
    bool become;

    if (*wish->run_as && !find_by_name(wish->run_as, &user))
        return dbk_fail(err, DBK_INVALID, "there is no user \"%.64s\"", wish->run_as);
    if (geteuid() != 0)
        return check_other(wish, &user, err);
    if (stat(wish->data_dir, &status) == 0)
        code = choose_owner(wish, &status, &user, &become, err);
    else
        code = choose_new(wish, &user, &become, err);
    if (code != DBK_OK || !become)
        return code;
    if (check_reach(wish->data_dir, &user, err) != DBK_OK)
        return err->code;
    return privileges_drop(&user, wish->low_port, err);
}
