/* identity_log.h - a log whose persons have aliases and external ids, and what is asked of it
 * afterwards: whose an event is, and whether its indexes are what its records imply. */
#ifndef DBK_TESTS_STORE_LOG_IDENTITY_LOG_H
#define DBK_TESTS_STORE_LOG_IDENTITY_LOG_H

#include "scratch_log.h"
#include "verified_log.h"

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static const struct dbk_uuid nobody;

static inline struct dbk_record
draft_alias(enum dbk_type type, const struct dbk_uuid *person, const char *anonymous_id)
{
    struct dbk_record draft = draft_of(type, person);

    draft.anonymous_id = dbk_slice(anonymous_id);
    return draft;
}

static inline struct dbk_verdict alias(struct scratch *s, const struct dbk_uuid *person,
                                       const char *anonymous_id)
{
    struct dbk_record draft = draft_alias(DBK_PERSON_ALIASED, person, anonymous_id);

    return submit(s, &draft);
}

static inline struct dbk_verdict
unalias(struct scratch *s, const struct dbk_uuid *person, const char *anonymous_id)
{
    struct dbk_record draft = draft_alias(DBK_PERSON_UNALIASED, person, anonymous_id);

    return submit(s, &draft);
}

static inline struct dbk_record draft_anonymous(const char *anonymous_id)
{
    struct dbk_record draft = draft_event(&nobody);

    draft.anonymous_id = dbk_slice(anonymous_id);
    return draft;
}

static inline struct dbk_uuid record_anonymous(struct scratch *s,
                                               const char *anonymous_id)
{
    struct dbk_record draft = draft_anonymous(anonymous_id);

    assert_int_equal(submit(s, &draft).code, DBK_OK);
    return draft.subject;
}

static inline struct dbk_record draft_known(const char *external_id)
{
    struct dbk_record draft = {.type = DBK_PERSON_CREATED,
                               .subject = dbk_uuid_new(),
                               .person = {.has = DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID,
                                          .role = DBK_ROLE_USER,
                                          .external_id = dbk_slice(external_id)},
                               .source = dbk_slice("test")};

    return draft;
}

static inline struct dbk_verdict delete_it(struct scratch *s, enum dbk_type type,
                                           const struct dbk_uuid *id)
{
    struct dbk_record gone = draft_of(type, id);

    return submit(s, &gone);
}

/* Whose the event is now, by both ways to ask. */
static inline void assert_owner(struct scratch *s, const struct dbk_uuid *event,
                                const struct dbk_uuid *owner)
{
    struct dbk_event_state state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_int_equal(dbk_log_event(s->log, event, &state, &s->err), DBK_OK);
    assert_memory_equal(&state.person_id, owner, sizeof *owner);
    assert_int_equal(dbk_log_read_event(s->log, event, &batch, &record, &s->err),
                     DBK_OK);
    assert_memory_equal(&record.person_id, owner, sizeof *owner);
    dbk_batch_finish(&batch);
}

static inline void assert_gone(struct scratch *s, const struct dbk_uuid *event)
{
    struct dbk_event_state state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_int_equal(dbk_log_event(s->log, event, &state, &s->err), DBK_NOT_FOUND);
    assert_int_equal(dbk_log_read_event(s->log, event, &batch, &record, &s->err),
                     DBK_NOT_FOUND);
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, event).code, DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
}

/* The record as it is in the log. */
static inline struct dbk_record record_at(struct scratch *s, uint64_t sequence,
                                          struct dbk_batch *batch)
{
    struct dbk_record record;

    assert_int_equal(dbk_log_record(s->log, sequence, batch, &record, &s->err), DBK_OK);
    return record;
}

/* What the log's records imply is what is in its indexes. */
static inline void assert_verifies(struct scratch *s)
{
    dbk_log_close(s->log);
    s->log = NULL;
    assert_verified_with(s->dir, s->keys);
    scratch_open(s);
}

#endif
