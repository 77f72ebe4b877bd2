/* Keys that go from one copy's ring into another's: parcels made, and taken. */
#include "master.h"
#include "parcel.h"
#include "ring_private.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The next master key, where its owner has put one. What has that name in the ring's own
 * directory is of a rotation that is under way, or was killed. */
static bool read_next(const struct dbk_keys *keys, uint8_t master[DBK_KEY_BYTES])
{
    char path[RING_NEXT_PATH];
    struct stat status;

    ring_next_path(keys->master, path);
    return !keys->beside && fstat(keys->file.fd, &status) == 0 &&
           master_read(path, false, status.st_uid, master, NULL) == DBK_OK;
}

bool dbk_keys_has_next(struct dbk_keys *keys)
{
    uint8_t master[DBK_KEY_BYTES];
    bool has;

    pthread_mutex_lock(&keys->changing);
    has = read_next(keys, master);
    pthread_mutex_unlock(&keys->changing);
    sodium_memzero(master, sizeof master);
    return has;
}

/* Parcels. */

static enum dbk_code read_keys(const struct dbk_keys *keys, uint64_t first,
                               uint32_t count, uint8_t *out, struct dbk_error *err)
{
    uint8_t slot[RING_SLOT];
    uint64_t in_file;

    if (ring_size(keys->file.fd, keys->path, &in_file, err) != DBK_OK)
        return err->code;
    if (count > 0 && (first > in_file || in_file - first + 1 < count))
        return dbk_fail(err, DBK_INVALID, "%s has no key %" PRIu64 ": it ends before",
                        keys->path, first + count - 1);
    for (uint32_t i = 0; i < count; i++, out += DBK_KEY_BYTES) {
        if (ring_read_at(keys->file.fd, slot, sizeof slot, RING_SLOT_AT(first + i),
                         keys->path, err) != DBK_OK)
            return err->code;
        switch (ring_open_slot(keys, first + i, slot, out)) {
        case RING_KEY:
            break;
        case RING_ERASED:
            memset(out, 0, DBK_KEY_BYTES);
            break;
        case RING_TORN:
            return dbk_fail(err, DBK_DAMAGED,
                            "key %" PRIu64 " in %s is damaged: put back the copy that "
                            "daybook keys backup made",
                            first + i, keys->path);
        }
    }
    return DBK_OK;
}

/* Within a change. */
static enum dbk_code fill(const struct dbk_keys *keys, uint64_t first, uint32_t count,
                          bool made, char *parcel, struct dbk_error *err)
{
    uint8_t *text = parcel_text(parcel), next[DBK_KEY_BYTES];
    enum dbk_code code = DBK_OK;
    bool has_next;

    memcpy(text, keys->secrets->pepper, DBK_KEY_BYTES);
    if (made)
        randombytes_buf(text + DBK_KEY_BYTES, (size_t)count * DBK_KEY_BYTES);
    else
        code = read_keys(keys, first, count, text + DBK_KEY_BYTES, err);
    if (code != DBK_OK)
        return code;
    has_next = read_next(keys, next);
    parcel_seal(parcel, has_next ? next : keys->secrets->master, first, count);
    sodium_memzero(next, sizeof next);
    return DBK_OK;
}

enum dbk_code dbk_keys_parcel(struct dbk_keys *keys, uint64_t first, uint32_t count,
                              bool made, char **bytes, size_t *length,
                              struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code;
    char *parcel;

    *bytes = NULL;
    *length = parcel_length(count);
    if (first == 0 || first > RING_NUMBER_MAX || count > DBK_PARCEL_MOST)
        return dbk_fail(err, DBK_INVALID, "no parcel has %" PRIu32 " keys", count);
    parcel = malloc(*length);
    if (!parcel)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for keys");
    code = ring_change_begin(keys, &why);
    if (code == DBK_OK) {
        code = fill(keys, first, count, made, parcel, &why);
        ring_change_end(keys);
    }
    if (code == DBK_OK) {
        *bytes = parcel;
        return DBK_OK;
    }
    sodium_memzero(parcel, *length);
    free(parcel);
    return dbk_fail(err, code, "%s", why.text);
}

/* Taking them. */

