/* stream.h - reads the stream from some offset on, and asks where it begins and ends. For who
 * looks now and then: the tail has a reader of its own. One thread at a time. */
#ifndef DBK_REPLICA_STREAM_H
#define DBK_REPLICA_STREAM_H

#include "conf.h"
#include "message.h"

struct stream;

/* DBK_INVALID, DBK_IO, DBK_NO_MEMORY. Waits for no broker. */
enum dbk_code stream_open(const struct dbk_replica_options *options,
                          struct stream **stream, struct dbk_error *err);
void stream_close(struct stream *stream); /* NULL is fine */

/* Where it begins and ends, as the brokers say within timeout_ms. DBK_UNAVAILABLE;
 * DBK_NOT_FOUND: there is no such topic. */
enum dbk_code stream_bounds(struct stream *stream, int timeout_ms, int64_t *begin,
                            int64_t *end, struct dbk_error *err);

/* Read on from an offset. */
enum dbk_code stream_seek(struct stream *stream, int64_t offset, struct dbk_error *err);

/* The next message, which is borrowed until the next call. DBK_TIMEOUT; DBK_NOT_FOUND: the
 * brokers do not have that offset; DBK_UNAVAILABLE; as message_decode, the offset put before. */
enum dbk_code stream_next(struct stream *stream, int timeout_ms, int64_t *offset,
                          struct message *message, struct dbk_error *err);

rd_kafka_t *stream_handle(struct stream *stream);

#endif
