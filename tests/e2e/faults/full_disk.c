/* Preloaded into PostgreSQL, this makes the disk full as far as tables see it: while the
 * file that DAYBOOK_FULL_DISK names is there, none of them can be made longer. It needs no
 * rights and no file system of its own. The write-ahead log goes on, as it does where it
 * lies on another disk. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef ssize_t write_at(int fd, const void *bytes, size_t count, off_t offset);
typedef ssize_t write_parts_at(int fd, const struct iovec *parts, int count,
                               off_t offset);
typedef int allocate(int fd, off_t offset, off_t length);

/* What the server has been built to call: with one name or the other. */
write_at pwrite64;
write_parts_at pwritev64;
allocate posix_fallocate64;

static bool is_table(int fd)
{
    char link[64], path[4096] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return readlink(link, path, sizeof path - 1) > 0 && strstr(path, "/base/");
}

static bool grows(int fd, off_t end)
{
    const char *flag = getenv("DAYBOOK_FULL_DISK");
    struct stat file;

    return flag && access(flag, F_OK) == 0 && is_table(fd) && fstat(fd, &file) == 0 &&
           end > file.st_size;
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    if (grows(fd, offset + (off_t)count)) {
        errno = ENOSPC;
        return -1;
    }
    return ((write_at *)real("pwrite"))(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite(fd, bytes, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    off_t end = offset;

    for (int i = 0; i < count; i++)
        end += (off_t)parts[i].iov_len;
    if (grows(fd, end)) {
        errno = ENOSPC;
        return -1;
    }
    return ((write_parts_at *)real("pwritev"))(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
    return pwritev(fd, parts, count, offset);
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
    if (grows(fd, offset + length))
        return ENOSPC;
    return ((allocate *)real("posix_fallocate"))(fd, offset, length);
}

int posix_fallocate64(int fd, off_t offset, off_t length)
{
    return posix_fallocate(fd, offset, length);
}
