/* Tables are posted from one history of one log; where that does not hold they are not
 * read, and nothing goes on because a log has grown. */
#include "naive_fold.h"
#include "projections/migrate.h"
#include "put_back.h"

/* What the log's checksums are taken to be changed by, as if it had been put back under
 * whoever has it open. */
static _Atomic uint32_t changed_by;

enum dbk_code __real_dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                                      uint32_t *checksum, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                                      uint32_t *checksum, struct dbk_error *err);

enum dbk_code __wrap_dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                                      uint32_t *checksum, struct dbk_error *err)
{
    enum dbk_code code = __real_dbk_log_checksum(log, sequence, checksum, err);

    *checksum ^= changed_by;
    return code;
}

static void a_log_that_lost_its_end_is_not_posted_until_a_rebuild(void **state)
{
    struct world *world = *state;

    post_and_put_back(world);
    world_start(world);
    assert_refused(world, "they are at record 6, and the log ends at 3");
    add_persons(world, 100, 2);
    assert_refused(world, "the log ends at 5");
    add_persons(world, 102, 5); /* and does not go on because it has grown over 6 */
    assert_refused(world, "record 6 differs");
    assert_int_equal(scratch_number(world->pg, "select count(*) from person"), 6);
    assert_rebuild_mends(world);
}

static void
a_log_that_was_put_back_and_has_grown_since_is_noticed_at_start(void **state)
{
    struct world *world = *state;

    post_and_put_back(world);
    add_persons(world, 4, 3); /* the very same persons, at another time */
    world_start(world);
    assert_refused(world, "record 6 differs");
    assert_rebuild_mends(world);
}

static void a_log_put_back_to_where_the_tables_are_goes_on(void **state)
{
    struct world *world = *state;

    add_persons(world, 1, 3);
    post_all(world);
    save_log(world);
    add_persons(world, 4, 3);
    put_log_back(world);
    add_persons(world, 10, 3);
    post_all(world);
    assert_tables_equal_the_log(world);
}

static void a_log_put_back_under_a_running_projector_is_noticed(void **state)
{
    struct world *world = *state;

    add_persons(world, 1, 3);
    world_start(world);
    world_catch_up(world);
    changed_by = 1;
    wait_state(world->projector, false, "record 3 differs"); /* with nothing to post */
    changed_by = 0;
    world_catch_up(world);
    changed_by = 1;
    add_persons(world, 4, 1);
    wait_state(world->projector, false, "record 3 differs");
    changed_by = 0;
    world_catch_up(world);
    assert_tables_equal_the_log(world);
}

/* The tables as a version before made them, at this record. What it had posted does not
 * matter; one row of it tells whether they were emptied. */
static void make_former(struct world *world, size_t steps, const char *at)
{
    struct dbk_error err = {0};
    char sql[400];

    if (dbk_migrate_down(&world->database, steps, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    snprintf(
        sql, sizeof sql,
        "update checkpoint set %s; insert into person values (gen_random_uuid(), 999,"
        " 999, now(), now(), 'former@x.org', 'A', 'B', 'user')",
        at);
    scratch_script(world->pg, sql);
}

static uint64_t former_rows(const struct world *world)
{
    return scratch_number(world->pg,
                          "select count(*) from person where email = 'former@x.org'");
}

static void tables_of_a_version_before_are_posted_again(void **state)
{
    struct world *world = *state;

    for (size_t steps = 6; steps <= 7; steps++) {
        add_persons(world, (uint32_t)steps * 10, 3);
        post_all(world);
        make_former(world, steps, "sequence = 2");
        post_all(world);
        assert_tables_equal_the_log(world);
        assert_int_equal(scratch_number(world->pg, "select were_at from checkpoint"),
                         2);
    }
}

/* Those without statistics are not: what they hold is counted. */
static void tables_that_lack_statistics_only_are_kept(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};
    uint64_t which;

    add_persons(world, 1, 2);
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_anonymous(2, "x", ""));
    post_all(world);
    assert_int_equal(dbk_migrate_down(&world->database, 5, NULL, NULL, &err), DBK_OK);
    which = scratch_number(world->pg, "select relfilenode from pg_class where oid ="
                                      " 'event'::regclass");
    assert_int_equal(
        scratch_number(world->pg, "select count(to_regclass('event_hour'))"), 0);
    submit(world, draft_record(3, 2, ""));
    post_all(world);
    assert_tables_equal_the_log(world);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_hour"),
                     3);
    assert_int_equal(scratch_number(world->pg, "select relfilenode from pg_class"
                                               " where oid = 'event'::regclass"),
                     which);
}

