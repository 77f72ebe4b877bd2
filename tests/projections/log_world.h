/* log_world.h - a log of its own, a schema of its own, and a projector between them. */
#ifndef TEST_LOG_WORLD_H
#define TEST_LOG_WORLD_H

#include "projections/projector.h"
#include "scratch.h"
#include "store/keys.h"
#include "store/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PATIENCE_MS = 60000 };

struct world {
    char dir[64];
    struct dbk_keys *keys; /* of a sealed log; else NULL */
    bool by_month;         /* its events can be forgotten by age */
    struct dbk_log *log;
    struct dbk_database database;
    struct pg *pg; /* the test's own connection */
    struct dbk_projector *projector;
    struct dbk_projector *second; /* another one on the same tables */
};

static inline void pause_10ms(void)
{
    const struct timespec pause = {.tv_nsec = 10000000L};

    nanosleep(&pause, NULL);
}

static inline void world_open_log(struct world *world)
{
    const struct dbk_log_options options = {.keys = world->keys,
                                            .by_month = world->by_month};
    struct dbk_error err = {0};

    if (dbk_log_open(world->dir, &options, &world->log, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static inline void world_make_keys(struct world *world)
{
    struct dbk_error err = {0};
    char dir[80];

    snprintf(dir, sizeof dir, "%s.keys", world->dir);
    if (dbk_keys_make(dir, NULL, &err) != DBK_OK ||
        dbk_keys_open(dir, NULL, &world->keys, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static inline struct world *world_make_so(const char *schema, bool sealed)
{
    struct world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    strcpy(world->dir, "/tmp/dbk-projector-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    if (sealed)
        world_make_keys(world);
    world->database = scratch_database(schema);
    scratch_drop(&world->database);
    world->pg = scratch_open(&world->database);
    world_open_log(world);
    return world;
}

static inline struct world *world_make(const char *schema)
{
    return world_make_so(schema, false);
}

/* With a ring of keys, so that persons can be erased. */
static inline struct world *world_make_sealed(const char *schema)
{
    return world_make_so(schema, true);
}

static inline void remove_dir(const char *dir)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf %s %s.keys", dir, dir);
    assert_int_equal(system(command), 0);
}

static inline struct dbk_projector *
start_projector_with(const struct world *world,
                     const struct dbk_projector_options *options)
{
    struct dbk_projector *projector;
    struct dbk_error err = {0};

    if (dbk_projector_start(world->log, &world->database, options, &projector, &err) !=
        DBK_OK)
        fail_msg("%s", err.text);
    return projector;
}

static inline struct dbk_projector *start_projector(const struct world *world)
{
    return start_projector_with(world, NULL);
}

static inline void world_start(struct world *world)
{
    world->projector = start_projector(world);
}

static inline void world_stop(struct world *world)
{
    dbk_projector_stop(world->projector);
    world->projector = NULL;
}

static inline void world_end(struct world *world)
{
    world_stop(world);
    dbk_projector_stop(world->second);
    dbk_log_close(world->log);
    dbk_keys_close(world->keys);
    pg_close(world->pg);
    scratch_drop(&world->database);
    remove_dir(world->dir); /* and the keys beside it */
    free(world);
}

/* The same, as cmocka wants it. */
static inline int world_teardown(void **state)
{
    world_end(*state);
    return 0;
}

static inline uint64_t world_head(const struct world *world)
{
    uint64_t head;

    assert_int_equal(dbk_log_head(world->log, &head, NULL), DBK_OK);
    return head;
}

/* Wait, also through times where it does not run, until all of the log is posted. */
static inline void wait_posted(struct dbk_projector *projector, uint64_t head)
{
    struct dbk_error err = {0};

    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        enum dbk_code code = dbk_projector_wait(projector, head, 1000, &err);

        if (code == DBK_OK)
            return;
        waited += code == DBK_TIMEOUT ? 1000 : 0;
        pause_10ms();
    }
    fail_msg("not posted: %s", err.text);
}

static inline void world_catch_up(const struct world *world)
{
    wait_posted(world->projector, world_head(world));
}

/* Wait until the state of projection holds the text. */
static inline void wait_state(struct dbk_projector *projector, bool running,
                              const char *text)
{
    struct dbk_projector_status status = {0};

    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        dbk_projector_status(projector, &status);
        if (status.running == running && strstr(status.state, text))
            return;
        pause_10ms();
    }
    fail_msg("state is: %s", status.state);
}

static inline void wait_quarantined(struct dbk_projector *projector, uint64_t count)
{
    struct dbk_projector_status status = {0};

    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        dbk_projector_status(projector, &status);
        if (status.quarantined == count)
            return;
        pause_10ms();
    }
    fail_msg("%llu are in quarantine", (unsigned long long)status.quarantined);
}

static inline struct dbk_uuid numbered_id(uint8_t kind, uint32_t number)
{
    struct dbk_uuid id = {{kind}};

    for (int i = 0; i < 4; i++)
        id.bytes[15 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

static inline struct dbk_uuid person_id(uint32_t number)
{
    return numbered_id(0xa0, number);
}

static inline struct dbk_uuid event_id(uint32_t number)
{
    return numbered_id(0xe0, number);
}

static inline struct dbk_command *draft(const struct dbk_record *record)
{
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err = {0};

    assert_non_null(command);
    if (dbk_command_add(command, record, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return command;
}

static inline struct dbk_command *draft_create(uint32_t person, const char *email)
{
    return draft(&(struct dbk_record){.type = DBK_PERSON_CREATED,
                                      .subject = person_id(person),
                                      .person = {.has = DBK_HAS_ALL,
                                                 .email = dbk_slice(email),
                                                 .first_name = dbk_slice("J\xc3\xb6rg"),
                                                 .last_name = dbk_slice("O'Neil"),
                                                 .role = DBK_ROLE_USER}});
}

static inline struct dbk_command *draft_update(uint32_t person,
                                               struct dbk_person_fields fields)
{
    return draft(&(struct dbk_record){
        .type = DBK_PERSON_UPDATED, .subject = person_id(person), .person = fields});
}

static inline struct dbk_command *draft_email(uint32_t person, const char *email)
{
    return draft_update(person, (struct dbk_person_fields){.has = DBK_HAS_EMAIL,
                                                           .email = dbk_slice(email)});
}

static inline struct dbk_command *draft_delete(uint32_t person)
{
    return draft(
        &(struct dbk_record){.type = DBK_PERSON_DELETED, .subject = person_id(person)});
}

static inline struct dbk_command *draft_forget(uint32_t person)
{
    return draft(
        &(struct dbk_record){.type = DBK_PERSON_ERASED, .subject = person_id(person)});
}

static inline struct dbk_command *draft_record(uint32_t event, uint32_t person,
                                               const char *properties)
{
    return draft(&(struct dbk_record){.type = DBK_EVENT_RECORDED,
                                      .subject = event_id(event),
                                      .person_id = person_id(person),
                                      .event_type = dbk_slice("page_view"),
                                      .properties = dbk_slice(properties)});
}

/* Nobody's, or whose the anonymous id is. */
static inline struct dbk_command *
draft_anonymous(uint32_t event, const char *anonymous_id, const char *properties)
{
    return draft(&(struct dbk_record){.type = DBK_EVENT_RECORDED,
                                      .subject = event_id(event),
                                      .anonymous_id = dbk_slice(anonymous_id),
                                      .event_type = dbk_slice("page_view"),
                                      .properties = dbk_slice(properties)});
}

static inline struct dbk_command *draft_alias(uint32_t person, const char *anonymous_id)
{
    return draft(&(struct dbk_record){.type = DBK_PERSON_ALIASED,
                                      .subject = person_id(person),
                                      .anonymous_id = dbk_slice(anonymous_id)});
}

static inline struct dbk_command *draft_unalias(uint32_t person,
                                                const char *anonymous_id)
{
    return draft(&(struct dbk_record){.type = DBK_PERSON_UNALIASED,
                                      .subject = person_id(person),
                                      .anonymous_id = dbk_slice(anonymous_id)});
}

static inline struct dbk_command *draft_erase(uint32_t event)
{
    return draft(
        &(struct dbk_record){.type = DBK_EVENT_DELETED, .subject = event_id(event)});
}

/* Submit and destroy them, in one transaction of the log. */
static inline void submit_all(struct world *world, struct dbk_command **commands,
                              size_t count)
{
    struct dbk_error err = {0};

    if (dbk_log_submit(world->log, commands, count, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        dbk_command_destroy(commands[i]);
}

/* Submit and destroy one that must be accepted; its sequence. */
static inline uint64_t submit(struct world *world, struct dbk_command *command)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    struct dbk_error err = {0};
    uint64_t sequence;

    if (dbk_log_submit(world->log, &command, 1, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    if (verdict->code != DBK_OK)
        fail_msg("%s", verdict->error.text);
    sequence = verdict->sequence;
    dbk_command_destroy(command);
    return sequence;
}

#endif
