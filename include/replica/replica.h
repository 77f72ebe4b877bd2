/* replica.h - a log's place among its copies, by Kafka's protocol.
 *
 * The stream of the copies is one partition of a topic: an opening in it says who leads from
 * there on, a batch is what one transaction of the leader appended. A batch counts where its
 * epoch, the offset of an opening, is that of the latest opening before it.
 *
 * Everything is safe to be called from any thread unless it says otherwise.
 */
#ifndef DBK_REPLICA_REPLICA_H
#define DBK_REPLICA_REPLICA_H

#include "store/error.h"
#include "store/log.h"
#include "store/replicated.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_REPLICA_NAME_MAX 64 /* bytes of a node's name */
#define DBK_REPLICA_URL_MAX 256 /* bytes of its URL */

struct dbk_replica;

struct dbk_replica_options {
    const char *brokers;    /* host:port, with commas between */
    const char *topic;      /* its election is TOPIC.leader */
    const char *node;       /* the name of this one, unique among them */
    const char *url;        /* where clients reach it */
    const char *properties; /* a file of librdkafka's properties, or NULL */
    bool follower;          /* it never leads */
    bool unsafe;            /* take a topic that may lose what was acknowledged */
    int session_ms;         /* how long a silent leader is believed in */
    int64_t retention_days; /* of RETENTION; 0: none. Told to the others, and no more */
    /* The table of access tokens is to be this (JSON lines, as dbk_replica_send_tokens). Called
     * from dbk-tail; bytes are borrowed. May be NULL. */
    void (*tokens)(void *context, struct dbk_slice table);
    void *tokens_context;
    /* How far the read tables are; may be NULL. */
    uint64_t (*projected)(void *context);
    void *projected_context;
    /* Told of what an operator should know: leading, following, a halt. One line, borrowed. */
    void (*report)(void *context, const char *line);
    void *report_context;
};

/* What brokers tell before a log is opened. */
struct dbk_replica_found {
    struct dbk_uuid store_id; /* of the log that the topic is of */
    uint64_t from;            /* its records up to this are not in the topic */
    bool sealed; /* that is, if `from` is 0: dbk_replica_ring makes its ring */
    bool gone;   /* brokers keep no records of it, and so tell nothing */
};

/* Ask the brokers, within timeout_ms, whether the topic may be followed.
 *
 * DBK_UNAVAILABLE  no broker answers
 * DBK_NOT_FOUND    no such topic, or nothing in it: daybook cluster init makes it
 * DBK_UNSUPPORTED  its settings may lose records (err names each), or it is another program's
 * DBK_INVALID      options or properties that librdkafka refuses
 */
enum dbk_code dbk_replica_check(const struct dbk_replica_options *options,
                                int timeout_ms, struct dbk_replica_found *found,
                                struct dbk_error *err);

/* Make the ring of keys of a member that begins with an empty log, in the directory `dir`, of what
 * the stream begins with: by the master key that options name, which is that of the node where
 * the stream was begun. A ring that is there is left alone.
 *
 * DBK_NOT_FOUND  the stream has no keys: the log is not sealed, or nodes begin with a backup; or
 *                there is no master key
 * and as dbk_replica_check and dbk_keys_make_of
 */
enum dbk_code dbk_replica_ring(const struct dbk_replica_options *options,
                               int timeout_ms, const char *dir,
                               const struct dbk_keys_options *keys,
                               struct dbk_error *err);

/* Make both topics, where they are not there, and begin the stream with this log, which gets
 * its place. replication: of the topics; 0: 3. No other process has the log open for writing.
 *
 * DBK_EXISTS   the topic has a stream already
 * and as dbk_replica_check
 */
enum dbk_code dbk_replica_init(struct dbk_log *log,
                               const struct dbk_replica_options *options,
                               unsigned replication, struct dbk_error *err);

/* Follow, and lead where elected. The log has a place or, if the stream begins with what it
 * has, gets one. Brokers that are away are waited for, in the background. What options point
 * to must outlive it.
 *
 * DBK_CONFLICT  the log is not of this stream; err says what to do
 * DBK_INVALID, DBK_NO_MEMORY, DBK_IO
 */
enum dbk_code dbk_replica_start(struct dbk_log *log,
                                const struct dbk_replica_options *options,
                                struct dbk_replica **replica, struct dbk_error *err);

