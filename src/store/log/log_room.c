#include "log_room.h"

#include "store/clock.h"

#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { LOOK_MS = 1000 };

/* Of a file that is not there, as after it was removed, none: others tell that. */
static uint64_t growth_of(const char *dir)
{
    struct rlimit limit;
    struct stat status;
    char path[PATH_MAX];

    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    if (stat(path, &status) != 0)
        return UINT64_MAX;
    return limit.rlim_cur > (uint64_t)status.st_size
               ? limit.rlim_cur - (uint64_t)status.st_size
               : 0;
}

static void look(struct log_room *room, const char *dir)
{
    struct statvfs vfs;

    if (statvfs(dir, &vfs) != 0)
        return;
    atomic_store(&room->disk, (uint64_t)vfs.f_bavail * vfs.f_frsize);
    atomic_store(&room->file, growth_of(dir));
    atomic_store(&room->looked_at, dbk_clock_ms());
}

void log_room_find(struct log_room *room, const char *dir, struct log_room_found *out)
{
    int64_t now = dbk_clock_ms(), nobody = 0, since;

    if (now - atomic_load(&room->looked_at) >= LOOK_MS &&
        atomic_compare_exchange_strong(&room->looks_since, &nobody, now)) {
        look(room, dir);
        atomic_store(&room->looks_since, 0);
        now = dbk_clock_ms();
    }
    since = atomic_load(&room->looks_since);
    *out = (struct log_room_found){.known = atomic_load(&room->looked_at) != 0,
                                   .disk = atomic_load(&room->disk),
                                   .file = atomic_load(&room->file),
                                   .hanging_ms =
                                       since != 0 && now > since ? now - since : 0};
}

bool log_room_is_there(struct log_room *room, const char *dir)
{
    return log_room_is_for(room, dir, 0);
}

bool log_room_is_for(struct log_room *room, const char *dir, uint64_t bytes)
{
    look(room, dir);
    return atomic_load(&room->looked_at) == 0 ||
           (atomic_load(&room->disk) >= LOG_ROOM_MIN + bytes &&
            atomic_load(&room->file) >= LOG_ROOM_MIN + bytes);
}
