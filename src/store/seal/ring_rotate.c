/* Another master key, in this order:
 *
 *   1. master.new, on disk, and ring.new, which is locked for as long as this goes on
 *   2. every key into ring.new, wrapped by it, on disk: nobody waits for that
 *   3. what was changed meanwhile, too
 *   4. ring.new becomes ring, on disk: from here on it is done
 *   5. master is written over with the new key, which destroys the former
 *   6. master.new goes, written over: what is left of it on the disk would be the former
 *      key after the next rotation
 *
 * Killed before 4, the ring is master's, and what is new is cleared away (ring_settle.c);
 * killed after it, the ring is master.new's until 5 and 6 are done, then.
 *
 * All but 2 is a change, as others are. An erasure during 2 takes ring.new away, which may have
 * its keys already, and does not wait; then it is begun anew, and at last done in one change. */
#include "master.h"
#include "ring_private.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 3 }; /* the last of which lets nobody between */

struct rotating {
    struct dbk_keys *keys;
    struct ring_secrets *next, *former; /* former: as of 1. */
    uint64_t former_epoch;
    int from, fd; /* the ring as it was opened, and the new one; -1: none */
    char ring[RING_NEXT_PATH], master[RING_NEXT_PATH]; /* the new ones */
    uint64_t *heads; /* what each slot began with when it was wrapped */
    uint64_t wrapped;
    bool again; /* it was taken away */
    bool away;  /* and no change is under way: the ring went meanwhile */
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

/* Whether it is the key, or none, that was wrapped already: what is sealed begins with 64 bits
 * that no other has. */
static uint64_t head_of(const uint8_t slot[RING_SLOT])
{
    uint64_t head;

    memcpy(&head, slot, sizeof head);
    return head;
}

/* Wrap this one anew where it is. One that is being written reads as torn. */
static enum ring_slot wrap_slot(const struct rotating *rotating, uint64_t number,
                                uint8_t slot[RING_SLOT])
{
    uint8_t key[DBK_KEY_BYTES], salt[RING_SALT], wrapped[RING_WRAPPED];
    enum ring_slot what = ring_slot_read(slot, number);

    if (what != RING_KEY)
        return what;
    if (!ring_unwrap(rotating->former->master, rotating->former_epoch, number, slot,
                     key))
        return RING_TORN;
    randombytes_buf(salt, sizeof salt);
    ring_wrap(rotating->next->master, rotating->out->epoch, number, salt, key, wrapped);
    ring_slot_write(number, wrapped, slot);
    sodium_memzero(key, sizeof key);
    return what;
}

static enum dbk_code write_slots(const struct rotating *rotating, uint64_t first,
                                 size_t count, const uint8_t *slots,
                                 struct dbk_error *err)
{
    return count == 0 ? DBK_OK
                      : ring_write_at(rotating->fd, slots, count * RING_SLOT,
                                      RING_SLOT_AT(first), rotating->ring, err);
}

/* Step 2. What is torn is looked at again in step 3. */
static enum dbk_code wrap_slots(void *context, uint64_t first, size_t count,
                                uint8_t *slots, struct dbk_error *err)
{
    struct rotating *rotating = context;

    for (size_t i = 0; i < count; i++) {
        uint8_t *slot = slots + i * RING_SLOT;
        uint64_t head = head_of(slot);

        if (wrap_slot(rotating, first + i, slot) == RING_TORN)
            head = ~head;
        rotating->heads[first - 1 + i] = head;
    }
    return write_slots(rotating, first, count, slots, err);
}

static bool is_wrapped(const struct rotating *rotating, uint64_t number,
                       const uint8_t *slot)
{
    return number <= rotating->wrapped && rotating->heads[number - 1] == head_of(slot);
}

/* Step 3. */
static enum dbk_code wrap_changed(void *context, uint64_t first, size_t count,
                                  uint8_t *slots, struct dbk_error *err)
{
    struct rotating *rotating = context;
    enum dbk_code code = DBK_OK;
    size_t begun = 0; /* of those that are changed, up to i */

    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        uint8_t *slot = slots + i * RING_SLOT;
        bool same = is_wrapped(rotating, first + i, slot);
        enum ring_slot what = same ? ring_slot_read(slot, first + i)
                                   : wrap_slot(rotating, first + i, slot);

        if (what == RING_TORN)
            return dbk_fail(err, DBK_DAMAGED,
                            "key %" PRIu64
                            " in %s is damaged: put the copy that daybook "
                            "keys backup made back first, for nobody could open it "
                            "any more; nothing was changed",
                            first + i, rotating->keys->path);
        rotating->out->live += what == RING_KEY;
        rotating->out->erased += what == RING_ERASED;
        if (!same)
            continue;
        code = write_slots(rotating, first + begun, i - begun,
                           slots + begun * RING_SLOT, err);
        begun = i + 1;
    }
    return code == DBK_OK ? write_slots(rotating, first + begun, count - begun,
                                        slots + begun * RING_SLOT, err)
                          : code;
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

/* Within a change: steps 1, */
static enum dbk_code begin(struct rotating *rotating, struct dbk_error *err)
{
    struct dbk_keys *keys = rotating->keys;
    enum dbk_code code = ring_settle_changing(keys, err);

