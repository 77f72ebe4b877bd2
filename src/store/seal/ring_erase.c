/* Destroying keys, and what the ring remembers of its log. */
#include "ring_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static bool has(uint64_t number, uint64_t in_file)
{
    return number > 0 && number <= in_file;
}

/* Nobody reads one meanwhile: none that is read before is kept in memory after. */
static enum dbk_code overwrite(struct dbk_keys *keys, const uint64_t *numbers,
                               size_t count, uint64_t in_file, struct dbk_error *err)
{
    uint8_t slot[RING_SLOT];
    enum dbk_code code = DBK_OK;

    pthread_rwlock_wrlock(&keys->opened);
    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        if (!has(numbers[i], in_file))
            continue;
        ring_slot_write(numbers[i], NULL, slot);
        code = ring_write_at(keys->file.fd, slot, sizeof slot, RING_SLOT_AT(numbers[i]),
                             keys->path, err);
        ring_cache_drop(keys->cache, numbers[i]);
    }
    pthread_rwlock_unlock(&keys->opened);
    return code;
}

/* The system lets go of whole pages only, and pages are at most so large. */
enum { LET_GO = 65536 };

/* From the disk, where the system lets go of what it has in memory. */
static enum dbk_code read_back(const struct dbk_keys *keys, const uint64_t *numbers,
                               size_t count, uint64_t in_file, struct dbk_error *err)
{
    uint8_t slot[RING_SLOT];
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        if (!has(numbers[i], in_file))
            continue;
        posix_fadvise(keys->file.fd,
                      (off_t)(RING_SLOT_AT(numbers[i]) / LET_GO * LET_GO), LET_GO,
                      POSIX_FADV_DONTNEED);
        code = ring_read_at(keys->file.fd, slot, sizeof slot, RING_SLOT_AT(numbers[i]),
                            keys->path, err);
        if (code == DBK_OK && ring_slot_read(slot, numbers[i]) != RING_ERASED)
            code =
                dbk_fail(err, DBK_DAMAGED,
                         "key %" PRIu64 " in %s was overwritten, and reads as before: "
                         "look at the disk, and erase it again",
                         numbers[i], keys->path);
    }
    return code;
}

enum dbk_code dbk_keys_erase(struct dbk_keys *keys, const uint64_t *numbers,
                             size_t count, uint64_t through, struct dbk_error *err)
{
    struct ring_mark mark;
    uint64_t in_file;
    enum dbk_code code = ring_change_begin(keys, err);

    if (code != DBK_OK)
        return code;
    code = ring_size(keys->file.fd, keys->path, &in_file, err);
    if (code == DBK_OK)
        code = overwrite(keys, numbers, count, in_file, err);
    if (code == DBK_OK)
        code = ring_sync(keys->file.fd, keys->path, err);
    if (code == DBK_OK)
        code = read_back(keys, numbers, count, in_file, err);
    /* Of a rotation that was killed, or is under way, which begins anew then. */
    if (code == DBK_OK && ring_look_left(keys) != RING_NOTHING)
        code = ring_take_away(keys, err);
    mark = keys->file.mark;
    if (through > mark.erased_through)
        mark.erased_through = through;
    if (code == DBK_OK) /* tells other processes, too */
        code = ring_put_mark(keys, mark, err);
    ring_change_end(keys);
    return code;
}

enum dbk_code dbk_keys_rewind(struct dbk_keys *keys, uint64_t last,
                              struct dbk_error *err)
{
    struct ring_mark mark;
    enum dbk_code code = ring_change_begin(keys, err);

    if (code != DBK_OK)
        return code;
    mark = keys->file.mark;
    if (mark.erased_through > last) {
        mark.erased_through = mark.rotated_through = 0;
        code = ring_put_mark(keys, mark, err);
    }
    ring_change_end(keys);
    return code;
}

/* Its log. */

static enum dbk_code bind(struct dbk_keys *keys,
                          const uint8_t first[DBK_KEYS_FIRST_BYTES],
                          struct dbk_error *err)
{
    static const uint8_t none[DBK_KEYS_FIRST_BYTES];
    struct ring_mark mark = keys->file.mark;

    if (!memcmp(mark.first, first, sizeof mark.first))
        return DBK_OK;
    if (memcmp(mark.first, none, sizeof none) != 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is the ring of another log: put this one's there",
                        keys->path);
    if (keys->read_only)
        return dbk_fail(err, DBK_NOT_FOUND, "%s is bound to no log yet", keys->path);
    memcpy(mark.first, first, sizeof mark.first);
    return ring_put_mark(keys, mark, err);
}

enum dbk_code dbk_keys_bind(struct dbk_keys *keys,
                            const uint8_t first[DBK_KEYS_FIRST_BYTES],
                            struct dbk_error *err)
{
    enum dbk_code code;

    if (keys->read_only) {
        pthread_mutex_lock(&keys->changing);
        code = bind(keys, first, err);
        pthread_mutex_unlock(&keys->changing);
        return code;
    }
    code = ring_change_begin(keys, err);
    if (code != DBK_OK)
        return code;
    code = bind(keys, first, err);
    ring_change_end(keys);
    return code;
}
