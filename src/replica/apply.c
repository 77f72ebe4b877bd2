#include "apply.h"

#include "leader.h"
#include "rule.h"
#include "store/render.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRANSACTION_BYTES = 16 << 20 };

struct item {
    int64_t offset;
    struct message message;
};

/* One transaction. */
struct pass {
    struct dbk_replica *replica;
    struct dbk_apply *apply;
    struct rule_log log;
    uint32_t asked;            /* the checksum that its first message asks for */
    struct dbk_render tokens;  /* the table as its first message leaves it */
    const struct item *opened; /* its last opening, hand-over; NULL: none */
    const struct item *handed;
    uint64_t voids, batches, openings, reseeds;
    size_t bytes;
    bool told;    /* ... and it did */
    bool refused; /* the rule did, and the transaction is as it was before */
};

static enum dbk_code decode(struct dbk_replica *replica,
                            const rd_kafka_message_t *message, struct item *item,
                            struct dbk_error *err)
{
    item->offset = message->offset;
    if (message_decode(message->payload, message->len, &item->message, err) != DBK_OK)
        return dbk_wrap(err, "the message at offset %" PRId64, item->offset);
    if (!message_is_of(&item->message, item->offset, &replica->store_id)) {
        char theirs[DBK_UUID_TEXT + 1], ours[DBK_UUID_TEXT + 1];

        dbk_uuid_format(&item->message.store_id, theirs);
        dbk_uuid_format(&replica->store_id, ours);
        return dbk_fail(
            err, DBK_CONFLICT,
            "the message at offset %" PRId64
            " is of the log %s, and this one is %s: the topic is another log's",
            item->offset, theirs, ours);
    }
    return DBK_OK;
}

/* All that were received are seen, before the turn is waited for: whoever has it may be
 * waiting to know (ship.c). */
