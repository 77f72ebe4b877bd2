/* Every slot of the ring. */
#include "ring_private.h"

#include <sodium.h>
#include <stdlib.h>

enum dbk_code ring_walk_file(int fd, uint64_t count, const char *path,
                             const struct ring_walk *walk, struct dbk_error *err)
{
    uint8_t *slots = malloc((size_t)RING_STEP * RING_SLOT);
    enum dbk_code code = DBK_OK;

    if (!slots)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read keys");
    for (uint64_t at = 1; code == DBK_OK && at <= count; at += RING_STEP) {
        size_t some = count - at < RING_STEP ? (size_t)(count - at + 1) : RING_STEP;

        code = ring_read_at(fd, slots, some * RING_SLOT, RING_SLOT_AT(at), path, err);
        if (code == DBK_OK)
            code = walk->visit(walk->context, at, some, slots, err);
    }
    free(slots);
    return code;
}

enum dbk_code ring_walk(struct dbk_keys *keys, const struct ring_walk *walk,
                        struct dbk_error *err)
{
    uint64_t count;
    enum dbk_code code = ring_size(keys->file.fd, keys->path, &count, err);

    return code == DBK_OK ? ring_walk_file(keys->file.fd, count, keys->path, walk, err)
                          : code;
}

enum ring_slot ring_open_slot(const struct dbk_keys *keys, uint64_t number,
                              const uint8_t *slot, uint8_t key[DBK_KEY_BYTES])
{
    enum ring_slot what = ring_slot_read(slot, number);

    if (what == RING_KEY &&
        !ring_unwrap(keys->secrets->master, keys->file.fixed.epoch, number, slot, key))
        return RING_TORN;
    return what;
}

struct counting {
    const struct dbk_keys *keys;
    struct dbk_keys_check *out;
};

static enum dbk_code count_slots(void *context, uint64_t first, size_t count,
                                 uint8_t *slots, struct dbk_error *err)
{
    const struct counting *counting = context;
    struct dbk_keys_check *out = counting->out;
    uint8_t key[DBK_KEY_BYTES];

    (void)err;
    for (size_t i = 0; i < count; i++) {
        switch (ring_open_slot(counting->keys, first + i, slots + i * RING_SLOT, key)) {
        case RING_KEY:
            out->live++;
            break;
        case RING_ERASED:
            out->erased++;
            break;
        case RING_TORN:
            if (out->damaged++ == 0)
                out->first_damaged = first + i;
            break;
        }
    }
    sodium_memzero(key, sizeof key);
    return DBK_OK;
}

enum dbk_code dbk_keys_check(struct dbk_keys *keys, struct dbk_keys_check *out,
                             struct dbk_error *err)
{
    struct counting counting = {keys, out};
    const struct ring_walk walk = {&counting, count_slots};
    enum dbk_code code;

    *out = (struct dbk_keys_check){0};
    pthread_mutex_lock(&keys->changing);
    code = ring_refresh(keys, err);
    if (code == DBK_OK)
        code = ring_walk(keys, &walk, err);
    pthread_mutex_unlock(&keys->changing);
    return code;
}
