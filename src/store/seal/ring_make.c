/* A new ring: its first keys, and a master key where none is given. The ring gets its name
 * last, so that one with a name is whole. */
#include "master.h"
#include "parcel.h"
#include "ring_private.h"
#include "store/durable.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How it is made: anew, or of a parcel, whose pepper and keys `text` has. */
struct making {
    struct dbk_slice parcel; /* length 0: anew */
    uint8_t *text;
    uint64_t count;
};

static enum dbk_code take_master(const struct dbk_keys *keys,
                                 const struct making *making, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    struct stat status;
    enum dbk_code code;

    if (fstat(keys->lock_fd, &status) != 0)
        return dbk_system_fail(err, "look at", keys->dir);
    code = master_read(keys->master, keys->beside, status.st_uid, keys->secrets->master,
                       &why);
    if (code == DBK_NOT_FOUND && keys->beside && making->parcel.length == 0)
        /* else it is of one that was killed */
        return master_make(keys->master, keys->secrets->master, err);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

static enum dbk_code write_slots(const struct dbk_keys *keys,
                                 const struct making *making, int fd, const char *path,
                                 struct dbk_error *err)
{
    uint8_t *slots = malloc((size_t)RING_STEP * RING_SLOT);
    enum dbk_code code = DBK_OK;

    if (!slots)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for keys");
    for (uint64_t at = 1; code == DBK_OK && at <= making->count; at += RING_STEP) {
        uint64_t left = making->count - at + 1;
        size_t some = left < RING_STEP ? (size_t)left : RING_STEP;

        if (making->text)
            ring_wrap_slots(keys->secrets, 1, at, some,
                            making->text + at * DBK_KEY_BYTES, slots);
        else
            ring_make_slots(keys->secrets, 1, at, some, slots);
        code = ring_write_at(fd, slots, some * RING_SLOT, RING_SLOT_AT(at), path, err);
    }
    free(slots);
    return code;
}

static enum dbk_code write_ring(const struct dbk_keys *keys,
                                const struct making *making, struct dbk_error *err)
{
    const struct ring_mark mark = {.generation = 1};
    struct ring_fixed fixed = {.epoch = 1};
    uint8_t salt[RING_SALT];
    char path[RING_NEXT_PATH];
    enum dbk_code code;
    int fd;

    ring_next_path(keys->path, path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", path);
    ring_master_id(keys->secrets->master, fixed.master_id);
    if (making->text)
        memcpy(keys->secrets->pepper, making->text, DBK_KEY_BYTES);
    else
        randombytes_buf(keys->secrets->pepper, DBK_KEY_BYTES);
    randombytes_buf(salt, sizeof salt);
    ring_wrap(keys->secrets->master, 1, 0, salt, keys->secrets->pepper, fixed.pepper);
    code = ring_put_page(fd, &fixed, &mark, path, err);
    if (code == DBK_OK)
        code = write_slots(keys, making, fd, path, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, path, keys->path, err);
    if (code != DBK_OK)
        unlink(path);
    close(fd);
    return code;
}

/* The master key is read by now. */
static enum dbk_code open_parcel(const struct dbk_keys *keys, struct making *making,
                                 struct dbk_error *err)
{
    uint64_t first;
    uint32_t count;
    enum dbk_code code;

    if (!parcel_is_by(making->parcel, keys->secrets->master))
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is another master key than the one that the other members "
                        "of the cluster had when it began: put theirs there, or, where "
                        "they have another since, a copy of a member's log and ring",
                        keys->master);
    code = parcel_open(making->parcel, keys->secrets->master, &making->text, err);
    if (code != DBK_OK)
        return code;
    dbk_parcel_look(making->parcel, &first, &count);
    making->count = count;
    return first == 1 ? DBK_OK
                      : dbk_fail(err, DBK_DAMAGED, "the keys begin with number %llu",
                                 (unsigned long long)first);
}

enum dbk_code ring_make(struct dbk_keys *keys, struct dbk_slice parcel,
                        struct dbk_error *err)
{
    struct making making = {.parcel = parcel, .count = DBK_KEYS_AHEAD + RING_STEP};
    enum dbk_code code;

    if (flock(keys->lock_fd, LOCK_EX) != 0) /* until it is closed */
        return dbk_system_fail(err, "lock", keys->dir);
    if (access(keys->path, F_OK) == 0)
        return dbk_fail(err, DBK_EXISTS, "there is a ring of keys %s", keys->path);
    code = take_master(keys, &making, err);
    if (code == DBK_OK && parcel.length > 0)
        code = open_parcel(keys, &making, err);
    if (code == DBK_OK)
        code = write_ring(keys, &making, err);
    sodium_free(making.text); /* NULL is fine */
    return code;
}
