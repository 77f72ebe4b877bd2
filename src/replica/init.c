/* dbk_replica_check, dbk_replica_init: the stream is found, and begun. */
#include "join.h"
#include "store/keys_share.h"
#include "stream.h"
#include "topic.h"

#include <stdlib.h>

enum { INIT_MS = 20000, REPLICATION = 3, READY_PAUSE_MS = 100 };

static enum dbk_code look(const struct dbk_replica_options *options,
                          struct stream *stream, dbk_deadline deadline,
                          struct dbk_replica_found *found, struct dbk_error *err)
{
    struct message message;
    enum dbk_code code;
    int64_t offset;

    *found = (struct dbk_replica_found){.gone = true};
    if (topic_check(stream_handle(stream), options, dbk_deadline_left(deadline) + 1,
                    err) != DBK_OK)
        return err->code;
    code = join_first(options, stream, deadline, &offset, &message, err);
    if (code != DBK_OK)
        return code == DBK_MOVED ? DBK_OK : code;
    *found = (struct dbk_replica_found){.store_id = message.store_id,
                                        .from = join_before(&message),
                                        .sealed = message.type == MESSAGE_GENESIS &&
                                                  message.keys.length > 0};
    return DBK_OK;
}

enum dbk_code dbk_replica_check(const struct dbk_replica_options *options,
                                int timeout_ms, struct dbk_replica_found *found,
                                struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    struct dbk_error why = {0};
    struct stream *stream;
    enum dbk_code code;

    code = stream_open(options, &stream, &why);
    if (code == DBK_OK) {
        code = look(options, stream, deadline, found, &why);
        stream_close(stream);
    }
    return code == DBK_OK ? code : dbk_fail(err, code, "%s", why.text);
}

/* One that has a log is held against that as it is opened: it may be from behind a rotation. */
static bool is_bound(struct dbk_keys *keys)
{
    struct dbk_keys_state state;

    return dbk_keys_state(keys, &state, NULL) == DBK_OK && state.bound;
}

/* One that is there: of another log, or of this one since the start was killed. */
static enum dbk_code check_ring(const char *dir, const struct dbk_keys_options *options,
                                struct dbk_slice parcel, struct dbk_error *err)
{
    const uint64_t all = UINT64_C(1) << 56; /* none is written */
    struct dbk_keys *keys;
    enum dbk_code code = dbk_keys_open(dir, options, &keys, err);

    if (code != DBK_OK)
        return code;
    code = dbk_keys_take(keys, parcel, all, err);
    if (code == DBK_UNAVAILABLE && is_bound(keys))
        code = DBK_OK;
    dbk_keys_close(keys);
    return code == DBK_UNAVAILABLE
               ? dbk_wrap(err, "%.160s has a ring that is of no log yet", dir)
               : code;
}

static enum dbk_code make_ring(const struct dbk_replica_options *options,
                               struct stream *stream, dbk_deadline deadline,
                               const char *dir, const struct dbk_keys_options *keys,
                               struct dbk_error *err)
{
    struct message message;
    enum dbk_code code;
    int64_t offset;

    if (join_first(options, stream, deadline, &offset, &message, err) != DBK_OK)
        return err->code;
    if (message.type != MESSAGE_GENESIS || message.keys.length == 0 ||
        message.first > 0)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the stream does not have the keys that it begins with: put a "
                        "copy of another member's ring there (daybook keys backup)");
    code = dbk_keys_make_of(dir, keys, message.keys, err);
    return code == DBK_EXISTS ? check_ring(dir, keys, message.keys, err) : code;
}

enum dbk_code dbk_replica_ring(const struct dbk_replica_options *options,
                               int timeout_ms, const char *dir,
                               const struct dbk_keys_options *keys,
                               struct dbk_error *err)
{
    struct dbk_error why = {0};
    struct stream *stream;
    enum dbk_code code = stream_open(options, &stream, &why);

