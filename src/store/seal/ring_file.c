/* The ring's file: reading it, opening it again where another process replaced it, and who
 * may change it.
 *
 * It is read by pread, not mapped: a copy that is put back over it cuts it for a moment, and a
 * mapping would end the process then. */
#include "master.h"
#include "ring_private.h"
#include "store/clock.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum dbk_code ring_read_at(int fd, void *out, size_t length, uint64_t offset,
                           const char *path, struct dbk_error *err)
{
    char *at = out;

    while (length > 0) {
        ssize_t got = pread(fd, at, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dbk_system_fail(err, "read", path);
        if (got == 0)
            return dbk_fail(
                err, DBK_DAMAGED,
                "%s is cut short: put back the copy that daybook keys backup made",
                path);
        at += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return DBK_OK;
}

enum dbk_code ring_write_at(int fd, const void *bytes, size_t length, uint64_t offset,
                            const char *path, struct dbk_error *err)
{
    const char *at = bytes;

    while (length > 0) {
        ssize_t wrote = pwrite(fd, at, length, (off_t)offset);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return dbk_system_fail(err, "write", path);
        at += wrote;
        offset += (uint64_t)wrote;
        length -= (size_t)wrote;
    }
    return DBK_OK;
}

enum dbk_code ring_sync(int fd, const char *path, struct dbk_error *err)
{
    return fdatasync(fd) == 0 ? DBK_OK : dbk_system_fail(err, "sync", path);
}

enum dbk_code ring_blank(int fd, const char *path, struct dbk_error *err)
{
    enum { SOME = 64 };
    static const uint8_t nothing[SOME * RING_SLOT];
    uint64_t count;
    enum dbk_code code = ring_size(fd, path, &count, err);

    for (uint64_t at = 1; code == DBK_OK && at <= count; at += SOME) {
        size_t some = count - at < SOME ? (size_t)(count - at + 1) : SOME;

        code =
            ring_write_at(fd, nothing, some * RING_SLOT, RING_SLOT_AT(at), path, err);
    }
    return code == DBK_OK ? ring_sync(fd, path, err) : code;
}

enum dbk_code ring_size(int fd, const char *path, uint64_t *count,
                        struct dbk_error *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return dbk_system_fail(err, "look at", path);
    *count = ring_count((uint64_t)status.st_size);
    return DBK_OK;
}

void ring_make_slots(const struct ring_secrets *secrets, uint64_t epoch, uint64_t first,
                     size_t count, uint8_t *slots)
{
    enum { SOME = 64 }; /* at once, for each time is a call of the system */
    uint8_t random[SOME][DBK_KEY_BYTES + RING_SALT], wrapped[RING_WRAPPED];

    for (size_t i = 0; i < count; i++) {
        const uint8_t *key = random[i % SOME];

        if (i % SOME == 0)
            randombytes_buf(random,
                            (count - i < SOME ? count - i : SOME) * sizeof *random);
        ring_wrap(secrets->master, epoch, first + i, key + DBK_KEY_BYTES, key, wrapped);
        ring_slot_write(first + i, wrapped, slots + i * RING_SLOT);
    }
    sodium_memzero(random, sizeof random);
}

void ring_wrap_slots(const struct ring_secrets *secrets, uint64_t epoch, uint64_t first,
                     size_t count, const uint8_t *plain, uint8_t *slots)
{
    uint8_t salt[RING_SALT], wrapped[RING_WRAPPED];

    for (size_t i = 0; i < count; i++, plain += DBK_KEY_BYTES, slots += RING_SLOT) {
        bool erased = sodium_is_zero(plain, DBK_KEY_BYTES);

        randombytes_buf(salt, sizeof salt);
        ring_wrap(secrets->master, epoch, first + i, salt, plain, wrapped);
        ring_slot_write(first + i, erased ? NULL : wrapped, slots);
    }
}

void ring_next_path(const char *path, char out[RING_NEXT_PATH])
{
    snprintf(out, RING_NEXT_PATH, "%s.new", path);
}

/* The page. */

enum dbk_code ring_put_page(int fd, const struct ring_fixed *fixed,
                            const struct ring_mark *mark, const char *path,
                            struct dbk_error *err)
{
    uint8_t page[RING_PAGE] = {0};

    ring_fixed_write(fixed, page);
    for (unsigned i = 0; i < RING_MARKS; i++)
        ring_mark_write(mark, page + RING_MARK_AT(i));
    return ring_write_at(fd, page, sizeof page, 0, path, err);
}

static enum dbk_code read_page(struct ring_file *file, const char *path,
                               struct dbk_error *err)
{
    enum dbk_code code =
        ring_read_at(file->fd, file->page, sizeof file->page, 0, path, err);
    struct dbk_error why = {.code = DBK_OK};

    if (code != DBK_OK)
        return code;
    code = ring_fixed_read(file->page, &file->fixed, &why);
    if (code == DBK_OK && !ring_mark_read(file->page, &file->mark, &file->place))
        code = dbk_fail(&why, DBK_DAMAGED, "both its marks are damaged");
    if (code == DBK_DAMAGED)
        return dbk_fail(err, code,
                        "%s: %s; put back the copy that daybook keys backup made", path,
                        why.text);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s: %s", path, why.text);
}

/* Whether the file at path is the ring's master key; DBK_CONFLICT: it is another one. */
static enum dbk_code try_master(const struct dbk_keys *keys, const char *path,
                                uid_t owner, const struct ring_file *file,
                                struct ring_secrets *secrets, struct dbk_error *err)
{
    uint8_t id[RING_MASTER_ID];
    enum dbk_code code = master_read(path, keys->beside, owner, secrets->master, err);

    if (code != DBK_OK)
        return code;
    ring_master_id(secrets->master, id);
    if (sodium_memcmp(id, file->fixed.master_id, sizeof id) != 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is not the master key of %s (of epoch %llu): put the right "
                        "one there, or the copy of the ring that it belongs to",
                        path, keys->path, (unsigned long long)file->fixed.epoch);
    if (!ring_unwrap(secrets->master, file->fixed.epoch, 0, file->fixed.pepper,
                     secrets->pepper))
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: its header is damaged; put back the copy that daybook "
                        "keys backup made",
                        keys->path);
    return DBK_OK;
}

static enum dbk_code find_master(const struct dbk_keys *keys, uid_t owner,
                                 const struct ring_file *file,
                                 struct ring_secrets *secrets, struct dbk_error *err)
{
    char next[RING_NEXT_PATH];
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code = try_master(keys, keys->master, owner, file, secrets, &why);

    ring_next_path(keys->master, next);
    if (code == DBK_NOT_FOUND || code == DBK_INVALID || code == DBK_CONFLICT) {
        if (try_master(keys, next, owner, file, secrets, NULL) == DBK_OK)
            return DBK_OK;
    }
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

static enum dbk_code open_ring(const struct dbk_keys *keys, struct ring_file *file,
                               struct stat *status, struct dbk_error *err)
{
    int flags = (keys->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK;

    file->fd = open(keys->path, flags);
    if (file->fd < 0 && errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "there is no ring of keys %s: put back the copy that daybook "
                        "keys backup made",
                        keys->path);
    if (file->fd < 0)
        return dbk_system_fail(err, "open", keys->path);
    if (fstat(file->fd, status) != 0)
        return dbk_system_fail(err, "look at", keys->path);
    file->device = status->st_dev;
    file->inode = status->st_ino;
    return read_page(file, keys->path, err);
}

static enum dbk_code load(const struct dbk_keys *keys, struct ring_file *file,
                          struct ring_secrets *secrets, struct dbk_error *err)
{
    struct stat status;
    enum dbk_code code = open_ring(keys, file, &status, err);

    if (code == DBK_OK)
        code = find_master(keys, status.st_uid, file, secrets, err);
    if (code != DBK_OK && file->fd >= 0) {
        close(file->fd);
        file->fd = -1;
    }
    return code;
}

enum dbk_code ring_load(const struct dbk_keys *keys, struct ring_file *file,
                        struct ring_secrets *secrets, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    enum dbk_code code = load(keys, file, secrets, &why);

    /* Perhaps a rotation went by between one file and the other. */
    for (int i = 0; i < 2 && code == DBK_CONFLICT; i++)
        code = load(keys, file, secrets, &why);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

/* Another one in its place. */

static enum dbk_code check_successor(const struct dbk_keys *keys,
                                     const struct ring_file *file,
                                     const struct ring_secrets *secrets,
                                     struct dbk_error *err)
{
    if (sodium_memcmp(secrets->pepper, keys->secrets->pepper, DBK_KEY_BYTES) != 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s was replaced by the ring of another log: put the right one "
                        "back",
                        keys->path);
    if (file->mark.erased_through < keys->file.mark.erased_through)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s was replaced by an older copy, which has keys that were "
                        "erased since: start daybook again, which erases them first",
                        keys->path);
    return DBK_OK;
}

/* Of what is missing at the end, keys ahead were nobody's: they are made again. */
static enum dbk_code check_whole(struct dbk_keys *keys, int fd, struct dbk_error *err)
{
    uint64_t count, needed = atomic_load(&keys->needed);
    enum dbk_code code = ring_size(fd, keys->path, &count, err);

    if (code != DBK_OK)
        return code;
    atomic_store(&keys->seen, count);
    if (count < needed)
        return dbk_fail(
            err, DBK_DAMAGED,
            "%s ends at key %llu, and the log uses %llu: it was cut, or is an "
            "older copy; put back the newest that daybook keys backup made",
            keys->path, (unsigned long long)count, (unsigned long long)needed);
    if (count < atomic_load(&keys->made))
        atomic_store(&keys->made, 0);
    return DBK_OK;
}

static void take_file(struct dbk_keys *keys, const struct ring_file *file,
                      const struct ring_secrets *secrets)
{
    pthread_rwlock_wrlock(&keys->opened);
    close(keys->file.fd);
    keys->file = *file;
    memcpy(keys->secrets->master, secrets->master, DBK_KEY_BYTES);
    ring_cache_clear(keys->cache);
    pthread_rwlock_unlock(&keys->opened);
    atomic_store(&keys->made, 0);
}

static enum dbk_code reopen(struct dbk_keys *keys, struct dbk_error *err)
{
    struct ring_secrets *secrets = sodium_malloc(sizeof *secrets);
    struct ring_file file;
    enum dbk_code code;

    if (!secrets)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to open %s", keys->path);
    code = ring_load(keys, &file, secrets, err);
    if (code == DBK_OK) {
        code = check_successor(keys, &file, secrets, err);
        if (code == DBK_OK)
            code = check_whole(keys, file.fd, err);
        if (code == DBK_OK)
            take_file(keys, &file, secrets);
        else
            close(file.fd);
    }
    sodium_free(secrets);
    return code;
}

/* The page as it is now; err is not NULL. */
static enum dbk_code look(struct dbk_keys *keys, struct dbk_error *err)
{
    struct ring_file file = keys->file; /* changed with `changing` held only */
    struct stat status;
    enum dbk_code code;

    if (stat(keys->path, &status) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? dbk_fail(err, DBK_NOT_FOUND,
                              "the ring of keys %s was removed: put it back, or the "
                              "newest copy that daybook keys backup made",
                              keys->path)
                   : dbk_system_fail(err, "find", keys->path);
    if (status.st_dev != file.device || status.st_ino != file.inode)
        return reopen(keys, err);
    code = read_page(&file, keys->path, err);
    if (code != DBK_OK)
        return code;
    if (memcmp(file.page, keys->file.page, RING_FIXED) != 0) /* written over */
        return reopen(keys, err);
    if (check_whole(keys, file.fd, err) != DBK_OK)
        return err->code;
    if (!memcmp(file.page, keys->file.page, sizeof file.page))
        return DBK_OK;
    code = check_successor(keys, &file, keys->secrets, err);
    if (code != DBK_OK)
        return code;
    pthread_rwlock_wrlock(&keys->opened);
    keys->file = file;
    ring_cache_clear(keys->cache);
    pthread_rwlock_unlock(&keys->opened);
    return DBK_OK;
}

enum dbk_code ring_refresh(struct dbk_keys *keys, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};

    atomic_store(&keys->looked_ms, dbk_clock_tick_ms());
    if (look(keys, &why) == DBK_OK)
        why.code = DBK_OK;
    if (why.code != keys->broken.code || /* written with `changing` held only */
        (why.code != DBK_OK && strcmp(why.text, keys->broken.text) != 0)) {
        pthread_rwlock_wrlock(&keys->opened);
        keys->broken = why;
        ring_cache_clear(keys->cache);
        pthread_rwlock_unlock(&keys->opened);
    }
    return why.code == DBK_OK ? DBK_OK : dbk_fail(err, DBK_KEYS_AWAY, "%s", why.text);
}

/* Changing it. */

static void lock_file(int fd, int how)
{
    while (fd >= 0 && flock(fd, how) != 0 && errno == EINTR)
        ;
}

enum dbk_code ring_change_begin(struct dbk_keys *keys, struct dbk_error *err)
{
    enum dbk_code code;

    if (keys->read_only)
        return dbk_fail(err, DBK_UNSUPPORTED, "%s is open for reading only",
                        keys->path);
    pthread_mutex_lock(&keys->changing);
    lock_file(keys->lock_fd, LOCK_EX);
    code = ring_refresh(keys, err);
    if (code != DBK_OK)
        ring_change_end(keys);
    return code;
}

void ring_change_end(struct dbk_keys *keys)
{
    lock_file(keys->lock_fd, LOCK_UN);
    pthread_mutex_unlock(&keys->changing);
}

enum dbk_code ring_put_mark(struct dbk_keys *keys, struct ring_mark mark,
                            struct dbk_error *err)
{
    unsigned place = 1 - keys->file.place;
    uint8_t bytes[RING_MARK];
    enum dbk_code code;

    mark.generation = keys->file.mark.generation + 1;
    ring_mark_write(&mark, bytes);
    code = ring_write_at(keys->file.fd, bytes, sizeof bytes, RING_MARK_AT(place),
                         keys->path, err);
    if (code == DBK_OK)
        code = ring_sync(keys->file.fd, keys->path, err);
    if (code != DBK_OK)
        return code; /* what is there is seen by the next look */
    pthread_rwlock_wrlock(&keys->opened);
    keys->file.mark = mark;
    keys->file.place = place;
    memcpy(keys->file.page + RING_MARK_AT(place), bytes, sizeof bytes);
    pthread_rwlock_unlock(&keys->opened);
    return DBK_OK;
}
