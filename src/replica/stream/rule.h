/* rule.h - what a message of the stream is to a log: the rule that all copies read by.
 *
 * A batch counts where its epoch is that of the latest opening before it. Then it comes next
 * behind the head, or is one that the log has; anything else means that the stream is not what
 * it was, and ends the reading: better no copy than another one. Pure: no Kafka, no LMDB, any
 * thread.
 */
#ifndef DBK_REPLICA_RULE_H
#define DBK_REPLICA_RULE_H

#include "message.h"
#include "store/replicated.h"

/* Where a log is. */
struct rule_log {
    struct dbk_place place;
    uint64_t head;
    uint32_t checksum; /* of the record at the head; 0: none */
};

enum rule_verdict {
    RULE_SKIP,      /* it is behind the log */
    RULE_PASS,      /* nothing to do but to go on behind it */
    RULE_VOID,      /* of a leader that was deposed before: nowhere appended */
    RULE_OPEN,      /* somebody leads from here */
    RULE_APPEND,    /* its records come next */
    RULE_OVERLAP,   /* the log has its first `known` records: to be compared, all others
                       appended */
    RULE_HAND_OVER, /* the leader lets the one named lead */
    RULE_TOKENS,
    RULE_HALT,
};

enum rule_halt {
    RULE_HOLE,         /* messages between are gone */
    RULE_EPOCH_AHEAD,  /* of an opening that was never read */
    RULE_GAP,          /* it does not begin behind the head */
    RULE_OTHER_BEFORE, /* it follows another record than the one at the head */
    RULE_OPENER_AHEAD, /* who opens has records that are not in the stream */
    RULE_OPENER_OTHER, /* who opens has another record */
    RULE_RESEED_AHEAD, /* what was put right begins behind records that the log lacks */
    RULE_GENESIS_OTHER, /* the log is not what the stream began with */
    RULE_DEPOSED_OTHER, /* a deposed leader's, whose log was no beginning of this one */
    RULE_RESEED_MISSED  /* it was put right, at an offset that was passed before */
};

struct rule_answer {
    enum rule_verdict verdict;
    enum rule_halt halt;    /* of RULE_HALT */
    uint32_t known;         /* of RULE_OVERLAP */
    struct dbk_place place; /* behind it, but for RULE_HALT */
};

/* The record whose checksum the rule must know to judge the message; 0: of none. */
uint64_t rule_asks(const struct rule_log *log, int64_t offset,
                   const struct message *message);

/* Judge the message at an offset; `asked` is the checksum of rule_asks. */
struct rule_answer rule_read(const struct rule_log *log, int64_t offset,
                             const struct message *message, uint32_t asked);

/* Whether a log that cannot read on may do so from an opening at `offset`, which puts the
 * stream right: it has all that stays, as it was. */
bool rule_rejoins(const struct rule_log *log, int64_t offset,
                  const struct message *opening, uint32_t asked);

/* What it means and what to do, as a failure: DBK_CONFLICT. */
enum dbk_code rule_explain(const struct rule_log *log, int64_t offset,
                           const struct message *message, enum rule_halt halt,
                           struct dbk_error *err);

#endif