/* As the version before kept them: with a row for who did what in a day. */
static void tables_of_migration_4_move_on_and_back(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};

    add_persons(world, 1, 2);
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_record(2, 1, ""));
    submit(world, draft_anonymous(3, "x", ""));
    post_all(world);
    assert_int_equal(dbk_migrate_down(&world->database, 4, NULL, NULL, &err), DBK_OK);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_day"), 2);
    scratch_script(world->pg, "begin; update event set person_id ="
                              " 'a0000000-0000-0000-0000-000000000001'"
                              " where person_id is null;"
                              "delete from event where sequence = 3");
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_day"), 2);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_hour"),
                     2);
    scratch_script(world->pg, "truncate event");
    assert_int_equal(scratch_number(world->pg, "select count(*) from event_day"), 0);
    scratch_script(world->pg, "rollback");
    submit(world, draft_record(4, 2, ""));
    post_all(world);
    assert_tables_equal_the_log(world);
}

/* Which have no days, and count the hours. */
static void tables_of_migration_5_move_on_and_back(void **state)
{
    struct world *world = *state;
    struct dbk_error err = {0};

    add_persons(world, 1, 2);
    submit(world, draft_record(1, 1, ""));
    submit(world, draft_record(2, 1, ""));
    submit(world, draft_anonymous(3, "x", ""));
    post_all(world);
    assert_int_equal(dbk_migrate_down(&world->database, 3, NULL, NULL, &err), DBK_OK);
    assert_int_equal(
        scratch_number(world->pg, "select count(to_regclass('event_day'))"), 0);
    scratch_script(world->pg, "begin; delete from event where sequence = 3;"
                              "truncate event");
    assert_int_equal(scratch_number(world->pg, "select count(*) from event_hour"), 0);
    scratch_script(world->pg, "rollback; delete from event where sequence = 4");
    assert_int_equal(dbk_migrate_up(&world->database, NULL, NULL, &err), DBK_OK);
    assert_statistics_equal_a_recount(world);
    assert_int_equal(scratch_number(world->pg, "select sum(events) from event_day"), 2);
}

/* Where PostgreSQL finds out how long properties are, and events are found by id. */
static void tables_of_migration_6_move_on_and_back(void **state)
{
    static const char *const wrong = "select count(*) from event"
                                     " where properties_bytes is distinct from "
                                     "coalesce(octet_length(properties::text), 0)";
    struct world *world = *state;
    struct dbk_error err = {0};

    add_persons(world, 1, 1);
    submit(world, draft_record(1, 1, "{\"a\": [1.0, 2]}"));
    submit(world, draft_record(2, 1, ""));
    post_all(world);
    assert_int_equal(dbk_migrate_down(&world->database, 2, NULL, NULL, &err), DBK_OK);
    scratch_script(world->pg, "insert into event (id, sequence, person_id, event_type,"
                              " datetime_created, received, properties)"
                              " select gen_random_uuid(), 99, person_id, event_type,"
                              " datetime_created, received, '[1,2]'"
                              " from event where sequence = 2");
    assert_int_equal(scratch_number(world->pg, wrong), 0);
    scratch_script(world->pg, "delete from event where sequence = 99");
    submit(world, draft_erase(2));
    submit(world, draft_record(3, 1, "{\"b\": []}"));
    post_all(world);
    assert_tables_equal_the_log(world);
    assert_int_equal(scratch_number(world->pg, wrong), 0);
}

static void those_of_another_history_are_not_emptied(void **state)
{
    struct world *world = *state;

    add_persons(world, 1, 3);
    post_all(world);
    make_former(world, 6, "sequence = 3, checksum = 1");
    world_start(world);
    assert_refused(world, "record 3 differs");
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set sequence = 6, checksum = null");
    world_start(world);
    assert_refused(world, "the log ends at 3");
    world_stop(world);
    scratch_script(world->pg, "update checkpoint set store_id = gen_random_uuid()");
    world_start(world);
    assert_refused(world, "belong to another log");
    assert_int_equal(former_rows(world), 1);
    assert_rebuild_mends(world);
}

/* Over 4 MB, which are posted in more than one batch. */
static void add_large_events(struct world *world)
{
    static char properties[60000];

    memset(properties, 'x', sizeof properties - 1);
    memcpy(properties, "{\"x\":\"", 6);
    memcpy(properties + sizeof properties - 3, "\"}", 2);
    for (uint32_t i = 0; i < 100; i++)
        submit(world, draft_record(i, 1, properties));
}

