#include "cluster_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum dbk_code cluster_owner_open(const char *data_dir, struct cluster_owner *owner,
                                 struct dbk_error *err)
{
    char path[PATH_MAX];

    owner->fd = -1;
    if (cluster_path(path, data_dir, "postgres.lock", err) != DBK_OK)
        return DBK_TOO_LARGE;
    owner->fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (owner->fd < 0)
        return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO, "open %s: %s",
                        path, strerror(errno));
    return DBK_OK;
}

/* A lock of the open file, not of the process: two opens in one process differ, and the
 * kernel drops it however we end. Our children close the file before they exec. */
enum dbk_code cluster_owner_claim(struct cluster_owner *owner, bool *mine,
                                  struct dbk_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *mine = fcntl(owner->fd, F_OFD_SETLK, &whole) == 0;
    if (!*mine && errno != EAGAIN && errno != EACCES)
        return dbk_fail(err, DBK_IO, "lock postgres.lock: %s", strerror(errno));
    return DBK_OK;
}

bool cluster_owner_other(const struct cluster_owner *owner)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(owner->fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

void cluster_owner_read(const struct cluster_owner *owner,
                        char socket_dir[CLUSTER_SOCKET_DIR])
{
    ssize_t length = pread(owner->fd, socket_dir, CLUSTER_SOCKET_DIR - 1, 0);

    socket_dir[length > 0 ? length : 0] = '\0';
    socket_dir[strcspn(socket_dir, "\n")] = '\0';
}

enum dbk_code cluster_owner_tell(struct cluster_owner *owner, const char *socket_dir,
                                 struct dbk_error *err)
{
    size_t length = strlen(socket_dir);

    if (ftruncate(owner->fd, 0) != 0 ||
        pwrite(owner->fd, socket_dir, length, 0) != (ssize_t)length)
        return dbk_fail(err, errno == ENOSPC ? DBK_NO_ROOM : DBK_IO,
                        "write postgres.lock: %s", strerror(errno));
    return DBK_OK;
}

void cluster_owner_close(struct cluster_owner *owner)
{
    if (owner->fd >= 0)
        close(owner->fd);
    owner->fd = -1;
}