    if (code == DBK_OK)
        code = find_next(rotating, err);
    if (code == DBK_OK)
        code = ring_size(keys->file.fd, keys->path, &rotating->wrapped, err);
    if (code != DBK_OK)
        return code;
    rotating->out->epoch = keys->file.fixed.epoch + 1;
    rotating->former_epoch = keys->file.fixed.epoch;
    memcpy(rotating->former, keys->secrets, sizeof *rotating->former);
    free(rotating->heads);
    rotating->heads = calloc(rotating->wrapped + 1, sizeof *rotating->heads);
    if (!rotating->heads)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to wrap keys");
    rotating->from = fcntl(keys->file.fd, F_DUPFD_CLOEXEC, 0);
    if (rotating->from < 0)
        return dbk_system_fail(err, "open", keys->path);
    rotating->fd = open(rotating->ring, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (rotating->fd < 0)
        return dbk_system_fail(err, "make", rotating->ring);
    return flock(rotating->fd, LOCK_EX) == 0
               ? DBK_OK
               : dbk_system_fail(err, "lock", rotating->ring);
}

/* 2, */
static enum dbk_code wrap_all(struct rotating *rotating, struct dbk_error *err)
{
    const struct ring_walk walk = {rotating, wrap_slots};
    enum dbk_code code = ring_walk_file(rotating->from, rotating->wrapped,
                                        rotating->keys->path, &walk, err);

    return code == DBK_OK ? ring_sync(rotating->fd, rotating->ring, err) : code;
}

/* Whether ring.new is ours still, and the ring the one that it was made of. */
static bool is_there(const struct rotating *rotating)
{
    struct stat mine, named, former;

    return fstat(rotating->fd, &mine) == 0 && stat(rotating->ring, &named) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino &&
           fstat(rotating->from, &former) == 0 &&
           former.st_dev == rotating->keys->file.device &&
           former.st_ino == rotating->keys->file.inode &&
           rotating->former_epoch == rotating->keys->file.fixed.epoch;
}

/* and 3 and 4. */
static enum dbk_code put_in_place(struct rotating *rotating, struct dbk_error *err)
{
    const struct ring_walk walk = {rotating, wrap_changed};
    struct dbk_keys *keys = rotating->keys;
    enum dbk_code code;

    rotating->out->live = rotating->out->erased = 0;
    code = ring_walk(keys, &walk, err);
    if (code == DBK_OK)
        code = write_page(rotating, err);
    if (code == DBK_OK)
        code = dbk_replace(rotating->fd, rotating->ring, keys->path, err);
    return code;
}

/* Steps 5 and 6. */
static enum dbk_code destroy_former(const struct dbk_keys *keys,
                                    struct rotating *rotating, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code;

    if (!keys->beside && faccessat(AT_FDCWD, keys->master, W_OK, AT_EACCESS) != 0)
        return DBK_OK; /* the operator's to do: not done */
    code = master_overwrite(keys->master, rotating->master, &why);
    if (code == DBK_OK)
        code = master_destroy(rotating->master, &why);
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

static void leave(struct rotating *rotating)
{
    if (rotating->fd >= 0)
        close(rotating->fd);
    if (rotating->from >= 0)
        close(rotating->from);
    rotating->fd = rotating->from = -1;
}

/* Begun within a change, and ended in one; `holds`: the same. What was made, and is no use,
 * goes. */
static enum dbk_code rotate_once(struct rotating *rotating, bool holds,
                                 struct dbk_error *err)
{
    struct dbk_keys *keys = rotating->keys;
    enum dbk_code code = begin(rotating, err), wrapped;
    struct dbk_error why = {.code = DBK_OK};

    if (code != DBK_OK)
        return code;
    if (!holds)
        ring_change_end(keys);
    wrapped = wrap_all(rotating, &why);
    if (!holds && (code = ring_change_begin(keys, err)) != DBK_OK) {
        rotating->away = true;
        return code;
    }
    rotating->again = !is_there(rotating);
    if (rotating->again) /* elsewhere it is the next one's master key, too */
        return keys->beside ? DBK_OK : ring_blank(rotating->fd, rotating->ring, err);
    code = wrapped == DBK_OK ? put_in_place(rotating, err)
                             : dbk_fail(err, wrapped, "%s", why.text);
    /* Where only syncing the directory failed, nobody knows which ring is there after a power
     * cut: the former master key stays, and ".new". */
    if (code != DBK_OK) {
        if (!keys->beside && is_there(rotating))
            ring_blank(rotating->fd, rotating->ring, NULL);
        unlink(rotating->ring);
        ring_refresh(keys, NULL);
        return code;
    }
    code = ring_refresh(keys, err);
    return code == DBK_OK ? destroy_former(keys, rotating, err) : code;
}

static enum dbk_code rotate(struct rotating *rotating, struct dbk_error *err)
{
    enum dbk_code code = ring_change_begin(rotating->keys, err);

    if (code != DBK_OK)
        return code;
    rotating->again = true;
    for (int i = 1; code == DBK_OK && rotating->again; i++) {
        rotating->again = false;
        code = rotate_once(rotating, i >= TRIES, err);
        leave(rotating);
    }
    if (!rotating->away)
        ring_change_end(rotating->keys);
    return code;
}

enum dbk_code dbk_keys_rotate(struct dbk_keys *keys, struct dbk_keys_rotation *out,
                              struct dbk_error *err)
{
    struct rotating rotating = {.keys = keys, .out = out, .from = -1, .fd = -1};
    enum dbk_code code = DBK_OK;

    *out = (struct dbk_keys_rotation){.done = false};
    ring_next_path(keys->path, rotating.ring);
    ring_next_path(keys->master, rotating.master);
    snprintf(out->next, sizeof out->next, "%s", rotating.master);
    rotating.next = sodium_malloc(sizeof *rotating.next);
    rotating.former = sodium_malloc(sizeof *rotating.former);
    code = rotating.next && rotating.former
               ? rotate(&rotating, err)
               : dbk_fail(err, DBK_NO_MEMORY, "no memory for a master key");
    sodium_free(rotating.next);
    sodium_free(rotating.former);
    free(rotating.heads);
    return code;
}
