/* Opening the ring, and the keys that it gives. */
#include "ring_private.h"
#include "store/clock.h"
#include "store/durable.h"
#include "store/keys_share.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code find_paths(struct dbk_keys *keys, const char *dir,
                                const struct dbk_keys_options *options,
                                struct dbk_error *err)
{
    const char *master = options ? options->master : NULL;

    keys->beside = !master || !master[0];
    keys->read_only = options && options->read_only;
    if (snprintf(keys->dir, sizeof keys->dir, "%s", dir) >= (int)sizeof keys->dir ||
        (!keys->beside && strlen(master) >= DBK_KEYS_PATH))
        return dbk_fail(err, DBK_INVALID, "the path of the ring of keys is too long");
    snprintf(keys->path, sizeof keys->path, "%s/ring", dir);
    if (keys->beside)
        snprintf(keys->master, sizeof keys->master, "%s/master", dir);
    else
        snprintf(keys->master, sizeof keys->master, "%s", master);
    return DBK_OK;
}

static enum dbk_code create(const char *dir, const struct dbk_keys_options *options,
                            struct dbk_keys **out, struct dbk_error *err)
{
    struct dbk_keys *keys;
    enum dbk_code code;

    if (sodium_init() < 0)
        return dbk_fail(err, DBK_INTERNAL, "libsodium does not start");
    keys = calloc(1, sizeof *keys);
    if (!keys)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a ring of keys");
    pthread_mutex_init(&keys->changing, NULL);
    pthread_rwlock_init(&keys->opened, NULL);
    keys->lock_fd = keys->file.fd = -1;
    keys->cache = ring_cache_create();
    keys->secrets = sodium_malloc(sizeof *keys->secrets);
    code = keys->cache && keys->secrets
               ? find_paths(keys, dir, options, err)
               : dbk_fail(err, DBK_NO_MEMORY, "no memory for a ring of keys");
    if (code != DBK_OK)
        dbk_keys_close(keys);
    else
        *out = keys;
    return code;
}

void dbk_keys_close(struct dbk_keys *keys)
{
    if (!keys)
        return;
    if (keys->file.fd >= 0)
        close(keys->file.fd);
    if (keys->lock_fd >= 0)
        close(keys->lock_fd);
    ring_cache_destroy(keys->cache);
    sodium_free(keys->secrets); /* which wipes them */
    pthread_rwlock_destroy(&keys->opened);
    pthread_mutex_destroy(&keys->changing);
    free(keys);
}

static enum dbk_code open_lock(struct dbk_keys *keys, struct dbk_error *err)
{
    char path[DBK_KEYS_PATH + 8];

    if (keys->read_only)
        return DBK_OK;
    snprintf(path, sizeof path, "%s/lock", keys->dir);
    keys->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (keys->lock_fd < 0 && errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no directory of keys %s",
                        keys->dir);
    return keys->lock_fd >= 0 ? DBK_OK : dbk_system_fail(err, "open", path);
}

/* Make. */

static enum dbk_code make_directory(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, 0700) == 0)
        return dbk_sync_parent(dir, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", dir);
}

static enum dbk_code make(const char *dir, const struct dbk_keys_options *options,
                          struct dbk_slice parcel, struct dbk_error *err)
{
    struct dbk_keys *keys;
    enum dbk_code code = create(dir, options, &keys, err);

    if (code != DBK_OK)
        return code;
    code = make_directory(dir, err);
    if (code == DBK_OK)
        code = open_lock(keys, err);
    if (code == DBK_OK)
        code = ring_make(keys, parcel, err);
    dbk_keys_close(keys);
    return code;
}

enum dbk_code dbk_keys_make(const char *dir, const struct dbk_keys_options *options,
                            struct dbk_error *err)
{
    return make(dir, options, (struct dbk_slice){NULL, 0}, err);
}

enum dbk_code dbk_keys_make_of(const char *dir, const struct dbk_keys_options *options,
                               struct dbk_slice parcel, struct dbk_error *err)
{
    if (parcel.length == 0)
        return dbk_fail(err, DBK_DAMAGED, "what should be keys is none");
    return make(dir, options, parcel, err);
}

/* Open. */

enum dbk_code dbk_keys_open(const char *dir, const struct dbk_keys_options *options,
                            struct dbk_keys **out, struct dbk_error *err)
{
    struct dbk_keys *keys;
    enum dbk_code code = create(dir, options, &keys, err);

    *out = NULL;
    if (code != DBK_OK)
        return code;
    code = open_lock(keys, err);
    if (code == DBK_OK)
        code = ring_load(keys, &keys->file, keys->secrets, err);
    if (code == DBK_OK && !keys->read_only)
        code = ring_settle(keys, err);
    if (code != DBK_OK) {
        dbk_keys_close(keys);
        return code;
    }
    atomic_store(&keys->looked_ms, dbk_clock_tick_ms());
    *out = keys;
    return DBK_OK;
}

/* Keys. */

/* What other processes did, at most RING_LOOK_MS ago; where somebody is at it, he looks. */
static void look_now_and_then(struct dbk_keys *keys)
{
    int64_t now = dbk_clock_tick_ms(), looked = atomic_load(&keys->looked_ms);

    if (now - looked < RING_LOOK_MS || pthread_mutex_trylock(&keys->changing) != 0)
        return;
    ring_refresh(keys, NULL);
    pthread_mutex_unlock(&keys->changing);
}