/* Nobody is answered from tables that lack what they had. */
static void until_they_are_where_they_were_they_are_not_read(void **state)
{
    struct world *world = *state;
    struct dbk_projector_status status;
    struct dbk_uuid store_id;
    uint64_t sequence;

    add_persons(world, 1, 1);
    add_large_events(world);
    post_all(world);
    make_former(world, 6, "sequence = 100");
    scratch_script(
        world->pg,
        "create function wait() returns trigger language plpgsql as $$ begin"
        " if new.sequence > 90 then perform pg_advisory_xact_lock(77); end if;"
        " return new; end $$; create trigger wait before insert on event"
        " for each row execute function wait(); select pg_advisory_lock(77)");
    world_start(world);
    wait_state(world->projector, false, "a new version has emptied the read tables");
    dbk_projector_status(world->projector, &status);
    assert_int_equal(status.refusal, DBK_REFUSAL_EMPTIED);
    assert_int_equal(dbk_projector_wait(world->projector, 1, 0, NULL), DBK_UNAVAILABLE);
    assert_int_equal(dbk_tables_log(&world->database, &store_id, &sequence, NULL),
                     DBK_OK);
    assert_int_equal(sequence, 100); /* else a log that is lost would not be missed */
    scratch_script(world->pg, "select pg_advisory_unlock(77)");
    world_catch_up(world);
    wait_state(world->projector, true, "following");
    assert_int_equal(scratch_number(world->pg, "select count(*) from event"), 100);
}

static void kept_tables_of_another_history_are_not_put_back(void **state)
{
    struct world *world = *state;
    struct watched watched = {0};
    const struct dbk_rebuild_options options = {true, watch_with(&watched)};
    struct dbk_watch watch = watch_with(&watched);
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    post_and_put_back(world);
    assert_int_equal(dbk_rebuild(world->log, &world->database, &options, &result, &err),
                     DBK_OK);
    assert_int_equal(
        dbk_rebuild_undo(world->log, &world->database, &watch, &result, &err),
        DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "another history"));
    add_persons(world, 100, 8);
    assert_int_equal(
        dbk_rebuild_undo(world->log, &world->database, &watch, &result, &err),
        DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "record 6 differs"));
    post_all(world);
    assert_tables_equal_the_log(world);
}

static void the_tables_say_so_without_a_projector(void **state)
{
    struct world *world = *state;
    struct dbk_tables_state checkpoint;
    struct dbk_uuid id, store_id = dbk_log_store_id(world->log);
    uint64_t sequence;
    struct dbk_error err = {0};

    assert_int_equal(dbk_tables_log(&world->database, &id, &sequence, &err),
                     DBK_NOT_FOUND);
    add_persons(world, 1, 3);
    save_log(world);
    add_persons(world, 4, 3);
    post_all(world);
    assert_int_equal(dbk_tables_read(&world->database, &checkpoint, &err), DBK_OK);
    assert_int_equal(dbk_tables_check(world->log, &checkpoint, &err), DBK_OK);
    assert_false(checkpoint.held);
    put_log_back(world);
    assert_int_equal(dbk_tables_check(world->log, &checkpoint, &err), DBK_UNSUPPORTED);
    assert_int_equal(dbk_tables_log(&world->database, &id, &sequence, &err), DBK_OK);
    assert_int_equal(sequence, 6);
    assert_true(dbk_uuid_equal(&id, &store_id));
    assert_int_equal(dbk_migrate_down(&world->database, 6, NULL, NULL, &err), DBK_OK);
    assert_int_equal(dbk_tables_log(&world->database, &id, &sequence, &err), DBK_OK);
    assert_int_equal(sequence, 0); /* emptied */
    assert_int_equal(dbk_tables_read(&world->database, &checkpoint, &err), DBK_INVALID);
    assert_non_null(strstr(err.text, "daybook migrate"));
}

static int make_world(void **state)
{
    changed_by = 0;
    *state = world_make("history_test");
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_log_that_lost_its_end_is_not_posted_until_a_rebuild),
        IN_A_WORLD(a_log_that_was_put_back_and_has_grown_since_is_noticed_at_start),
        IN_A_WORLD(a_log_put_back_to_where_the_tables_are_goes_on),
        IN_A_WORLD(a_log_put_back_under_a_running_projector_is_noticed),
        IN_A_WORLD(tables_of_a_version_before_are_posted_again),
        IN_A_WORLD(tables_that_lack_statistics_only_are_kept),
        IN_A_WORLD(tables_of_migration_4_move_on_and_back),
        IN_A_WORLD(tables_of_migration_5_move_on_and_back),
        IN_A_WORLD(tables_of_migration_6_move_on_and_back),
        IN_A_WORLD(those_of_another_history_are_not_emptied),
        IN_A_WORLD(until_they_are_where_they_were_they_are_not_read),
        IN_A_WORLD(kept_tables_of_another_history_are_not_put_back),
        IN_A_WORLD(the_tables_say_so_without_a_projector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
