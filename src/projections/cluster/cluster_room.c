#include "cluster_room.h"

#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define MIB (UINT64_C(1) << 20)
#define NEEDED (128 * MIB) /* a new cluster takes 40 MiB, its WAL grows at once */
#define RESERVE_LEAST (64 * MIB)
#define RESERVE_MOST (1024 * MIB)
#define WAL_LEAST (128 * MIB)
#define WAL_MOST (2048 * MIB)
#define WAL_WORKS (64 * MIB) /* four segments: PostgreSQL needs two */

struct disk {
    uint64_t size, left;
};

static bool look(const char *dir, struct disk *disk)
{
    struct statvfs found;

    if (statvfs(dir, &found) != 0)
        return false;
    disk->size = (uint64_t)found.f_blocks * found.f_frsize;
    disk->left = (uint64_t)found.f_bavail * found.f_frsize;
    return true;
}

static bool log_path(const struct cluster_place *place, const char *name,
                     char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/log%s", place->data_dir, name);

    return length > 0 && length < PATH_MAX;
}

static bool beside_the_log(const struct cluster_place *place)
{
    struct stat ours, log;
    char path[PATH_MAX];

    return log_path(place, "", path) && stat(path, &log) == 0 &&
           stat(place->base, &ours) == 0 && ours.st_dev == log.st_dev;
}

static uint64_t bounded(uint64_t value, uint64_t least, uint64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

/* A twentieth of the disk. */
static uint64_t reserve_of(const struct disk *disk)
{
    return bounded(disk->size / 20, RESERVE_LEAST, RESERVE_MOST);
}

unsigned cluster_room_needed_mib(void)
{
    return NEEDED / MIB;
}

bool cluster_room_for_another(const struct cluster_place *place)
{
    struct disk disk;

    if (!look(place->base, &disk))
        return true;
    return disk.left >= NEEDED + (beside_the_log(place) ? reserve_of(&disk) : 0);
}

bool cluster_room_is_reserved(const struct cluster_place *place, bool held,
                              uint64_t *reserve, uint64_t *left)
{
    struct disk disk;

    if (!beside_the_log(place) || !look(place->base, &disk))
        return false;
    *reserve = reserve_of(&disk);
    *left = disk.left;
    return disk.left < *reserve + (held ? *reserve / 4 : 0);
}

unsigned cluster_room_wal_mb(const struct cluster_place *place)
{
    char path[PATH_MAX];
    struct stat log;
    struct disk disk;
    uint64_t most = 0;

    if (log_path(place, "/data.mdb", path) && stat(path, &log) == 0)
        most = (uint64_t)log.st_blocks * 512;
    most = bounded(most, WAL_LEAST, WAL_MOST);
    if (look(place->base, &disk) && most > disk.left / 10)
        most = disk.left / 10;
    return (unsigned)(bounded(most, WAL_WORKS, WAL_MOST) / MIB);
}

uint64_t cluster_room_taken(const char *dir)
{
    char path[PATH_MAX];
    char *paths[] = {path, NULL};
    uint64_t bytes = 0;
    FTSENT *one;
    FTS *walk;

    snprintf(path, sizeof path, "%s", dir);
    walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (!walk)
        return 0;
    while ((one = fts_read(walk))) {
        if (one->fts_info == FTS_F || one->fts_info == FTS_D)
            bytes += (uint64_t)one->fts_statp->st_blocks * 512;
    }
    fts_close(walk);
    return bytes;
}
