/* Keys ahead of their use.
 *
 * What lies beyond the highest number that was used is nobody's: of a growth that was killed
 * some of it is whole and some is not, or is whole and not on disk. So each slot is looked at,
 * one that is not whole is made, and all is synced, before any is given out. */
#include "ring_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Make those of the count slots that are not whole, of which `there` are in the file, a run of
 * them at a time. */
static bool mend(const struct dbk_keys *keys, uint64_t first, size_t count,
                 size_t there, uint8_t *slots)
{
    size_t made = 0, run = 0;

    for (size_t i = 0; i <= count; i++) {
        if (i < count && (i >= there || ring_slot_read(slots + i * RING_SLOT,
                                                       first + i) == RING_TORN)) {
            run++;
            continue;
        }
        ring_make_slots(keys->secrets, keys->file.fixed.epoch, first + i - run, run,
                        slots + (i - run) * RING_SLOT);
        made += run;
        run = 0;
    }
    return made > 0;
}

static enum dbk_code grow_step(struct dbk_keys *keys, uint64_t first, size_t count,
                               uint64_t in_file, uint8_t *slots, struct dbk_error *err)
{
    size_t there = first > in_file           ? 0
                   : in_file - first < count ? (size_t)(in_file - first + 1)
                                             : count;
    enum dbk_code code = DBK_OK;

    if (there > 0)
        code = ring_read_at(keys->file.fd, slots, there * RING_SLOT,
                            RING_SLOT_AT(first), keys->path, err);
    if (code == DBK_OK && (mend(keys, first, count, there, slots) || keys->unsynced))
        code = ring_write_at(keys->file.fd, slots, count * RING_SLOT,
                             RING_SLOT_AT(first), keys->path, err);
    return code;
}

/* From `first` to `last`. */
static enum dbk_code grow(struct dbk_keys *keys, uint64_t first, uint64_t last,
                          uint64_t in_file, struct dbk_error *err)
{
    uint8_t *slots = malloc((size_t)RING_STEP * RING_SLOT);
    enum dbk_code code = DBK_OK;

    if (!slots)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for keys");
    while (code == DBK_OK && first <= last) {
        size_t count =
            last - first < RING_STEP ? (size_t)(last - first + 1) : RING_STEP;

        code = grow_step(keys, first, count, in_file, slots, err);
        first += count;
    }
    free(slots);
    if (code != DBK_OK)
        return code;
    code = ring_sync(keys->file.fd, keys->path, err);
    keys->unsynced = code != DBK_OK;
    return code;
}

static enum dbk_code grow_beyond(struct dbk_keys *keys, uint64_t highest,
                                 struct dbk_error *err)
{
    uint64_t made = atomic_load(&keys->made), in_file,
             last = (highest + DBK_KEYS_AHEAD + RING_STEP) / RING_STEP * RING_STEP;
    enum dbk_code code = ring_size(keys->file.fd, keys->path, &in_file, err);

    if (code != DBK_OK)
        return code;
    code = grow(keys, (made > highest ? made : highest) + 1, last, in_file, err);
    if (code == DBK_OK)
        atomic_store(&keys->made, last);
    return code;
}

static bool gives_keys(struct dbk_keys *keys)
{
    bool gives;

    pthread_rwlock_rdlock(&keys->opened);
    gives = keys->broken.code == DBK_OK;
    pthread_rwlock_unlock(&keys->opened);
    return gives;
}

/* With `changing` held, or where it only may be seen too late. */
static void note_needed(struct dbk_keys *keys, uint64_t highest)
{
    uint64_t needed = atomic_load(&keys->needed);

    while (needed < highest &&
           !atomic_compare_exchange_weak(&keys->needed, &needed, highest))
        ;
}

enum dbk_code dbk_keys_need(struct dbk_keys *keys, uint64_t highest,
                            struct dbk_error *err)
{
    enum dbk_code code;
    bool known =
        highest <= atomic_load(&keys->needed) || highest <= atomic_load(&keys->seen);

    note_needed(keys, highest);
    if (known && gives_keys(keys))
        return DBK_OK;
    pthread_mutex_lock(&keys->changing);
    code = ring_refresh(keys, err);
    pthread_mutex_unlock(&keys->changing);
    return code;
}

enum dbk_code dbk_keys_ahead(struct dbk_keys *keys, uint64_t highest,
                             struct dbk_error *err)
{
    enum dbk_code code;

    if (highest > RING_NUMBER_MAX)
        return dbk_fail(err, DBK_DAMAGED, "there is no key %" PRIu64, highest);
    note_needed(keys, highest);
    if (atomic_load(&keys->made) >= highest + DBK_KEYS_AHEAD && gives_keys(keys))
        return DBK_OK;
    code = ring_change_begin(keys, err);
    if (code != DBK_OK)
        return code;
    if (atomic_load(&keys->made) < highest + DBK_KEYS_AHEAD) /* nobody did meanwhile */
        code = grow_beyond(keys, highest, err);
    ring_change_end(keys);
    return code;
}