/* Begin to leave: who waits for brokers, also in an append, waits no longer. Waits for nobody,
 * and is to be followed by dbk_replica_stop. NULL is fine. */
void dbk_replica_leave(struct dbk_replica *replica);

/* Leave: another may lead at once. Before dbk_log_close. NULL is fine. */
void dbk_replica_stop(struct dbk_replica *replica);

enum dbk_replica_state {
    DBK_REPLICA_STARTING, /* no broker has answered yet */
    DBK_REPLICA_FOLLOWS,
    DBK_REPLICA_OPENS, /* elected, and not yet leading */
    DBK_REPLICA_LEADS,
    DBK_REPLICA_HALTED, /* the stream is not this log's: see why */
};

struct dbk_replica_status {
    enum dbk_replica_state state;
    char why[512]; /* of a halt, or what brokers fail with; "" */
    struct dbk_place place;
    int64_t end;        /* of the stream, as it was seen last; -1: never */
    int64_t end_age_ms; /* since then */
    char leader[DBK_REPLICA_NAME_MAX + 1],
        leader_url[DBK_REPLICA_URL_MAX + 1];    /* or "" */
    uint64_t voids, openings, batches, reseeds; /* messages since it started */
    uint64_t ships, ship_us;                    /* commits shipped; time that took */
};
void dbk_replica_look(struct dbk_replica *replica, struct dbk_replica_status *out);

/* Wait until this log has all that any copy had acknowledged before the call. Those who wait
 * at once ask the brokers once. DBK_TIMEOUT, DBK_UNAVAILABLE (no broker tells; halted). */
enum dbk_code dbk_replica_fresh(struct dbk_replica *replica, int timeout_ms,
                                struct dbk_error *err);

/* Of the leader: make `node` lead, and wait until it does.
 *
 * DBK_NOT_LEADER  this one does not lead
 * DBK_NOT_FOUND   no such node was seen within a session, or it never leads
 * DBK_TIMEOUT     it did not open; this one leads on
 */
enum dbk_code dbk_replica_hand_over(struct dbk_replica *replica, const char *node,
                                    int timeout_ms, struct dbk_error *err);

/* Tell all copies of changes of the tokens: JSON lines, {"put":"a line of the file"} or
 * {"revoke":"name"}. DBK_UNAVAILABLE: to be tried again. */
enum dbk_code dbk_replica_send_tokens(struct dbk_replica *replica,
                                      struct dbk_slice changes, struct dbk_error *err);

/* One of the nodes, as it told of itself last; but its state is "deposed" where it told that it
 * leads, and another opened since. */
struct dbk_replica_member {
    char node[DBK_REPLICA_NAME_MAX + 1], url[DBK_REPLICA_URL_MAX + 1];
    char role[16], state[16], version[32];
    char master_key[DBK_KEYS_MASTER_TEXT + 1]; /* dbk_log_master_key */
    int64_t retention_days; /* as in its options; -1: of a version that does not tell */
    int64_t next;           /* its place */
    uint64_t head, projected;
    dbk_timestamp at; /* by its own clock */
};
struct dbk_replica_members {
    size_t count;
    struct dbk_replica_member *list; /* by name; owned */
    int64_t end;                     /* of the stream */
    char leader[DBK_REPLICA_NAME_MAX + 1],
        leader_url[DBK_REPLICA_URL_MAX + 1]; /* or "" */
    int64_t epoch;
};
/* Ask the brokers alone, within timeout_ms. DBK_UNAVAILABLE, DBK_NOT_FOUND, DBK_NO_MEMORY. */
enum dbk_code dbk_replica_members(const struct dbk_replica_options *options,
                                  int timeout_ms, struct dbk_replica_members *out,
                                  struct dbk_error *err);
void dbk_replica_members_finish(
    struct dbk_replica_members *members); /* zeroed is fine */

/* The brokers have lost what was acknowledged: send the log's records behind what they still
 * have again. To be done with the log that has the most; *sent receives how many.
 *
 * DBK_MOVED  nothing is lost
 * DBK_CONFLICT  the stream has a record that this log has otherwise; or `members` have more
 */
enum dbk_code dbk_replica_reseed(struct dbk_log *log,
                                 const struct dbk_replica_options *options,
                                 uint64_t *sent, struct dbk_error *err);

#endif
