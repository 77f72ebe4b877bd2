#include "cluster_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Which byte of the file stands for what. */
enum { KEEPER = 0, USERS = 1 };

enum { DEATHS_MAX = 256 }; /* marks that are looked at */

/* Locks of the open file, not of the process: two opens in one process differ, a fork
 * has part in them, and the kernel drops them however we end. Programs that we start
 * have the file closed. */
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

/* The type of a lock of others that is in the way of an exclusive one. */
static int in_the_way(int fd, int byte)
{
    struct flock lock = lock_of(byte, F_WRLCK);

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 ? lock.l_type : F_UNLCK;
}

enum dbk_code cluster_lock_open(const char *data_dir, bool make,
                                struct cluster_lock *lock, struct dbk_error *err)
{
    *lock = (struct cluster_lock){.user = -1, .keeper = -1};
    if (cluster_path(lock->path, data_dir, "postgres.lock", err) != DBK_OK)
        return DBK_TOO_LARGE;
    lock->user =
        open(lock->path, O_RDWR | (make ? O_CREAT : 0) | O_CLOEXEC | O_NOFOLLOW,
             S_IRUSR | S_IWUSR);
    if (lock->user >= 0)
        return DBK_OK;
    if (!make && (errno == ENOENT || errno == EROFS))
        return dbk_fail(err, DBK_NOT_FOUND, "open %s: %s", lock->path, strerror(errno));
    return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "open %s: %s",
                    lock->path, strerror(errno));
}

bool cluster_lock_join(const struct cluster_lock *lock)
{
    return set(lock->user, USERS, F_RDLCK);
}

void cluster_lock_leave(const struct cluster_lock *lock)
{
    if (lock->user >= 0)
        set(lock->user, USERS, F_UNLCK);
}

bool cluster_lock_shared(const struct cluster_lock *lock)
{
    return in_the_way(lock->user, USERS) == F_RDLCK;
}

bool cluster_lock_kept(const struct cluster_lock *lock)
{
    return in_the_way(lock->user, KEEPER) != F_UNLCK;
}

enum dbk_code cluster_lock_claim(struct cluster_lock *lock, bool *mine,
                                 struct dbk_error *err)
{
    int reason;

    *mine = false;
    lock->keeper = open(lock->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock->keeper < 0)
        return dbk_fail(err, DBK_IO, "open %s: %s", lock->path, strerror(errno));
    *mine = set(lock->keeper, KEEPER, F_WRLCK);
    if (*mine)
        return DBK_OK;
    reason = errno;
    cluster_lock_unclaim(lock);
    if (reason != EAGAIN && reason != EACCES)
        return dbk_fail(err, DBK_IO, "lock %s: %s", lock->path, strerror(reason));
    return DBK_OK;
}

void cluster_lock_unclaim(struct cluster_lock *lock)
{
    if (lock->keeper >= 0)
        close(lock->keeper);
    lock->keeper = -1;
}

bool cluster_lock_end(int fd)
{
    return set(fd, USERS, F_WRLCK);
}

unsigned cluster_lock_read(const struct cluster_lock *lock,
                           char socket_dir[CLUSTER_SOCKET_DIR])
{
    char text[CLUSTER_SOCKET_DIR + DEATHS_MAX] = "";
    ssize_t length = pread(lock->user, text, sizeof text - 1, 0);
    size_t end = strcspn(text, "\n");

    socket_dir[0] = '\0';
    if (length <= 0 || end >= CLUSTER_SOCKET_DIR)
        return 0;
    memcpy(socket_dir, text, end);
    socket_dir[end] = '\0';
    return text[end] == '\n' ? (unsigned)strlen(text + end + 1) : 0;
}

enum dbk_code cluster_lock_tell(const struct cluster_lock *lock, const char *socket_dir,
                                struct dbk_error *err)
{
    char line[CLUSTER_SOCKET_DIR + 1];
    size_t length = strlen(socket_dir);

    memcpy(line, socket_dir, length);
    line[length++] = '\n';
    if (ftruncate(lock->user, 0) != 0 ||
        pwrite(lock->user, line, length, 0) != (ssize_t)length)
        return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "write %s: %s",
                        lock->path, strerror(errno));
    return DBK_OK;
}

void cluster_lock_mark_death(int fd, const char *socket_dir, unsigned deaths_before)
{
    off_t at = (off_t)strlen(socket_dir) + 1 + (off_t)deaths_before;

    if (pwrite(fd, "x", 1, at) != 1)
        return; /* a full disk: only nobody is told of it */
}

void cluster_lock_close(struct cluster_lock *lock)
{
    cluster_lock_unclaim(lock);
    if (lock->user >= 0)
        close(lock->user);
    lock->user = -1;
}
