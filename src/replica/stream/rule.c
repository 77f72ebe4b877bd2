#include "rule.h"

#include <inttypes.h>

static struct rule_answer halt(enum rule_halt why)
{
    return (struct rule_answer){.verdict = RULE_HALT, .halt = why};
}

/* Openings name a record of the sender: this log has the same. */
static bool names_a_record(const struct message *message)
{
    return message->type == MESSAGE_OPENING || message->type == MESSAGE_GENESIS;
}

static bool is_deposed(const struct rule_log *log, const struct message *message)
{
    return message->type == MESSAGE_BATCH && message->epoch < log->place.epoch;
}

/* The record whose checksum it has. */
static uint64_t named(const struct message *message)
{
    return message->type == MESSAGE_BATCH ? message->first - 1 : message->first;
}

uint64_t rule_asks(const struct rule_log *log, int64_t offset,
                   const struct message *message)
{
    if (offset < log->place.next ||
        !(names_a_record(message) || is_deposed(log, message)) ||
        named(message) >= log->head)
        return 0; /* that of the head is known */
    return named(message);
}

static uint32_t checksum_of_named(const struct rule_log *log,
                                  const struct message *message, uint32_t asked)
{
    return named(message) == log->head ? log->checksum : asked;
}

/* Only the first message of all begins a stream: two began it at once where another is. */
static struct rule_answer genesis(const struct rule_log *log, int64_t offset,
                                  const struct message *message,
                                  struct rule_answer answer)
{
    if (offset > 0)
        answer.verdict = RULE_VOID;
    else if (message->first != log->head || message->before != log->checksum)
        return halt(RULE_GENESIS_OTHER);
    else
        answer.verdict = RULE_PASS;
    return answer;
}

static struct rule_answer opening(const struct rule_log *log, int64_t offset,
                                  const struct message *message, uint32_t asked,
                                  struct rule_answer answer)
{
    if (message->first > log->head)
        return halt(message->reseeds ? RULE_RESEED_AHEAD : RULE_OPENER_AHEAD);
    if (message->before != checksum_of_named(log, message, asked))
        return halt(RULE_OPENER_OTHER);
    answer.verdict = RULE_OPEN;
    answer.place.epoch = offset;
    if (message->reseeds)
        answer.place.reseed = offset;
    return answer;
}

static struct rule_answer batch(const struct rule_log *log,
                                const struct message *message,
                                struct rule_answer answer)
{
    if (message->first > log->head + 1)
        return halt(RULE_GAP);
    if (message->first <= log->head) {
        uint64_t known = log->head - message->first + 1;

        answer.verdict = RULE_OVERLAP;
        answer.known = known < message->count ? (uint32_t)known : message->count;
        return answer;
    }
    if (message->before != log->checksum)
        return halt(RULE_OTHER_BEFORE);
    answer.verdict = RULE_APPEND;
    return answer;
}

/* Who was deposed had read all that this log has up to there. It had not where the brokers lost
 * an end with openings in it, and it was written behind what was left: then the batch counts
 * for all others. One that knew less of what was put right may have had anything. */
static struct rule_answer deposed(const struct rule_log *log,
                                  const struct message *message, uint32_t asked,
                                  struct rule_answer answer)
{
    if (message->type == MESSAGE_BATCH && message->reseed == log->place.reseed &&
        (named(message) > log->head ||
         message->before != checksum_of_named(log, message, asked)))
        return halt(RULE_DEPOSED_OTHER);
    answer.verdict = RULE_VOID;
    return answer;
}

/* Batches and hand-overs are of an epoch. */
static struct rule_answer of_epoch(const struct rule_log *log,
                                   const struct message *message, uint32_t asked,
                                   struct rule_answer answer)
{
    if (message->epoch > log->place.epoch)
        return halt(RULE_EPOCH_AHEAD);
    if (message->reseed > log->place.reseed)
        return halt(RULE_RESEED_MISSED);
    if (message->epoch < log->place.epoch)
        return deposed(log, message, asked, answer);
    if (message->type == MESSAGE_BATCH)
        return batch(log, message, answer);
    answer.verdict = RULE_HAND_OVER;
    return answer;
}

