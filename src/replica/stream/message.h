/* message.h - one message of the stream: an opening, or what one transaction appended.
 *
 *   0  4   "DBKC"
 *   4  1   version: 1; 2 where it has keys
 *   5  1   type
 *   6  2   flags: 1, an opening that puts the stream right (reseed)
 *   8  8   epoch: the offset of the opening that it was sent under; -1: of none
 *   16 16  the id of the log
 *   32 8   first: of a batch, its first sequence; of genesis and an opening, the sender's head,
 *          or the last sequence that stays where it puts the stream right
 *   40 4   how many records a batch has; 0: keys alone
 *   44 4   the checksum of record first - 1 (batch), or first (genesis, opening); 0 for none
 *   48 8   reseed: the latest opening that put the stream right and the sender knows; -1
 *   56 4   length of the sender's name
 *   60 4   length of its URL
 *   64 4   CRC-32 (zlib's) of all bytes, these four being 0
 *   68     name, URL; with keys their length, 4, and they; body
 *
 * Numbers are little-endian. A batch's body is replicated.h's; that of a hand-over is the name
 * of who shall lead; of tokens, the lines of tokens.h. Of a sealed log, genesis has keys, those
 * that all copies begin with, or none but what says whose they are; a batch has those that all
 * are to have before it (store/keys_share.h). Everything here is pure, and may be
 * called from any thread.
 */
#ifndef DBK_REPLICA_MESSAGE_H
#define DBK_REPLICA_MESSAGE_H

#include "replica/replica.h"

#define MESSAGE_HEADER 68
#define MESSAGE_MAX (16 << 20) /* of Kafka's max.message.bytes */
#define MESSAGE_BODY_MAX (15 << 20)
#define MESSAGE_REST                                                                   \
    (64 << 10) /* for the header, and Kafka's own; else keys may fill it */

enum message_type {
    MESSAGE_GENESIS = 1,
    MESSAGE_OPENING,
    MESSAGE_BATCH,
    MESSAGE_HAND_OVER,
    MESSAGE_TOKENS,
};

struct message {
    enum message_type type;
    bool reseeds;
    int64_t epoch;
    struct dbk_uuid store_id;
    uint64_t first;
    uint32_t count;
    uint32_t before;
    int64_t reseed;
    struct dbk_slice node, url, keys, body; /* borrowed */
};

/* Write it, malloc'd. DBK_TOO_LARGE, DBK_NO_MEMORY. */
enum dbk_code message_encode(const struct message *message, char **bytes,
                             size_t *length, struct dbk_error *err);

/* Read it; out's slices point into bytes.
 *
 * DBK_UNSUPPORTED  it is no message of ours, or of a newer version
 * DBK_DAMAGED      it is not as it was written
 */
enum dbk_code message_decode(const char *bytes, size_t length, struct message *out,
                             struct dbk_error *err);

/* Whether it may stand there in this log's stream. A genesis behind another one begins nothing,
 * whosever it is: two logs were to begin the stream at once. */
bool message_is_of(const struct message *message, int64_t offset,
                   const struct dbk_uuid *store_id);

const char *message_type_name(enum message_type type);

#endif
