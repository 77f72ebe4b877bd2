/* Another master key, in this order:
 *
 *   1. master.new, on disk
 *   2. ring.new, every key wrapped by it, on disk
 *   3. ring.new becomes ring, on disk: from here on it is done
 *   4. master is written over with the new key, which destroys the former
 *   5. master.new goes
 *
 * Killed before 3, the ring is master's, and what is new is cleared away (ring_settle.c);
 * killed after it, the ring is master.new's until 4 and 5 are done, then. */
#include "master.h"
#include "ring_private.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct rotating {
    const struct dbk_keys *keys;
    struct ring_secrets *next;
    int fd;
    char ring[RING_NEXT_PATH], master[RING_NEXT_PATH]; /* the new ones */
    struct dbk_keys_rotation *out;
};

static enum dbk_code find_next(struct rotating *rotating, struct dbk_error *err)
{
    const struct dbk_keys *keys = rotating->keys;
    uint8_t *next = rotating->next->master;
    struct dbk_error why = {.code = DBK_OK};
    struct stat status;
    enum dbk_code code;

    if (fstat(keys->file.fd, &status) != 0)
        return dbk_system_fail(err, "look at", keys->path);
    code = master_read(rotating->master, keys->beside, status.st_uid, next, &why);
    if (code == DBK_NOT_FOUND)
        return master_make(rotating->master, next, err);
    if (code == DBK_OK &&
        sodium_memcmp(next, keys->secrets->master, DBK_KEY_BYTES) == 0)
        return dbk_fail(err, DBK_EXISTS,
                        "%s is the master key of now: put it in the place of %s first",
                        rotating->master, keys->master);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

static enum dbk_code wrap_slots(void *context, uint64_t first, size_t count,
                                uint8_t *slots, struct dbk_error *err)
{
    const struct rotating *rotating = context;
    uint8_t salts[RING_STEP][RING_SALT], key[DBK_KEY_BYTES], wrapped[RING_WRAPPED];
    enum dbk_code code = DBK_OK;

    randombytes_buf(salts, count * sizeof *salts);
    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        uint8_t *slot = slots + i * RING_SLOT;

        switch (ring_open_slot(rotating->keys, first + i, slot, key)) {
        case RING_KEY:
            ring_wrap(rotating->next->master, rotating->out->epoch, first + i, salts[i],
                      key, wrapped);
            ring_slot_write(first + i, wrapped, slot);
            rotating->out->live++;
            break;
        case RING_ERASED:
            rotating->out->erased++;
            break;
        case RING_TORN:
            code =
                dbk_fail(err, DBK_DAMAGED,
                         "key %" PRIu64 " in %s is damaged: put the copy that daybook "
                         "keys backup made back first, for nobody could open it "
                         "any more; nothing was changed",
                         first + i, rotating->keys->path);
            break;
        }
    }
    sodium_memzero(key, sizeof key);
    if (code != DBK_OK)
        return code;
    return ring_write_at(rotating->fd, slots, count * RING_SLOT, RING_SLOT_AT(first),
                         rotating->ring, err);
}

static enum dbk_code write_page(const struct rotating *rotating, struct dbk_error *err)
{
    const struct dbk_keys *keys = rotating->keys;
    struct ring_fixed fixed = {.epoch = rotating->out->epoch};
    struct ring_mark mark = keys->file.mark;
    uint8_t salt[RING_SALT];

    mark.generation++;
    mark.rotated_through = mark.erased_through;
    mark.rotated_at = dbk_timestamp_now();
    randombytes_buf(salt, sizeof salt);
    ring_master_id(rotating->next->master, fixed.master_id);
    ring_wrap(rotating->next->master, fixed.epoch, 0, salt, keys->secrets->pepper,
              fixed.pepper);
    return ring_put_page(rotating->fd, &fixed, &mark, rotating->ring, err);
}

static enum dbk_code write_ring(struct dbk_keys *keys, struct rotating *rotating,
                                struct dbk_error *err)
{
    const struct ring_walk walk = {rotating, wrap_slots};
    enum dbk_code code;

    rotating->fd = open(rotating->ring, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (rotating->fd < 0)
        return dbk_system_fail(err, "make", rotating->ring);
    code = write_page(rotating, err);
    if (code == DBK_OK)
        code = ring_walk(keys, &walk, err);
    if (code == DBK_OK)
        code = dbk_replace(rotating->fd, rotating->ring, keys->path, err);
    close(rotating->fd);
    return code;
}

/* Steps 4 and 5. */
static enum dbk_code destroy_former(const struct dbk_keys *keys,
                                    struct rotating *rotating, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code;

    if (!keys->beside && faccessat(AT_FDCWD, keys->master, W_OK, AT_EACCESS) != 0)
        return DBK_OK; /* the operator's to do: not done */
    code = master_overwrite(keys->master, rotating->master, &why);
    if (code == DBK_OK && unlink(rotating->master) != 0)
        code = dbk_system_fail(&why, "remove", rotating->master);
    if (code == DBK_OK)
        code = dbk_sync_parent(rotating->master, &why);
    if (code != DBK_OK)
        return dbk_fail(err, code,
                        "the ring is wrapped anew, by the key of %s, and %s is not "
                        "written over with it: %s",
                        rotating->master, keys->master, why.text);
    rotating->out->done = true;
    return DBK_OK;
}

static enum dbk_code rotate(struct dbk_keys *keys, struct rotating *rotating,
                            struct dbk_error *err)
{
    enum dbk_code code = ring_settle_changing(keys, err);

    if (code == DBK_OK)
        code = find_next(rotating, err);
    if (code != DBK_OK)
        return code;
    code = write_ring(keys, rotating, err);
    /* Where only syncing the directory failed, nobody knows which ring is there after a power
     * cut: the former master key stays, and ".new". */
    if (code != DBK_OK) {
        unlink(rotating->ring);
        ring_refresh(keys, NULL);
        return code;
    }
    code = ring_refresh(keys, err);
    return code == DBK_OK ? destroy_former(keys, rotating, err) : code;
}

enum dbk_code dbk_keys_rotate(struct dbk_keys *keys, struct dbk_keys_rotation *out,
                              struct dbk_error *err)
{
    struct rotating rotating = {.keys = keys, .out = out};
    enum dbk_code code = ring_change_begin(keys, err);

    *out = (struct dbk_keys_rotation){.done = false};
    if (code != DBK_OK)
        return code;
    out->epoch = keys->file.fixed.epoch + 1;
    ring_next_path(keys->path, rotating.ring);
    ring_next_path(keys->master, rotating.master);
    snprintf(out->next, sizeof out->next, "%s", rotating.master);
    rotating.next = sodium_malloc(sizeof *rotating.next);
    code = rotating.next ? rotate(keys, &rotating, err)
                         : dbk_fail(err, DBK_NO_MEMORY, "no memory for a master key");
    sodium_free(rotating.next);
    ring_change_end(keys);
    return code;
}
