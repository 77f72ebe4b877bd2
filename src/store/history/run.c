#include "run.h"

#include "run_format.h"
#include "store/durable.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FENCE = 16 }; /* blocks */

int run_pair_compare(const void *left, const void *right)
{
    const struct run_pair *a = left, *b = right;
    uint64_t words[2][2];

    memcpy(words[0], &a->id, sizeof a->id);
    memcpy(words[1], &b->id, sizeof b->id);
    for (int i = 0; i < 2; i++) {
        uint64_t one = be64toh(words[0][i]), other = be64toh(words[1][i]);
        if (one != other)
            return one < other ? -1 : 1;
    }
    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static enum dbk_code damaged(struct dbk_error *err, const char *what, uint64_t block)
{
    return dbk_fail(err, DBK_DAMAGED,
                    "the history index is damaged: %s (block %" PRIu64 ")", what,
                    block);
}

static enum dbk_code read_block(int fd, uint64_t block, char bytes[RUN_BLOCK],
                                struct dbk_error *err)
{
    uint32_t check;
    ssize_t done;

    do {
        done = pread(fd, bytes, RUN_BLOCK, (off_t)(block * RUN_BLOCK));
    } while (done < 0 && errno == EINTR);
    if (done < 0)
        return dbk_system_fail(err, "read", "the history index");
    memcpy(&check, bytes + RUN_FILLED, sizeof check);
    if (done != RUN_BLOCK)
        return damaged(err, "it ends too early", block);
    if (check != run_check(bytes))
        return damaged(err, "a checksum is wrong", block);
    return DBK_OK;
}

/* LEB128; false where it goes past the end. */
static bool read_number(const char *bytes, size_t *at, size_t end, uint64_t *out)
{
    uint64_t number = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)bytes[(*at)++];

        number |= (uint64_t)(byte & 0x7f) << shift;
        *out = number;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* Blocks are numbered from 0 here; the file's first one is the head. */
static enum dbk_code load(struct run_cursor *cursor, uint64_t block,
                          struct dbk_error *err)
{
    enum dbk_code code;
    uint16_t used;

    assert(block < cursor->run->blocks);
    code = read_block(cursor->run->fd, block + 1, cursor->bytes, err);
    if (code != DBK_OK)
        return code;
    memcpy(&used, cursor->bytes, sizeof used);
    if (used > RUN_FILLED || used <= sizeof used)
        return damaged(err, "a block has no entry", block);
    cursor->block = block;
    cursor->at = cursor->entry_end = sizeof used;
    cursor->used = used;
    return DBK_OK;
}

/* The head of the entry that begins here. */
static enum dbk_code enter(struct run_cursor *cursor, struct dbk_error *err)
{
    uint16_t length;

    if (cursor->used - cursor->at < RUN_ENTRY_HEAD)
        return damaged(err, "an entry is cut", cursor->block);
    memcpy(&cursor->on.id, cursor->bytes + cursor->at, sizeof cursor->on.id);
    memcpy(&length, cursor->bytes + cursor->at + sizeof cursor->on.id, sizeof length);
    cursor->at += RUN_ENTRY_HEAD;
    if (length == 0 || length > cursor->used - cursor->at)
        return damaged(err, "an entry is cut", cursor->block);
    cursor->entry_end = cursor->at + length;
    cursor->on.sequence = 0;
    return DBK_OK;
}

/* Onto the next one of the entry. */
static enum dbk_code step(struct run_cursor *cursor, struct dbk_error *err)
{
    const struct run_place *place = &cursor->run->place;
    uint64_t more;

    if (!read_number(cursor->bytes, &cursor->at, cursor->entry_end, &more) ||
        more == 0 || more > place->to - cursor->on.sequence)
        return damaged(err, "a sequence is none", cursor->block);
    cursor->on.sequence += more;
    return cursor->on.sequence > place->after
               ? DBK_OK
               : damaged(err, "a sequence is of another run", cursor->block);
}

enum dbk_code run_next(struct run_cursor *cursor, bool *there, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    *there = false;
    if (cursor->at == cursor->used) {
        if (cursor->block + 1 >= cursor->run->blocks)
            return DBK_OK;
        code = load(cursor, cursor->block + 1, err);
    }
    if (code == DBK_OK && cursor->at == cursor->entry_end)
        code = enter(cursor, err);
    if (code == DBK_OK)
        code = step(cursor, err);
    *there = code == DBK_OK;
    return code;
}

/* What the block begins with. */
static enum dbk_code first_of(struct run_cursor *cursor, uint64_t block,
                              struct run_pair *first, struct dbk_error *err)
{
    enum dbk_code code = load(cursor, block, err);

    if (code == DBK_OK)
        code = enter(cursor, err);
    if (code == DBK_OK)
        code = step(cursor, err);
    *first = cursor->on;
    return code;
}

/* How many fences are not behind the pair. */
static size_t fences_before(const struct run *run, const struct run_pair *pair)
{
    size_t low = 0, high = run->fence_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (run_pair_compare(&run->fences[middle], pair) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The last block that does not begin behind the pair, or the first one. */
static enum dbk_code find_block(struct run_cursor *cursor, const struct run_pair *pair,
                                uint64_t *block, struct dbk_error *err)
{
    size_t fences = fences_before(cursor->run, pair);
    uint64_t low = fences ? (fences - 1) * FENCE : 0, high = low + FENCE;
    struct run_pair first;

    if (high > cursor->run->blocks)
        high = cursor->run->blocks;
    while (fences && high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        enum dbk_code code = first_of(cursor, middle, &first, err);

        if (code != DBK_OK)
            return code;
        if (run_pair_compare(&first, pair) <= 0)
            low = middle;
        else
            high = middle;
    }
    *block = low;
    return DBK_OK;
}

/* Past the entries of other ids, and past what is less of this one: one before the end of
 * the block, for what is behind it is in the next. */
static enum dbk_code skip(struct run_cursor *cursor, const struct run_pair *first,
                          struct dbk_error *err)
{
    struct run_cursor_mark {
        size_t at, entry_end;
        struct run_pair on;
    } mark;
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && cursor->at < cursor->used) {
        mark = (struct run_cursor_mark){cursor->at, cursor->entry_end, cursor->on};
        if (cursor->at == cursor->entry_end) {
            code = enter(cursor, err);
            if (code == DBK_OK &&
                memcmp(&cursor->on.id, &first->id, sizeof first->id) < 0) {
                cursor->at = cursor->entry_end;
                continue;
            }
        }
        if (code == DBK_OK)
            code = step(cursor, err);
        if (code == DBK_OK && run_pair_compare(&cursor->on, first) >= 0) {
            cursor->at = mark.at;
            cursor->entry_end = mark.entry_end;
            cursor->on = mark.on;
            break;
        }
    }
    return code;
}

enum dbk_code run_seek(struct run_cursor *cursor, const struct run *run,
                       const struct run_pair *first, struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t block;

    cursor->run = run;
    cursor->block = 0;
    cursor->at = cursor->used = cursor->entry_end = 0;
    if (run->blocks == 0)
        return DBK_OK;
    code = find_block(cursor, first, &block, err);
    if (code == DBK_OK)
        code = load(cursor, block, err);
    return code == DBK_OK ? skip(cursor, first, err) : code;
}

static enum dbk_code read_head(struct run *run, struct dbk_error *err)
{
    char block[RUN_BLOCK];
    struct run_head head;
    struct stat status;
    enum dbk_code code = read_block(run->fd, 0, block, err);

    if (code != DBK_OK)
        return code;
    memcpy(&head, block, sizeof head);
    if (fstat(run->fd, &status) != 0)
        return dbk_system_fail(err, "look at", "the history index");
    if (memcmp(head.magic, RUN_MAGIC, sizeof head.magic) != 0 ||
        head.after >= head.to || head.blocks > INT64_MAX / RUN_BLOCK - 1 ||
        (uint64_t)status.st_size != (head.blocks + 1) * RUN_BLOCK)
        return damaged(err, "its head is not that of this file", 0);
    run->place = (struct run_place){.store_id = head.store_id,
                                    .after = head.after,
                                    .to = head.to,
                                    .checksum = head.checksum};
    run->blocks = head.blocks;
    run->pairs = head.pairs;
    return DBK_OK;
}

static enum dbk_code read_fences(struct run *run, struct dbk_error *err)
{
    struct run_cursor cursor = {.run = run};
    enum dbk_code code = DBK_OK;

    run->fence_count = (size_t)((run->blocks + FENCE - 1) / FENCE);
    run->fences = calloc(run->fence_count + 1, sizeof *run->fences);
    if (!run->fences)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the history index");
    for (size_t i = 0; i < run->fence_count && code == DBK_OK; i++)
        code = first_of(&cursor, i * FENCE, &run->fences[i], err);
    return code;
}

enum dbk_code run_open(const char *path, struct run **out, struct dbk_error *err)
{
    struct run *run = calloc(1, sizeof *run);
    enum dbk_code code;

    *out = NULL;
    if (!run)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the history index");
    atomic_init(&run->holders, 1);
    run->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (run->fd < 0)
        code = errno == ENOENT ? dbk_fail(err, DBK_NOT_FOUND, "there is no %s", path)
                               : dbk_system_fail(err, "open", path);
    else
        code = read_head(run, err);
    if (code == DBK_OK)
        code = read_fences(run, err);
    if (code == DBK_OK)
        *out = run;
    else
        run_drop(run);
    return code;
}

struct run *run_hold(struct run *run)
{
    atomic_fetch_add(&run->holders, 1);
    return run;
}

void run_drop(struct run *run)
{
    if (!run || atomic_fetch_sub(&run->holders, 1) != 1)
        return;
    if (run->fd >= 0)
        close(run->fd);
    free(run->fences);
    free(run);
}
