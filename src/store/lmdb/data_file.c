#include "data_file.h"

#include "free_pages.h"
#include "store/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0xBEEFC0DE
#define VERSION 1
#define META_FLAG 0x08   /* of a page: it is a meta page */
#define INTEGER_KEY 0x08 /* of a database */
#define PAGE_MIN 4096
#define PAGE_MAX 65536

/* How often to look again where the file seems damaged: another process may have committed
 * between two reads. */
#define TRIES 5

/* LMDB's meta page, as far as it is used. Little-endian, as whatever writes it is. */
struct meta {
    uint8_t header[10];
    uint16_t page_flags;
    uint8_t bounds[4];
    uint32_t magic, version;
    uint64_t address, map_size;
    struct {
        uint32_t page_size; /* of the first: of all pages */
        uint16_t flags, depth;
        uint64_t branches, leaves, overflows, entries, root;
    } free, main;
    uint64_t last_page, txn;
};
_Static_assert(sizeof(struct meta) == 152, "as LMDB lays it out");

static enum dbk_code system_fail(struct dbk_error *err, const char *doing)
{
    return dbk_fail(err, DBK_IO, "%s data.mdb: %s", doing, strerror(errno));
}

static enum dbk_code read_meta(int fd, uint64_t offset, struct meta *meta,
                               struct dbk_error *err)
{
    ssize_t got = pread(fd, meta, sizeof *meta, (off_t)offset);

    if (got < 0)
        return system_fail(err, "read");
    if ((size_t)got < sizeof *meta)
        return dbk_fail(err, DBK_DAMAGED, "data.mdb is cut off in its first pages");
    if (meta->magic != MAGIC || !(meta->page_flags & META_FLAG))
        return dbk_fail(err, DBK_DAMAGED, "data.mdb is no file of LMDB's, or damaged");
    if (meta->version != VERSION)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "data.mdb was written by another version of LMDB");
    if (meta->free.page_size < PAGE_MIN || meta->free.page_size > PAGE_MAX ||
        (meta->free.page_size & (meta->free.page_size - 1)) != 0 ||
        meta->free.flags != INTEGER_KEY || meta->main.flags != 0)
        return dbk_fail(err, DBK_DAMAGED, "data.mdb is damaged in its first pages");
    return DBK_OK;
}

/* Commits take turns: an even one is told by the first meta page, the next by the second.
 * With any other pair LMDB would take an older state for the last one, and the commits
 * since would be lost without a word. */
static bool follow_each_other(uint64_t even, uint64_t odd)
{
    if (even == odd)
        return even == 0; /* nothing was ever committed */
    return even % 2 == 0 && odd % 2 == 1 && (odd == even + 1 || odd + 1 == even);
}

static enum dbk_code read_last_meta(int fd, struct meta *last, struct dbk_error *err)
{
    struct meta metas[2];

    if (read_meta(fd, 0, &metas[0], err) != DBK_OK ||
        read_meta(fd, metas[0].free.page_size, &metas[1], err) != DBK_OK)
        return err->code;
    if (metas[0].free.page_size != metas[1].free.page_size ||
        !follow_each_other(metas[0].txn, metas[1].txn))
        return dbk_fail(
            err, DBK_DAMAGED,
            "data.mdb is damaged: its two meta pages contradict each other; "
            "restore it from a backup");
    *last = metas[metas[1].txn > metas[0].txn];
    return DBK_OK;
}

static enum dbk_code check_length(int fd, const struct meta *meta,
                                  struct dbk_error *err)
{
    uint64_t page_size = meta->free.page_size, length, needed;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return system_fail(err, "look at");
    length = (uint64_t)status.st_size;
    if (meta->last_page < length / page_size)
        return DBK_OK;
    needed = (meta->last_page + 1) * page_size;
    if (length % page_size == 0 && /* pages are written whole */
        free_pages_have(fd, (uint32_t)page_size, meta->free.root, length / page_size,
                        meta->last_page))
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED,
                    "data.mdb is cut off: it has %" PRIu64
                    " bytes, its last commit needs %" PRIu64
                    "; restore it from a backup",
                    length, needed);
}

static enum dbk_code check_once(int fd, struct dbk_error *err)
{
    struct meta last;

    return read_last_meta(fd, &last, err) == DBK_OK ? check_length(fd, &last, err)
                                                    : err->code;
}

static enum dbk_code check(int fd, bool *empty, struct dbk_error *err)
{
    enum dbk_code code;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return system_fail(err, "look at");
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_UNSUPPORTED, "data.mdb is no file");
    *empty = status.st_size == 0;
    if (*empty)
        return DBK_OK;
    code = check_once(fd, err);
    for (int i = 1; code == DBK_DAMAGED && i < TRIES; i++) {
        dbk_sleep_ms(2);
        code = check_once(fd, err);
    }
    return code;
}

enum dbk_code data_file_check(const char *path, bool *empty, struct dbk_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct dbk_error why;
    enum dbk_code code;

    *empty = false;
    if (fd < 0)
        return system_fail(err, "open");
    code = check(fd, empty, &why);
    close(fd);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
