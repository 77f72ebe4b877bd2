/* disk.c - a disk that fails when it is told to, and remembers what it was given.
 *
 * For LD_PRELOAD: it takes the place of the calls by which LMDB writes. DAYBOOK_DISK names
 * the file by which a test says what fails (disk.h), DAYBOOK_DISK_RECORD the one that the
 * writes are recorded in. System calls are made here and not by libc, so that it does not
 * matter whose wrappers, a sanitizer's, lie between.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define METAS 8192 /* bytes of both meta pages */

static struct disk_control *control;
static int record_fd = -1;
/* Recorded in the order in which it is done. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DAYBOOK_DISK"), *record = getenv("DAYBOOK_DISK_RECORD");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = MAP_FAILED;

    if (fd >= 0) {
        map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
    }
    if (map == MAP_FAILED) {
        fputs("DAYBOOK_DISK names no file that can be mapped\n", stderr);
        _exit(127);
    }
    control = map;
    if (record)
        record_fd = open(record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool is_data(int fd)
{
    static const char name[] = "/data.mdb";
    char link[64], path[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path);
    return control && length >= (ssize_t)sizeof name - 1 &&
           !memcmp(path + length - (sizeof name - 1), name, sizeof name - 1);
}

static bool is_directory(int fd)
{
    struct stat status;

    return control && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The fault that this call meets, or NULL. */
static const struct disk_fault *meet(enum disk_call call)
{
    atomic_fetch_add(&control->counts[call], 1);
    for (size_t i = 0; i < DISK_FAULTS; i++) {
        struct disk_fault *fault = &control->faults[i];
        uint32_t seen;

        if (!(atomic_load(&fault->calls) & 1u << call))
            continue;
        seen = atomic_fetch_add(&fault->seen, 1);
        if (seen >= fault->skip && seen - fault->skip < fault->times) {
            atomic_fetch_add(&control->failed, 1);
            return fault;
        }
    }
    return NULL;
}

static void remember(uint32_t what, off_t offset, const struct iovec *parts, int count,
                     size_t length)
{
    struct disk_record record = {what, (uint32_t)length, (uint64_t)offset};
    struct iovec all[1 + IOV_MAX];
    size_t left = length;

    if (record_fd < 0)
        return;
    all[0] = (struct iovec){&record, sizeof record};
    for (int i = 0; i < count; i++) {
        all[i + 1] = parts[i];
        if (all[i + 1].iov_len > left)
            all[i + 1].iov_len = left;
        left -= all[i + 1].iov_len;
    }
    if (syscall(SYS_writev, record_fd, all, count + 1) !=
        (ssize_t)(sizeof record + length))
        abort(); /* a record with a hole in it would prove nothing */
}

static size_t length_of(const struct iovec *parts, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += parts[i].iov_len;
    return length;
}

/* Write the first `length` bytes, which are part of the first of the parts or all of them;
 * offset -1: where the descriptor is. */
static ssize_t put(int fd, const struct iovec *parts, int count, size_t length,
                   off_t offset)
{
    struct iovec one = {parts[0].iov_base, length};

    if (length < length_of(parts, count))
        count = 1, parts = &one;
    if (offset < 0)
        return syscall(SYS_writev, fd, parts, count);
    if (count == 1)
        return syscall(SYS_pwrite64, fd, parts[0].iov_base, parts[0].iov_len, offset);
    return syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

static size_t take_half(const struct iovec *parts, int count)
{
    size_t half = length_of(parts, count) / 2;

    return half < parts[0].iov_len ? half : parts[0].iov_len;
}

static ssize_t write_data(int fd, const struct iovec *parts, int count, off_t offset)
{
    off_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) : offset;
    bool durable = fcntl(fd, F_GETFL) & O_DSYNC;
    const struct disk_fault *fault = meet(durable      ? DISK_META
                                          : at < METAS ? DISK_HEAD
                                                       : DISK_WRITE);
    size_t length = length_of(parts, count);
    ssize_t done = -1;

    if (fault && fault->how == DISK_HALF)
        length = take_half(parts, count);
    pthread_mutex_lock(&order);
    if (!fault || fault->how != DISK_NOTHING) {
        remember(durable ? DISK_BEGAN : DISK_WROTE, at, parts, count, length);
        done = put(fd, parts, count, length, offset);
        if (durable && !fault)
            remember(DISK_ENDED, at, NULL, 0, 0);
    }
    pthread_mutex_unlock(&order);
    if (fault && fault->how != DISK_HALF) {
        errno = (int)fault->error;
        return -1;
    }
    return done;
}

static int sync_data(int fd, long call, enum disk_call kind)
{
    const struct disk_fault *fault = meet(kind);
    int rc = 0;

    if (fault && fault->how == DISK_LATE) {
        while (atomic_load(&fault->calls))
            usleep(1000);
        fault = NULL;
    }
    pthread_mutex_lock(&order);
    if (!fault || fault->how == DISK_ALL)
        rc = (int)syscall(call, fd);
    if (kind == DISK_SYNC)
        remember(fault || rc != 0 ? DISK_LOST : DISK_SYNCED, 0, NULL, 0, 0);
    pthread_mutex_unlock(&order);
    if (!fault)
        return rc;
    errno = (int)fault->error;
    return -1;
}

static int sync_any(int fd, long call)
{
    if (is_data(fd))
        return sync_data(fd, call, DISK_SYNC);
    if (is_directory(fd))
        return sync_data(fd, call, DISK_DIRECTORY);
    return (int)syscall(call, fd);
}

int fsync(int fd)
{
    return sync_any(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_any(fd, SYS_fdatasync);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    struct iovec part = {(void *)(uintptr_t)bytes, length};

    return is_data(fd) ? write_data(fd, &part, 1, offset)
                       : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return is_data(fd) ? write_data(fd, parts, count, offset)
                       : syscall(SYS_pwritev, fd, parts, count, offset, 0L);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return is_data(fd) ? write_data(fd, parts, count, -1)
                       : syscall(SYS_writev, fd, parts, count);
}

/* Only a copy of a log is written by write. */
ssize_t write(int fd, const void *bytes, size_t length)
{
    const struct disk_fault *fault = is_data(fd) ? meet(DISK_COPY) : NULL;

    if (fault && fault->how == DISK_HALF)
        length /= 2;
    else if (fault) {
        errno = (int)fault->error;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, length);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    const struct disk_fault *fault = is_data(fd) ? meet(DISK_READ) : NULL;

    if (fault && fault->how == DISK_HALF)
        length /= 2;
    else if (fault) {
        errno = (int)fault->error;
        return -1;
    }
    return syscall(SYS_pread64, fd, bytes, length, offset);
}

/* The names of these where files may be large by other means. */
ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off_t)
    __attribute__((alias("pwritev")));
ssize_t pread64(int, void *, size_t, off_t) __attribute__((alias("pread")));