/* Before every slot's bytes are trusted, under `opened`. */
static enum dbk_code check_opened(const struct dbk_keys *keys, struct dbk_error *err)
{
    if (keys->broken.code == DBK_OK)
        return DBK_OK;
    return dbk_fail(err, DBK_KEYS_AWAY, "%s", keys->broken.text);
}

enum dbk_code dbk_keys_work(struct dbk_keys *keys, struct dbk_error *err)
{
    enum dbk_code code;

    look_now_and_then(keys);
    if (pthread_rwlock_tryrdlock(&keys->opened) != 0)
        return DBK_OK; /* somebody writes to it, and will know */
    code = check_opened(keys, err);
    pthread_rwlock_unlock(&keys->opened);
    return code;
}

static enum dbk_code read_slot(struct dbk_keys *keys, uint64_t number,
                               uint8_t slot[RING_SLOT], struct dbk_error *err)
{
    enum dbk_code code = DBK_DAMAGED;

    if (number > 0 && number <= RING_NUMBER_MAX)
        code = ring_read_at(keys->file.fd, slot, RING_SLOT, RING_SLOT_AT(number),
                            keys->path, err);
    if (code == DBK_DAMAGED)
        return dbk_fail(err, DBK_INVALID, "%s has no key %" PRIu64 ": it ends before",
                        keys->path, number);
    return code;
}

static enum dbk_code read_key(struct dbk_keys *keys, uint64_t number,
                              uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    uint8_t slot[RING_SLOT];
    enum ring_slot what;
    enum dbk_code code = check_opened(keys, err);

    if (code == DBK_OK)
        code = read_slot(keys, number, slot, err);
    if (code != DBK_OK)
        return code;
    what = ring_slot_read(slot, number);
    if (what == RING_ERASED)
        return dbk_fail(err, DBK_NOT_FOUND, "key %" PRIu64 " was erased", number);
    if (what == RING_TORN ||
        !ring_unwrap(keys->secrets->master, keys->file.fixed.epoch, number, slot, key))
        return dbk_fail(err, DBK_DAMAGED,
                        "key %" PRIu64 " in %s is damaged: put back the copy that "
                        "daybook keys backup made",
                        number, keys->path);
    ring_cache_keep(keys->cache, number, key);
    return DBK_OK;
}

enum dbk_code dbk_keys_get(struct dbk_keys *keys, uint64_t number,
                           uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    enum dbk_code code;

    look_now_and_then(keys);
    if (ring_cache_find(keys->cache, number, key))
        return DBK_OK;
    pthread_rwlock_rdlock(&keys->opened);
    code = read_key(keys, number, key, err);
    pthread_rwlock_unlock(&keys->opened);
    if (code != DBK_OK)
        sodium_memzero(key, DBK_KEY_BYTES);
    return code;
}

enum dbk_code dbk_keys_next(struct dbk_keys *keys, uint64_t highest, uint64_t *number,
                            uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    enum dbk_code code;

    /* One that is damaged was nobody's. */
    *number = highest;
    do
        code = dbk_keys_get(keys, ++*number, key, err);
    while (code == DBK_NOT_FOUND || code == DBK_DAMAGED);
    return code;
}

void dbk_keys_tag(const struct dbk_keys *keys, enum dbk_key_tag kind,
                  struct dbk_slice text, uint8_t tag[DBK_KEY_TAG_BYTES])
{
    static const uint8_t personal[][crypto_generichash_blake2b_PERSONALBYTES] = {
        [DBK_TAG_EMAIL] = "", /* as BLAKE2b without any */
        [DBK_TAG_EXTERNAL_ID] = "daybook extern",
        [DBK_TAG_ANONYMOUS_ID] = "daybook anonym",
        [DBK_TAG_REQUEST] = "daybook request",
    };

    crypto_generichash_blake2b_salt_personal(
        tag, DBK_KEY_TAG_BYTES, (const uint8_t *)text.data, text.length,
        keys->secrets->pepper, DBK_KEY_BYTES, NULL, personal[kind]);
}

enum dbk_code dbk_keys_state(struct dbk_keys *keys, struct dbk_keys_state *out,
                             struct dbk_error *err)
{
    static const uint8_t none[DBK_KEYS_FIRST_BYTES];
    const struct ring_mark *mark = &keys->file.mark;
    enum dbk_code code;

    *out = (struct dbk_keys_state){.beside = keys->beside};
    snprintf(out->master, sizeof out->master, "%.*s", DBK_KEYS_PATH - 1, keys->master);
    pthread_mutex_lock(&keys->changing);
    code = ring_refresh(keys, err);
    if (code == DBK_OK)
        code = ring_size(keys->file.fd, keys->path, &out->count, err);
    out->epoch = keys->file.fixed.epoch;
    out->erased_through = mark->erased_through;
    out->bound = memcmp(mark->first, none, sizeof none) != 0;
    memcpy(out->first, mark->first, sizeof out->first);
    sodium_bin2hex(out->master_id, sizeof out->master_id, keys->file.fixed.master_id,
                   DBK_KEYS_MASTER_TEXT / 2);
    out->copied_epoch = mark->copied_epoch;
    out->copied_count = mark->copied_count;
    out->copied_at = mark->copied_at;
    out->left = ring_look_left(keys) == RING_LEFT;
    out->rotated_at = mark->rotated_at;
    if (code == DBK_OK && mark->rotated_through > 0 &&
        ring_holds_master(keys, keys->master))
        out->rotated_through = mark->rotated_through;
    pthread_mutex_unlock(&keys->changing);
    return code;
}
