/* The one copy of the ring that is kept elsewhere. */
#include "ring_private.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct copying {
    const struct dbk_keys *keys;
    int fd;
    const char *path;
};

/* Whether the ring may take the place of what is open as fd. */
static enum dbk_code check_copy(const struct dbk_keys *keys, int fd, const char *to,
                                struct dbk_error *err)
{
    static const uint8_t none[DBK_KEYS_FIRST_BYTES];
    const struct ring_mark *mine = &keys->file.mark;
    struct ring_mark mark;
    struct ring_fixed fixed;
    uint8_t page[RING_PAGE];
    unsigned place;
    enum dbk_code code = ring_read_at(fd, page, sizeof page, 0, to, NULL);

    if (code == DBK_IO)
        return dbk_system_fail(err, "read", to);
    if (code != DBK_OK || ring_fixed_read(page, &fixed, NULL) != DBK_OK ||
        !ring_mark_read(page, &mark, &place))
        return dbk_fail(err, DBK_EXISTS,
                        "%s is there, and no ring of keys: name another file", to);
    if (memcmp(mark.first, none, sizeof none) != 0 &&
        memcmp(mark.first, mine->first, sizeof none) != 0)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s is a copy of another log's ring: name another file", to);
    if (fixed.epoch > keys->file.fixed.epoch ||
        mark.erased_through > mine->erased_through)
        return dbk_fail(
            err, DBK_CONFLICT,
            "%s is newer than %s, which is an older copy of it: find out how "
            "that came there before you name another file",
            to, keys->path);
    return DBK_OK;
}

static enum dbk_code check_target(const struct dbk_keys *keys, const char *to,
                                  struct dbk_error *err)
{
    int fd = open(to, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    enum dbk_code code;

    if (fd < 0)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "open", to);
    if (fstat(fd, &status) != 0)
        code = dbk_system_fail(err, "look at", to);
    else if (status.st_dev == keys->file.device && status.st_ino == keys->file.inode)
        code =
            dbk_fail(err, DBK_INVALID, "%s is the ring itself: name another file", to);
    else if (!S_ISREG(status.st_mode))
        code = dbk_fail(err, DBK_EXISTS, "%s is no file: name one", to);
    else
        code = check_copy(keys, fd, to, err);
    close(fd);
    return code;
}

static enum dbk_code copy_slots(void *context, uint64_t first, size_t count,
                                uint8_t *slots, struct dbk_error *err)
{
    const struct copying *copying = context;
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        if (ring_open_slot(copying->keys, first + i, slots + i * RING_SLOT, key) ==
            RING_TORN)
            code = dbk_fail(err, DBK_DAMAGED,
                            "key %" PRIu64 " in %s is damaged: put an older copy back, "
                            "which may have it; no copy was made",
                            first + i, copying->keys->path);
    }
    sodium_memzero(key, sizeof key);
    if (code != DBK_OK)
        return code;
    return ring_write_at(copying->fd, slots, count * RING_SLOT, RING_SLOT_AT(first),
                         copying->path, err);
}

static enum dbk_code copy(struct dbk_keys *keys, const char *to, struct dbk_error *err)
{
    char path[RING_NEXT_PATH];
    struct copying copying = {.keys = keys, .path = path};
    const struct ring_walk walk = {&copying, copy_slots};
    enum dbk_code code;

    ring_next_path(to, path);
    copying.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (copying.fd < 0)
        return dbk_system_fail(err, "make", path);
    code = ring_put_page(copying.fd, &keys->file.fixed, &keys->file.mark, path, err);
    if (code == DBK_OK)
        code = ring_walk(keys, &walk, err);
    if (code == DBK_OK)
        code = dbk_replace(copying.fd, path, to, err);
    if (code != DBK_OK)
        unlink(path);
    close(copying.fd);
    return code;
}

enum dbk_code dbk_keys_copy(struct dbk_keys *keys, const char *to,
                            struct dbk_keys_copied *out, struct dbk_error *err)
{
    enum dbk_code code;

    if (strlen(to) >= DBK_KEYS_PATH)
        return dbk_fail(err, DBK_INVALID, "the path of the copy is too long");
    code = ring_change_begin(keys, err);
    if (code != DBK_OK)
        return code;
    *out = (struct dbk_keys_copied){.epoch = keys->file.fixed.epoch,
                                    .at = dbk_timestamp_now()};
    code = ring_size(keys->file.fd, keys->path, &out->count, err);
    if (code == DBK_OK)
        code = check_target(keys, to, err);
    if (code == DBK_OK)
        code = copy(keys, to, err);
    ring_change_end(keys);
    return code;
}

enum dbk_code dbk_keys_note_copy(struct dbk_keys *keys,
                                 const struct dbk_keys_copied *copied,
                                 struct dbk_error *err)
{
    enum dbk_code code = ring_change_begin(keys, err);
    struct ring_mark mark;

    if (code != DBK_OK)
        return code;
    mark = keys->file.mark;
    if (copied->epoch >= mark.copied_epoch) {
        mark.copied_epoch = copied->epoch;
        mark.copied_count = copied->count;
        mark.copied_at = copied->at;
        code = ring_put_mark(keys, mark, err);
    }
    ring_change_end(keys);
    return code;
}

enum dbk_code dbk_keys_backup(struct dbk_keys *keys, const char *to,
                              struct dbk_error *err)
{
    struct dbk_keys_copied copied;
    enum dbk_code code = dbk_keys_copy(keys, to, &copied, err);

    return code == DBK_OK ? dbk_keys_note_copy(keys, &copied, err) : code;
}