struct rule_answer rule_read(const struct rule_log *log, int64_t offset,
                             const struct message *message, uint32_t asked)
{
    struct rule_answer answer = {.verdict = RULE_SKIP, .place = log->place};

    if (offset < log->place.next)
        return answer;
    if (offset > log->place.next)
        return halt(RULE_HOLE);
    answer.place.next = offset + 1;
    switch (message->type) {
    case MESSAGE_GENESIS:
        return genesis(log, offset, message, answer);
    case MESSAGE_OPENING:
        return opening(log, offset, message, asked, answer);
    case MESSAGE_BATCH:
    case MESSAGE_HAND_OVER:
        return of_epoch(log, message, asked, answer);
    case MESSAGE_TOKENS:
        answer.verdict = RULE_TOKENS;
        return answer;
    }
    return halt(RULE_HOLE); /* decoding lets no other type pass */
}

bool rule_rejoins(const struct rule_log *log, int64_t offset,
                  const struct message *message, uint32_t asked)
{
    return message->type == MESSAGE_OPENING && message->reseeds &&
           offset > log->place.reseed && message->first <= log->head &&
           message->before == checksum_of_named(log, message, asked);
}

static enum dbk_code explain_opener(const struct rule_log *log, int64_t offset,
                                    const struct message *message, bool ahead,
                                    struct dbk_error *err)
{
    if (ahead)
        return dbk_fail(err, DBK_CONFLICT,
                        "the opening at offset %" PRId64
                        " is of \"%.*s\", which has records up to %" PRIu64
                        "; the stream ends at %" PRIu64
                        ": the brokers have lost what was acknowledged. Run `daybook "
                        "cluster reseed` on "
                        "the node with the highest head",
                        offset, (int)message->node.length, message->node.data,
                        message->first, log->head);
    return dbk_fail(
        err, DBK_CONFLICT,
        "the opening at offset %" PRId64 " is of \"%.*s\", whose record %" PRIu64
        " is another than this log's: one of the two is no copy; restore it "
        "from a backup of another node, with --member",
        offset, (int)message->node.length, message->node.data, message->first);
}

enum dbk_code rule_explain(const struct rule_log *log, int64_t offset,
                           const struct message *message, enum rule_halt why,
                           struct dbk_error *err)
{
    switch (why) {
    case RULE_HOLE:
        return dbk_fail(err, DBK_CONFLICT,
                        "the stream goes on at offset %" PRId64 ", where %" PRId64
                        " was due: messages between are gone. Restore this node from a "
                        "backup of another, with --member",
                        offset, log->place.next);
    case RULE_EPOCH_AHEAD:
        return dbk_fail(
            err, DBK_CONFLICT,
            "the message at offset %" PRId64 " is of the opening at %" PRId64
            ", which was never here (the latest is %" PRId64
            "): the brokers have lost what was acknowledged, or the topic was "
            "made anew. Run `daybook cluster reseed` on the node with the "
            "highest head",
            offset, message->epoch, log->place.epoch);
    case RULE_GAP:
        return dbk_fail(err, DBK_CONFLICT,
                        "the batch at offset %" PRId64 " begins with record %" PRIu64
                        ", and this log ends at %" PRIu64
                        ": restore this node from a backup of another, with --member",
                        offset, message->first, log->head);
    case RULE_OTHER_BEFORE:
        return dbk_fail(
            err, DBK_CONFLICT,
            "the batch at offset %" PRId64 " follows another record %" PRIu64
            " than this log's: one of the two is no copy; restore it from a "
            "backup of another node, with --member",
            offset, log->head);
    case RULE_OPENER_AHEAD:
        return explain_opener(log, offset, message, true, err);
    case RULE_OPENER_OTHER:
        return explain_opener(log, offset, message, false, err);
    case RULE_RESEED_AHEAD:
        return dbk_fail(err, DBK_CONFLICT,
                        "the stream was put right at offset %" PRId64
                        " behind record %" PRIu64 ", and this log ends at %" PRIu64
                        ": restore this node from a backup of another, with --member",
                        offset, message->first, log->head);
    case RULE_GENESIS_OTHER:
        return dbk_fail(err, DBK_CONFLICT,
                        "the stream begins behind record %" PRIu64
                        ", and this log ends at %" PRIu64
                        " or has another there: restore this node from a backup of "
                        "another, with --member",
                        message->first, log->head);
    case RULE_DEPOSED_OTHER:
    case RULE_RESEED_MISSED:
        return dbk_fail(
            err, DBK_CONFLICT,
            "the message at offset %" PRId64 " is of the opening at %" PRId64
            ", and follows records that are not this log's: the brokers have lost "
            "what was acknowledged, and others wrote on from there. Run `daybook "
            "cluster reseed` on the node with the highest head",
            offset, message->epoch);
    }
    return dbk_fail(err, DBK_INTERNAL, "a reason without a sentence");
}
