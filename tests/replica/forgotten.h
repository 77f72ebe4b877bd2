/* forgotten.h - events of nodes that are forgotten by age, and what is left of them. */
#ifndef FORGOTTEN_H
#define FORGOTTEN_H

#include "nodes.h"
#include "store/scratch_log.h"

#include <stdatomic.h>

/* What all system clocks say. */
static _Atomic dbk_timestamp now;

static inline dbk_timestamp at(const char *text)
{
    dbk_timestamp time;

    assert_true(dbk_timestamp_parse(text, strlen(text), &time));
    return time;
}

static inline enum dbk_code
write_event_at(struct node *node, const struct dbk_uuid *person, uint64_t *sequence)
{
    struct dbk_record event = draft_event(person);
    struct dbk_command *command = command_of(&event);
    enum dbk_code code =
        dbk_log_submit(node->log, &command, 1, NULL, NULL, &node->cluster->err);

    if (code == DBK_OK)
        code = dbk_command_verdict(command)->code;
    *sequence = dbk_command_verdict(command)->sequence;
    dbk_command_destroy(command);
    return code;
}

/* By whoever leads: its sequence. */
static inline uint64_t write_event(struct cluster *cluster,
                                   const struct dbk_uuid *person)
{
    dbk_deadline deadline = dbk_deadline_in(WAIT_MS);
    uint64_t sequence;

    while (write_event_at(await_leader(cluster), person, &sequence) != DBK_OK)
        if (dbk_deadline_left(deadline) == 0)
            fail_msg("%s", cluster->err.text);
    return sequence;
}

static inline struct dbk_uuid write_person(struct cluster *cluster)
{
    char email[32];
    struct dbk_uuid id;

    cluster_write(cluster, 1);
    snprintf(email, sizeof email, "p%u@x.mock", cluster->mails - 1);
    assert_int_equal(dbk_log_whose(await_leader(cluster)->log, DBK_IDENTITY_EMAIL,
                                   dbk_slice(email), &id, &cluster->err),
                     DBK_OK);
    return id;
}

/* By this one: where it has lost its turn meanwhile, as on a busy machine, it gets it again. */
static inline enum dbk_code expire(struct node *node, const char *before,
                                   struct dbk_log_expiry *out)
{
    enum dbk_code code = DBK_NOT_LEADER;

    for (int tries = 0; code == DBK_NOT_LEADER && tries < 10; tries++) {
        if (tries > 0)
            elect(node);
        code = dbk_log_expire(node->log, at(before), "retention", out,
                              &node->cluster->err);
    }
    return code;
}

static inline uint64_t expire_january(struct node *node)
{
    struct dbk_log_expiry done;

    if (expire(node, "2026-02-01T00:00:00", &done) != DBK_OK)
        fail_msg("%s: %s", node->name, node->cluster->err.text);
    assert_true(done.sequence > 0);
    return done.sequence;
}

/* A record as this node shows it; whose slices are not to be looked at. */
static inline struct dbk_record shown(struct node *node, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;

    if (dbk_log_record(node->log, sequence, &batch, &record, &node->cluster->err) !=
        DBK_OK)
        fail_msg("%s: %s", node->name, node->cluster->err.text);
    dbk_batch_finish(&batch);
    return record;
}

/* The key of the month of that event is not in this node's ring. */
static inline bool has_no_key(struct node *node, uint64_t event)
{
    uint8_t key[DBK_KEY_BYTES];
    uint64_t month = shown(node, event).month;

    assert_true(month > 0);
    return dbk_keys_get(node->keys, month, key, NULL) == DBK_NOT_FOUND;
}

static inline void assert_forgotten(struct node *node, uint64_t event)
{
    struct dbk_record record = shown(node, event);

    assert_true(record.expired && record.erased && !record.opened);
    assert_true(has_no_key(node, event));
}

static inline void assert_readable(struct node *node, uint64_t event)
{
    struct dbk_record record = shown(node, event);

    assert_true(record.opened && !record.erased && !record.expired);
}

struct awaited {
    struct node *node;
    uint64_t event;
};

static inline bool is_forgotten(void *context)
{
    struct awaited *awaited = context;

    return has_no_key(awaited->node, awaited->event);
}

/* It comes to the record, and then destroys the key. */
static inline void await_forgotten(struct node *node, uint64_t record, uint64_t event)
{
    struct awaited awaited = {node, event};

    await_head(node, record);
    if (!eventually(is_forgotten, &awaited))
        fail_msg("%s keeps the key:\n%s", node->name, node->lines);
    assert_forgotten(node, event);
}

/* Two persons, an event of January, and one of February, which is now. */
struct told {
    struct dbk_uuid kate;
    uint64_t old, young;
};

static inline struct told tell(struct cluster *cluster)
{
    struct told told = {.kate = write_person(cluster)};

    told.old = write_event(cluster, &told.kate);
    await_equal(cluster);
    atomic_store(&now, at("2026-02-20T00:00:00"));
    told.young = write_event(cluster, &told.kate);
    return told;
}

#endif
