/* What a rotation that was killed left behind: ring_rotate.c has the order of its steps. */
#include "master.h"
#include "ring_private.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Remove it, where it is there. */
static enum dbk_code clear(const char *path, struct dbk_error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return DBK_OK;
    return dbk_system_fail(err, "remove", path);
}

bool ring_holds_master(const struct dbk_keys *keys, const char *path)
{
    uint8_t key[DBK_KEY_BYTES];
    struct stat status;
    bool right = fstat(keys->file.fd, &status) == 0 &&
                 master_read(path, keys->beside, status.st_uid, key, NULL) == DBK_OK &&
                 sodium_memcmp(key, keys->secrets->master, sizeof key) == 0;

    sodium_memzero(key, sizeof key);
    return right;
}

/* Who rotates has it locked, alone. */
static enum ring_left look_at(const char *ring)
{
    int fd = open(ring, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool locked;

    if (fd < 0)
        return errno == ENOENT ? RING_NOTHING : RING_LEFT;
    locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked ? RING_UNDER_WAY : RING_LEFT;
}

/* Beside the ring the master key that it is wrapped by goes with it. Elsewhere that stays, for the
 * next rotation, and would open what is left of it on the disk. Who rotates does it, too. */
static enum dbk_code clear_ring(const struct dbk_keys *keys, const char *ring,
                                struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    int fd = -1;

    if (!keys->beside && look_at(ring) == RING_LEFT)
        fd = open(ring, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        code = ring_blank(fd, ring, err);
        close(fd);
    }
    return code == DBK_OK ? clear(ring, err) : code;
}

enum dbk_code ring_settle_changing(struct dbk_keys *keys, struct dbk_error *err)
{
    if (ring_look_left(keys) == RING_UNDER_WAY)
        return dbk_fail(err, DBK_BUSY,
                        "the master key of %s is being rotated: try again when that is "
                        "done",
                        keys->path);
    return ring_take_away(keys, err);
}

enum dbk_code ring_take_away(struct dbk_keys *keys, struct dbk_error *err)
{
    char ring[RING_NEXT_PATH], master[RING_NEXT_PATH];
    enum dbk_code code;

    ring_next_path(keys->path, ring);
    ring_next_path(keys->master, master);
    code = clear_ring(keys, ring, err);
    /* The ring's name first: the former master key is of the ring that a power cut might bring
     * back. */
    if (code == DBK_OK)
        code = dbk_sync_directory(keys->dir, err);
    if (code != DBK_OK || !keys->beside) /* what lies elsewhere is its owner's */
        return code;
    if (!ring_holds_master(keys, keys->master)) {
        /* What only cannot be read now may be the right one. */
        if (!ring_holds_master(keys, master))
            return dbk_fail(
                err, DBK_IO,
                "neither %s nor %s can be read as the master key of %s: try "
                "again",
                keys->master, master, keys->path);
        code = master_overwrite(keys->master, master, err);
    }
    if (code == DBK_OK)
        code = master_destroy(master, err);
    return code == DBK_OK ? dbk_sync_directory(keys->dir, err) : code;
}

enum ring_left ring_look_left(const struct dbk_keys *keys)
{
    char ring[RING_NEXT_PATH], master[RING_NEXT_PATH];
    enum ring_left left;

    ring_next_path(keys->path, ring);
    ring_next_path(keys->master, master);
    left = look_at(ring);
    if (left == RING_NOTHING && keys->beside && access(master, F_OK) == 0)
        return RING_LEFT;
    return left;
}

enum dbk_code ring_settle(struct dbk_keys *keys, struct dbk_error *err)
{
    enum dbk_code code;

    if (ring_look_left(keys) == RING_NOTHING)
        return DBK_OK;
    code = ring_change_begin(keys, err);
    if (code != DBK_OK)
        return code;
    if (ring_look_left(keys) == RING_LEFT)
        code = ring_take_away(keys, err);
    ring_change_end(keys);
    return code;
}