    if (code == DBK_OK) {
        code = make_ring(options, stream, dbk_deadline_in(timeout_ms), dir, keys, &why);
        stream_close(stream);
    }
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

/* They are there and fit for it. One that was just made is known to the brokers one after the
 * other. */
static enum dbk_code prepare(const struct dbk_replica_options *options,
                             unsigned replication, rd_kafka_t *handle,
                             dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code =
        topic_check(handle, options, dbk_deadline_left(deadline) + 1, err);

    if (code != DBK_NOT_FOUND)
        return code;
    code = topic_create(handle, options, replication > 0 ? replication : REPLICATION,
                        INIT_MS / 2, err);
    while (code == DBK_OK) {
        code = topic_check(handle, options, dbk_deadline_left(deadline) + 1, err);
        if (code != DBK_NOT_FOUND || dbk_deadline_left(deadline) == 0)
            break;
        dbk_sleep_ms(READY_PAUSE_MS);
        code = DBK_OK;
    }
    return code;
}

static enum dbk_code check_empty(const struct dbk_replica_options *options,
                                 struct stream *stream, dbk_deadline deadline,
                                 struct dbk_error *err)
{
    int64_t begin, end;
    enum dbk_code code;

    for (;;) {
        code =
            stream_bounds(stream, dbk_deadline_left(deadline) + 1, &begin, &end, err);
        if (code == DBK_OK || dbk_deadline_left(deadline) == 0)
            break;
        dbk_sleep_ms(READY_PAUSE_MS);
    }
    if (code == DBK_OK && end > 0)
        return dbk_fail(err, DBK_EXISTS, "the topic %s has a stream already",
                        options->topic);
    return code;
}

/* Of a log that is empty all keys that its ring has, for nodes begin with an empty directory then;
 * of another none, for they begin with a backup, and a copy of the ring. */
static enum dbk_code add_keys(struct dbk_log *log, struct message *message,
                              char **bytes, struct dbk_error *err)
{
    uint32_t most = message->first == 0 ? DBK_PARCEL_MOST : 0;
    uint64_t shared;
    size_t length;

    if (dbk_log_parcel(log, 1, most, bytes, &length, &shared, err) != DBK_OK)
        return err->code;
    message->keys = (struct dbk_slice){*bytes, length};
    return DBK_OK;
}

static enum dbk_code send_first(const struct dbk_replica_options *options,
                                const struct message *message, struct dbk_error *err)
{
    struct producer *producer;
    enum dbk_code code = producer_create(options, &producer, err);
    int64_t offset = -1;

    if (code != DBK_OK)
        return code;
    code = producer_send_wait(producer, message, NULL, &offset, err);
    producer_destroy(producer);
    if (code != DBK_OK || offset == 0)
        return code;
    return dbk_fail(err, DBK_EXISTS,
                    "another node began the stream in %s at the same time, and so "
                    "it is of that one's log: begin here with an empty data "
                    "directory, or a backup of that node, with --member",
                    options->topic);
}

static enum dbk_code send_genesis(struct dbk_log *log,
                                  const struct dbk_replica_options *options,
                                  struct dbk_error *err)
{
    struct message message = {.type = MESSAGE_GENESIS,
                              .epoch = -1,
                              .store_id = dbk_log_store_id(log),
                              .reseed = -1,
                              .node = dbk_slice(options->node),
                              .url = dbk_slice(options->url)};
    const struct dbk_place place = {1, -1, -1};
    enum dbk_code code;
    char *keys;

    if (dbk_log_head(log, &message.first, err) != DBK_OK)
        return err->code;
    if (message.first > 0 &&
        dbk_log_checksum(log, message.first, &message.before, err) != DBK_OK)
        return err->code;
    code = add_keys(log, &message, &keys, err);
    if (code == DBK_OK)
        code = send_first(options, &message, err);
    free(keys);
    return code == DBK_OK ? dbk_log_put_place(log, &place, err) : code;
}

static enum dbk_code begin(struct dbk_log *log,
                           const struct dbk_replica_options *options,
                           unsigned replication, struct stream *stream,
                           struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(INIT_MS);

    if (prepare(options, replication, stream_handle(stream), deadline, err) != DBK_OK ||
        check_empty(options, stream, deadline, err) != DBK_OK)
        return err->code;
    return send_genesis(log, options, err);
}

enum dbk_code dbk_replica_init(struct dbk_log *log,
                               const struct dbk_replica_options *options,
                               unsigned replication, struct dbk_error *err)
{
    struct dbk_error why = {0};
    struct dbk_place place;
    struct stream *stream;
    enum dbk_code code = dbk_log_place(log, &place, &why);

    if (code == DBK_OK)
        return dbk_fail(err, DBK_EXISTS, "this log is a copy of a stream already");
    if (code == DBK_NOT_FOUND)
        code = stream_open(options, &stream, &why);
    if (code == DBK_OK) {
        code = begin(log, options, replication, stream, &why);
        stream_close(stream);
    }
    return code == DBK_OK ? code : dbk_fail(err, code, "%s", why.text);
}