/* The master key that opens it. */
static enum dbk_code find_master(const struct dbk_keys *keys, struct dbk_slice parcel,
                                 uint64_t first, uint8_t master[DBK_KEY_BYTES],
                                 struct dbk_error *err)
{
    memcpy(master, keys->secrets->master, DBK_KEY_BYTES);
    if (parcel_is_by(parcel, master))
        return DBK_OK;
    if (read_next(keys, master) && parcel_is_by(parcel, master))
        return DBK_OK;
    sodium_memzero(master, DBK_KEY_BYTES);
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "the leader sent keys from number %" PRIu64
                    " on by another master key than %.96s: put the leader's into "
                    "%.96s.new; where no member has that key any more, begin this one "
                    "anew from a backup",
                    first, keys->master, keys->master);
}

static enum dbk_code check_ring(const struct dbk_keys *keys, const uint8_t *text,
                                uint64_t first, struct dbk_error *err)
{
    uint64_t in_file;

    if (sodium_memcmp(text, keys->secrets->pepper, DBK_KEY_BYTES) != 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is not the ring that the other members of the cluster "
                        "have: put a copy of theirs there (daybook keys backup)",
                        keys->path);
    if (ring_size(keys->file.fd, keys->path, &in_file, err) != DBK_OK)
        return err->code;
    if (first > in_file + 1)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s ends at key %" PRIu64 ", and the next that came is %" PRIu64
                        ": put the newest copy of another member's ring there (daybook "
                        "keys backup)",
                        keys->path, in_file, first);
    return DBK_OK;
}

/* From this one on slots may not be on disk, though they read so: whoever asks for keys ahead
 * writes them again before any is given out. */
static void doubt(struct dbk_keys *keys, uint64_t first)
{
    keys->unsynced = true;
    if (atomic_load(&keys->made) >= first)
        atomic_store(&keys->made, first - 1);
}

/* Nobody reads one meanwhile: none that was there before is kept in memory. */
static enum dbk_code put_slots(struct dbk_keys *keys, uint64_t first, uint64_t count,
                               const uint8_t *plain, uint8_t *slots,
                               struct dbk_error *err)
{
    enum dbk_code code;

    ring_wrap_slots(keys->secrets, keys->file.fixed.epoch, first, count, plain, slots);
    pthread_rwlock_wrlock(&keys->opened);
    code = ring_write_at(keys->file.fd, slots, count * RING_SLOT, RING_SLOT_AT(first),
                         keys->path, err);
    for (uint64_t i = 0; i < count; i++)
        ring_cache_drop(keys->cache, first + i);
    pthread_rwlock_unlock(&keys->opened);
    if (code == DBK_OK)
        code = ring_sync(keys->file.fd, keys->path, err);
    if (code != DBK_OK)
        doubt(keys, first);
    return code;
}

static enum dbk_code put(struct dbk_keys *keys, uint64_t first, uint32_t count,
                         uint64_t used, const uint8_t *text, struct dbk_error *err)
{
    uint64_t from = used >= first ? used + 1 : first, left;
    enum dbk_code code;
    uint8_t *slots;

    if (from >= first + count)
        return DBK_OK;
    left = first + count - from;
    slots = malloc(left * RING_SLOT);
    if (!slots)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for keys");
    code = put_slots(keys, from, left, text + DBK_KEY_BYTES * (1 + from - first), slots,
                     err);
    free(slots);
    return code;
}

/* Within a change. */
static enum dbk_code take(struct dbk_keys *keys, struct dbk_slice parcel, uint64_t used,
                          struct dbk_error *err)
{
    uint8_t master[DBK_KEY_BYTES], *text;
    uint64_t first;
    uint32_t count;
    enum dbk_code code;

    if (!dbk_parcel_look(parcel, &first, &count))
        return dbk_fail(err, DBK_DAMAGED, "what should be keys is none");
    code = find_master(keys, parcel, first, master, err);
    if (code != DBK_OK)
        return code;
    code = parcel_open(parcel, master, &text, err);
    sodium_memzero(master, sizeof master);
    if (code != DBK_OK)
        return code;
    code = check_ring(keys, text, first, err);
    if (code == DBK_OK)
        code = put(keys, first, count, used, text, err);
    sodium_free(text);
    return code;
}

enum dbk_code dbk_keys_take(struct dbk_keys *keys, struct dbk_slice parcel,
                            uint64_t used, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code = ring_change_begin(keys, err);

    if (code != DBK_OK)
        return code;
    code = take(keys, parcel, used, &why);
    ring_change_end(keys);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
