#include "backup_folder.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool backup_folder_find(const char *from, char out[PATH_MAX])
{
    static const char file[] = "/data.mdb";
    size_t length = strlen(from);
    char path[PATH_MAX + 16];

    if (length >= sizeof file && length < PATH_MAX &&
        !strcmp(from + length - (sizeof file - 1), file)) {
        snprintf(out, PATH_MAX, "%.*s", (int)(length - (sizeof file - 1)), from);
        return true;
    }
    if (snprintf(out, PATH_MAX, "%s/log", from) >= PATH_MAX)
        return false;
    snprintf(path, sizeof path, "%s/data.mdb", out);
    if (access(path, F_OK) != 0)
        snprintf(out, PATH_MAX, "%s", from);
    return true;
}

static void give_back(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void backup_folder_enter(struct backup_folder *folder, const char *path)
{
    *folder = (struct backup_folder){.use = -1, .write = -1, .had_lock = true};
    if (snprintf(folder->lock, sizeof folder->lock, "%s/lock.mdb", path) >= PATH_MAX)
        return;
    folder->use = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->use < 0)
        return;
    if (flock(folder->use, LOCK_SH) != 0)
        give_back(&folder->use);
    folder->had_lock = access(folder->lock, F_OK) == 0;
}

enum dbk_code backup_folder_enter_to_write(struct backup_folder *folder,
                                           const char *path, struct dbk_error *err)
{
    char file[PATH_MAX + 16];

    backup_folder_enter(folder, path);
    snprintf(file, sizeof file, "%s/data.mdb", path);
    folder->write = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (folder->write < 0)
        dbk_system_fail(err, "open", file);
    else if (flock(folder->write, LOCK_EX | LOCK_NB) == 0)
        return DBK_OK;
    else if (errno == EWOULDBLOCK)
        dbk_fail(err, DBK_CONFLICT, "another process adds to %s: wait for its end",
                 path);
    else
        dbk_system_fail(err, "lock", file);
    backup_folder_leave(folder);
    return err->code;
}

void backup_folder_leave(struct backup_folder *folder)
{
    if (folder->use >= 0 && !folder->had_lock &&
        flock(folder->use, LOCK_EX | LOCK_NB) == 0)
        unlink(folder->lock);
    give_back(&folder->write);
    give_back(&folder->use);
}

int backup_folder_claim(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
        give_back(&fd);
    return fd;
}
