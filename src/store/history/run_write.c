#include "run_format.h"
#include "store/durable.h"

#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

enum dbk_code run_write_begin(struct run_writer *writer, const char *path,
                              struct dbk_error *err)
{
    static const char nothing[RUN_BLOCK];

    memset(writer, 0, sizeof *writer);
    writer->path = path;
    writer->used = sizeof(uint16_t);
    unlink(path);
    writer->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writer->fd < 0)
        return dbk_system_fail(err, "make", path);
    /* Where the head will be. */
    return dbk_write_all(writer->fd, nothing, sizeof nothing, path, err);
}

static enum dbk_code flush(struct run_writer *writer, struct dbk_error *err)
{
    uint16_t used = (uint16_t)writer->used;
    uint32_t check;

    if (writer->used == sizeof used)
        return DBK_OK;
    memcpy(writer->bytes, &used, sizeof used);
    memset(writer->bytes + writer->used, 0, RUN_FILLED - writer->used);
    check = run_check(writer->bytes);
    memcpy(writer->bytes + RUN_FILLED, &check, sizeof check);
    writer->blocks++;
    writer->used = sizeof used;
    writer->entry = 0;
    return dbk_write_all(writer->fd, writer->bytes, RUN_BLOCK, writer->path, err);
}

static size_t put_number(char *at, uint64_t number)
{
    size_t length = 0;

    for (; number >= 0x80; number >>= 7)
        at[length++] = (char)(number | 0x80);
    at[length++] = (char)number;
    return length;
}

static void begin_entry(struct run_writer *writer, const struct dbk_uuid *id)
{
    memcpy(writer->bytes + writer->used, id, sizeof *id);
    writer->entry = writer->used + sizeof *id;
    writer->used += RUN_ENTRY_HEAD;
    writer->last.sequence = 0; /* of this entry */
}

enum dbk_code run_write_add(struct run_writer *writer, const struct run_pair *pair,
                            struct dbk_error *err)
{
    bool same = writer->pairs > 0 && dbk_uuid_equal(&writer->last.id, &pair->id);
    enum dbk_code code = DBK_OK;
    uint16_t length;

    assert(pair->sequence > 0);
    if (same && writer->last.sequence == pair->sequence)
        return DBK_OK;
    assert(writer->pairs == 0 || run_pair_compare(&writer->last, pair) < 0);
    if (writer->used + RUN_ENTRY_HEAD + RUN_NUMBER_MAX > RUN_FILLED)
        code = flush(writer, err);
    if (code != DBK_OK)
        return code;
    if (!same || writer->entry == 0)
        begin_entry(writer, &pair->id);
    writer->used += put_number(writer->bytes + writer->used,
                               pair->sequence - writer->last.sequence);
    length = (uint16_t)(writer->used - writer->entry - sizeof length);
    memcpy(writer->bytes + writer->entry, &length, sizeof length);
    writer->last = *pair;
    writer->pairs++;
    return DBK_OK;
}

static enum dbk_code write_head(struct run_writer *writer,
                                const struct run_place *place, struct dbk_error *err)
{
    struct run_head head = {.store_id = place->store_id,
                            .after = place->after,
                            .to = place->to,
                            .checksum = place->checksum,
                            .blocks = writer->blocks,
                            .pairs = writer->pairs};
    char block[RUN_BLOCK] = {0};
    uint32_t check;

    memcpy(head.magic, RUN_MAGIC, sizeof head.magic);
    memcpy(block, &head, sizeof head);
    check = run_check(block);
    memcpy(block + RUN_FILLED, &check, sizeof check);
    if (lseek(writer->fd, 0, SEEK_SET) != 0)
        return dbk_system_fail(err, "write to", writer->path);
    return dbk_write_all(writer->fd, block, sizeof block, writer->path, err);
}

enum dbk_code run_write_end(struct run_writer *writer, const struct run_place *place,
                            struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (writer->fd < 0)
        return DBK_OK;
    if (place)
        code = flush(writer, err);
    if (place && code == DBK_OK)
        code = write_head(writer, place, err);
    if (place && code == DBK_OK)
        code = dbk_sync_file(writer->fd, writer->path, err);
    close(writer->fd);
    writer->fd = -1;
    if (!place || code != DBK_OK)
        unlink(writer->path);
    return code;
}