static void publish_seen(struct dbk_replica *replica, const struct item *items,
                         size_t count)
{
    if (count == 0)
        return;
    pthread_mutex_lock(&replica->mutex);
    for (size_t i = 0; i < count; i++)
        if (items[i].message.type == MESSAGE_OPENING)
            replica->seen_opening = items[i].offset;
    replica->seen_next = items[count - 1].offset + 1;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

static enum dbk_code keep_leader(struct pass *pass, const struct message *message,
                                 struct dbk_error *err)
{
    char text[DBK_REPLICA_NAME_MAX + DBK_REPLICA_URL_MAX + 2];
    int length =
        snprintf(text, sizeof text, "%.*s\n%.*s", (int)message->node.length,
                 message->node.data, (int)message->url.length, message->url.data);

    return dbk_apply_keep(pass->apply, "leader",
                          (struct dbk_slice){text, (size_t)length}, err);
}

/* Before the records that use them. */
static enum dbk_code take_keys(struct pass *pass, const struct message *message,
                               struct dbk_error *err)
{
    return message->keys.length > 0 ? dbk_apply_keys(pass->apply, message->keys, err)
                                    : DBK_OK;
}

static enum dbk_code take(struct pass *pass, const struct item *item,
                          const struct rule_answer *answer, struct dbk_error *err)
{
    const struct message *m = &item->message;

    switch (answer->verdict) {
    case RULE_OPEN:
        pass->opened = item;
        pass->handed = NULL;
        pass->openings++;
        pass->reseeds += m->reseeds;
        return keep_leader(pass, m, err);
    case RULE_APPEND:
        pass->batches++;
        if (take_keys(pass, m, err) != DBK_OK)
            return err->code;
        return dbk_apply_batch(pass->apply, m->first, m->count, m->body,
                               &pass->log.head, &pass->log.checksum, err);
    case RULE_OVERLAP:
        pass->batches++;
        if (take_keys(pass, m, err) != DBK_OK)
            return err->code;
        return dbk_apply_overlap(pass->apply, m->first, m->count, m->body,
                                 &pass->log.head, &pass->log.checksum, err);
    case RULE_TOKENS:
        pass->told = true;
        return dbk_apply_keep(
            pass->apply, TOKENS_KEPT,
            (struct dbk_slice){pass->tokens.text, pass->tokens.length}, err);
    case RULE_HAND_OVER:
        pass->handed = item;
        return DBK_OK;
    case RULE_VOID:
        pass->voids++;
        return DBK_OK;
    case RULE_SKIP:
    case RULE_PASS:
    case RULE_HALT:
        return DBK_OK;
    }
    return DBK_OK;
}

static enum dbk_code take_one(struct pass *pass, const struct item *item,
                              struct dbk_error *err)
{
    struct rule_answer answer =
        rule_read(&pass->log, item->offset, &item->message, pass->asked);

    pass->refused = answer.verdict == RULE_HALT;
    if (answer.verdict == RULE_HALT && answer.halt == RULE_HOLE)
        return dbk_fail(err, DBK_MOVED,
                        "the stream goes on at offset %" PRId64 ", where %" PRId64
                        " was due",
                        item->offset, pass->log.place.next);
    if (answer.verdict == RULE_HALT)
        return rule_explain(&pass->log, item->offset, &item->message, answer.halt, err);
    if (take(pass, item, &answer, err) != DBK_OK)
        return dbk_wrap(err, "the message at offset %" PRId64, item->offset);
    pass->log.place = answer.place;
    pass->bytes += item->message.body.length + item->message.keys.length;
    return DBK_OK;
}

/* What is durable now is told. */
static void publish(const struct pass *pass)
{
    struct dbk_replica *replica = pass->replica;
    struct dbk_replica_status *status = &replica->status;

    pthread_mutex_lock(&replica->mutex);
    status->place = pass->log.place;
    status->voids += pass->voids;
    status->batches += pass->batches;
    status->openings += pass->openings;
    status->reseeds += pass->reseeds;
    replica->failing = false;
    if (pass->opened) {
        const struct message *m = &pass->opened->message;

        snprintf(status->leader, sizeof status->leader, "%.*s", (int)m->node.length,
                 m->node.data);
        snprintf(status->leader_url, sizeof status->leader_url, "%.*s",
                 (int)m->url.length, m->url.data);
    }
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
    if (pass->told)
        tokens_tell(replica);
    if (pass->opened)
        leader_opened(replica, pass->opened->offset);
    if (pass->handed)
        leader_handed(replica, pass->handed->message.body);
    leader_settle(replica);
}

/* Commit what the pass has, where it is whole; `code` is what its next message failed with. */
static enum dbk_code finish(struct pass *pass, enum dbk_code code, bool whole,
                            struct dbk_error *err)
{
    struct dbk_error why = {0};

    if (!whole) {
        dbk_apply_abort(pass->apply);
        return code;
    }
    if (dbk_apply_commit(pass->apply, &pass->log.place, &why) != DBK_OK) {
        if (err)
            *err = why;
        return why.code;
    }
    publish(pass);
    return code;
}

static enum dbk_code ask(struct pass *pass, uint64_t sequence, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    pass->asked = 0;
    if (sequence > 0)
        code = dbk_log_checksum(pass->replica->log, sequence, &pass->asked, err);
    if (code != DBK_NOT_FOUND)
        return code;
    *err = (struct dbk_error){0}; /* the rule tells what that means */
    return DBK_OK;
}

/* What the first message needs of what is committed: the record that an opening names, or that
 * a batch follows; the table that tokens change. */
static enum dbk_code prepare(struct pass *pass, const struct message *message,
                             struct dbk_error *err)
{
    struct dbk_log *log = pass->replica->log;

    if (message->type == MESSAGE_TOKENS)
        return tokens_fold(log, message->body, &pass->tokens, err);
    if (message->type == MESSAGE_OPENING || message->type == MESSAGE_GENESIS)
        return ask(pass, message->first, err);
    return message->type == MESSAGE_BATCH ? ask(pass, message->first - 1, err) : DBK_OK;
}

static bool ends_before(const struct pass *pass, const struct item *item)
{
    return item->message.type == MESSAGE_OPENING ||
           item->message.type == MESSAGE_TOKENS ||
           item->message.keys.length > 0 ||        /* which may have to be waited for */
           (item->message.type == MESSAGE_BATCH && /* a deposed leader's */
            item->message.epoch < pass->log.place.epoch) ||
           pass->bytes + item->message.body.length > TRANSACTION_BYTES;
}

/* One transaction of the first of them; *done receives how many. What must be prepared begins
 * one. */
static enum dbk_code apply_some(struct dbk_replica *replica, const struct item *items,
                                size_t count, size_t *done, struct dbk_error *err)
{
    struct pass pass = {.replica = replica};
    enum dbk_code code;

    *done = 0;
    code = prepare(&pass, &items[0].message, err);
    if (code == DBK_OK)
        code = dbk_log_apply_begin(replica->log, &pass.apply, &pass.log.place,
                                   &pass.log.head, &pass.log.checksum, err);
    if (code != DBK_OK) {
        dbk_render_finish(&pass.tokens);
        return code;
    }
    while (code == DBK_OK && *done < count &&
           (*done == 0 || !ends_before(&pass, &items[*done]))) {
        code = take_one(&pass, &items[*done], err);
        *done += code == DBK_OK;
    }
    code = finish(&pass, code, *done > 0 && (code == DBK_OK || pass.refused), err);
    dbk_render_finish(&pass.tokens);
    return code;
}

/* Whether another leads from one of them on. */
static bool deposes(const struct dbk_replica *replica, const struct item *items,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].message.type == MESSAGE_OPENING &&
            items[i].offset != replica->role.epoch)
            return true;
    return false;
}

static enum dbk_code apply_items(struct dbk_replica *replica, const struct item *items,
                                 size_t count, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    size_t done;

    if (count > 0 && deposes(replica, items, count))
        leader_deposed(replica);
    for (; count > 0 && code == DBK_OK; items += done, count -= done)
        code = apply_some(replica, items, count, &done, err);
    return code;
}

enum dbk_code apply_messages(struct dbk_replica *replica, rd_kafka_message_t **messages,
                             size_t count, struct dbk_error *err)
{
    int64_t from = atomic_load(&replica->shipped_next);
    struct item *items = calloc(count, sizeof *items);
    enum dbk_code code = DBK_OK, wrong = DBK_OK;
    struct dbk_error why = {0};
    size_t known = 0;

    if (!items)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for messages");
    for (size_t i = 0; i < count && wrong == DBK_OK; i++) {
        if (messages[i]->offset < from)
            continue;
        wrong = decode(replica, messages[i], &items[known], &why);
        known += wrong == DBK_OK;
    }
    publish_seen(replica, items, known);
    code = apply_items(replica, items, known, err);
    free(items);
    if (code == DBK_OK && wrong != DBK_OK) {
        *err = why;
        code = wrong;
    }
    return code;
}
