#include "cluster_lock.h"

#include "cluster_place.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Which byte of the file stands for what. A version before this locked byte 1 for each who
 * used the cluster, and 0 for the process that kept it running. */
enum { OWNER = 0, RUNS = 2 };

/* Locks of the open file, not of the process: two opens in one process differ, and what
 * is forked has part in them. */
static struct flock lock_of(int byte, int type)
{
    return (struct flock){
        .l_type = (short)type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static bool set(int fd, int byte, int type)
{
    struct flock lock = lock_of(byte, type);

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_taken(int fd, int byte)
{
    struct flock lock = lock_of(byte, F_WRLCK);

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

enum dbk_code cluster_lock_open(const char *base, bool make, int *lock,
                                struct dbk_error *err)
{
    char path[PATH_MAX];
    enum dbk_code code;

    if (cluster_path(path, base, "postgres.lock", err) != DBK_OK)
        return DBK_TOO_LARGE;
    *lock = open(path, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW,
                 S_IRUSR | S_IWUSR);
    if (*lock >= 0)
        return DBK_OK;
    code = dbk_errno_code(errno);
    if (!make && (errno == ENOENT || errno == EROFS))
        code = DBK_NOT_FOUND;
    return dbk_fail(err, code, "open %s: %s", path, strerror(errno));
}

/* By number: another mount of it has another path. */
static bool name_of(const struct cluster_place *place, char text[64])
{
    struct stat found;

    if (!strcmp(place->base, place->data_dir) || stat(place->data_dir, &found) != 0)
        return false;
    snprintf(text, 64, "%llu:%llu\n", (unsigned long long)found.st_dev,
             (unsigned long long)found.st_ino);
    return true;
}

void cluster_lock_name(int lock, const struct cluster_place *place)
{
    char text[64];

    /* Where it cannot be noted, nothing is missed but a warning. */
    if (name_of(place, text) && ftruncate(lock, 0) == 0)
        (void)!pwrite(lock, text, strlen(text), 0);
}

bool cluster_lock_is_for(int lock, const struct cluster_place *place)
{
    char ours[64], text[64] = "";

    return !name_of(place, ours) || pread(lock, text, sizeof text - 1, 0) <= 0 ||
           !strcmp(text, ours);
}

enum dbk_code cluster_lock_own(int lock, bool *mine, struct dbk_error *err)
{
    *mine = set(lock, OWNER, F_WRLCK);
    if (*mine || errno == EAGAIN || errno == EACCES)
        return DBK_OK;
    return dbk_fail(err, DBK_IO, "lock postgres.lock: %s", strerror(errno));
}

void cluster_lock_disown(int lock)
{
    set(lock, OWNER, F_UNLCK);
}

bool cluster_lock_owned(int lock)
{
    return is_taken(lock, OWNER);
}

bool cluster_lock_runs(int lock)
{
    return is_taken(lock, RUNS);
}

/* Opened anew: the owner's own has no part in this lock. For reading, which is all that
 * the server's user may. */
int cluster_lock_inherit(int lock)
{
    char path[32];
    int fd;

    snprintf(path, sizeof path, "/proc/self/fd/%d", lock);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && set(fd, RUNS, F_RDLCK))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}
