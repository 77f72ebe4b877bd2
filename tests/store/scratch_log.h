/* scratch_log.h - a log in a directory of its own, and drafts to put into it. */
#ifndef SCRATCH_LOG_H
#define SCRATCH_LOG_H

#include "store/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct scratch {
    char dir[80];
    struct dbk_log *log;
    struct dbk_keys *keys; /* of a sealed log; else NULL */
    bool by_month;         /* its events are sealed with a month's key, too */
    struct dbk_error err;
};

static inline void scratch_open(struct scratch *s)
{
    /* A small map: sanitizers and 32 parallel tests share the address space. */
    struct dbk_log_options options = {
        .map_size = (size_t)1 << 30, .keys = s->keys, .by_month = s->by_month};

    if (dbk_log_open(s->dir, &options, &s->log, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
}

static inline int scratch_setup(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);

    strcpy(s->dir, "/tmp/daybook-store-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    scratch_open(s);
    *state = s;
    return 0;
}

static inline void scratch_remove(const char *dir)
{
    char path[128];

    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

static inline int scratch_teardown(void **state)
{
    struct scratch *s = *state;

    dbk_log_close(s->log);
    scratch_remove(s->dir);
    free(s);
    return 0;
}

static inline void scratch_reopen(struct scratch *s)
{
    dbk_log_close(s->log);
    scratch_open(s);
}

static inline struct dbk_record draft_person(const char *email)
{
    return (struct dbk_record){.type = DBK_PERSON_CREATED,
                               .subject = dbk_uuid_new(),
                               .person = {.has = DBK_HAS_ALL,
                                          .email = dbk_slice(email),
                                          .first_name = dbk_slice("Kate"),
                                          .last_name = dbk_slice("Pryde"),
                                          .role = DBK_ROLE_USER},
                               .source = dbk_slice("test")};
}

static inline struct dbk_record draft_event(const struct dbk_uuid *person)
{
    return (struct dbk_record){.type = DBK_EVENT_RECORDED,
                               .subject = dbk_uuid_new(),
                               .person_id = *person,
                               .event_type = dbk_slice("click"),
                               .source = dbk_slice("test")};
}

static inline struct dbk_record draft_of(enum dbk_type type, const struct dbk_uuid *id)
{
    return (struct dbk_record){
        .type = type, .subject = *id, .source = dbk_slice("test")};
}

static inline struct dbk_command *command_of(const struct dbk_record *draft)
{
    struct dbk_command *command = dbk_command_create();

    assert_int_equal(dbk_command_add(command, draft, NULL), DBK_OK);
    return command;
}

static inline struct dbk_verdict submit_command(struct scratch *s,
                                                struct dbk_command *command)
{
    assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err), DBK_OK);
    return *dbk_command_verdict(command);
}

static inline struct dbk_verdict submit(struct scratch *s,
                                        const struct dbk_record *draft)
{
    struct dbk_command *command = command_of(draft);
    struct dbk_verdict verdict = submit_command(s, command);

    dbk_command_destroy(command);
    return verdict;
}

/* A new event of the person, under an idempotency key of this byte. */
static inline enum dbk_code submit_keyed(struct scratch *s,
                                         const struct dbk_uuid *person, uint8_t key,
                                         bool *replayed)
{
    struct dbk_idempotency idempotency = {.keep_us = INT64_C(86400000000)};
    struct dbk_record event = draft_event(person);
    struct dbk_command *command = command_of(&event);
    enum dbk_code code;

    memset(idempotency.key, key, sizeof idempotency.key);
    code = dbk_log_submit(s->log, &command, 1, &idempotency, replayed, &s->err);
    dbk_command_destroy(command);
    return code;
}

static inline struct dbk_uuid add_person(struct scratch *s, const char *email)
{
    struct dbk_record draft = draft_person(email);

    assert_int_equal(submit(s, &draft).code, DBK_OK);
    return draft.subject;
}

static inline uint64_t head_of(struct scratch *s)
{
    uint64_t head;

    assert_int_equal(dbk_log_head(s->log, &head, &s->err), DBK_OK);
    return head;
}

#endif
