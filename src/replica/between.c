#include "between.h"

#include "stream.h"
#include "tokens.h"

#include <inttypes.h>

/* The one that ships has the turn meanwhile: others wait. */
enum { READ_MS = 1000 };

/* The table as one message after the other changes it. */
static void change(struct dbk_render *table, struct dbk_slice changes)
{
    struct dbk_render changed = {0};

    tokens_change((struct dbk_slice){table->text, table->length}, changes, &changed);
    dbk_render_finish(table);
    *table = changed;
}

static enum dbk_code take_kept(struct dbk_replica *replica, struct dbk_render *table,
                               struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    struct dbk_slice kept;
    enum dbk_code code = tokens_kept(replica->log, &batch, &kept, err);

    if (code == DBK_OK)
        dbk_render_raw(table, kept.data, kept.length);
    dbk_batch_finish(&batch);
    return code;
}

static enum dbk_code read_tokens(struct dbk_replica *replica, struct stream *stream,
                                 int64_t next, int64_t offset, struct dbk_render *table,
                                 struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READ_MS);
    struct message message;
    int64_t at;

    if (stream_seek(stream, next, err) != DBK_OK)
        return err->code;
    for (; next < offset; next++) {
        if (stream_next(stream, dbk_deadline_left(deadline) + 1, &at, &message, err) !=
            DBK_OK)
            return err->code;
        if (at != next || message.type != MESSAGE_TOKENS ||
            !dbk_uuid_equal(&message.store_id, &replica->store_id))
            return dbk_fail(err, DBK_CONFLICT,
                            "the message at offset %" PRId64 " is not of tokens", next);
        change(table, message.body);
        if (dbk_render_code(table) != DBK_OK)
            return dbk_fail(err, DBK_NO_MEMORY, "no memory for the table of tokens");
    }
    return DBK_OK;
}

static enum dbk_code find_table(struct dbk_replica *replica, int64_t next,
                                int64_t offset, struct dbk_render *table,
                                struct dbk_error *err)
{
    struct stream *stream;
    enum dbk_code code;

    if (take_kept(replica, table, err) != DBK_OK ||
        stream_open(&replica->options, &stream, err) != DBK_OK)
        return err->code;
    code = read_tokens(replica, stream, next, offset, table, err);
    stream_close(stream);
    return code;
}

bool between_keep(struct dbk_replica *replica, struct dbk_apply *apply, int64_t next,
                  int64_t offset)
{
    struct dbk_render table = {0};
    struct dbk_error err = {0};
    bool kept =
        find_table(replica, next, offset, &table, &err) == DBK_OK &&
        dbk_apply_keep(apply, TOKENS_KEPT, (struct dbk_slice){table.text, table.length},
                       &err) == DBK_OK;

    dbk_render_finish(&table);
    if (!kept)
        return false;
    pthread_mutex_lock(&replica->mutex);
    replica->kept_next = offset;
    pthread_mutex_unlock(&replica->mutex);
    return true;
}

/* Where the commit failed, the tail reads it again, and tells of it itself. */
void between_tell(struct dbk_replica *replica)
{
    struct dbk_place place;
    int64_t next;

    pthread_mutex_lock(&replica->mutex);
    next = replica->kept_next;
    pthread_mutex_unlock(&replica->mutex);
    if (next < 0 || dbk_log_place(replica->log, &place, NULL) != DBK_OK ||
        place.next < next)
        return;
    tokens_tell(replica);
    pthread_mutex_lock(&replica->mutex);
    if (replica->kept_next == next) /* or there is more by now */
        replica->kept_next = -1;
    pthread_mutex_unlock(&replica->mutex);
}
