/* Tables that are behind when persons are erased come to what the log says, wherever they were
 * when the keys went. */
#include "posting.h"
#include "projections/compare.h"
#include "projections/rebuild.h"
#include "random_commands.h"
#include "watched.h"

static void on_difference(void *context, const struct dbk_difference *one)
{
    struct world *world = context;
    struct dbk_batch batch = {0};
    struct dbk_record record;
    uint64_t head = world_head(world);

    for (uint64_t at = 1; at <= head; at++) {
        if (dbk_log_record(world->log, at, &batch, &record, NULL) == DBK_OK)
            print_message("%llu %s %02x%02x%02x of %02x%02x%02x %.*s%s\n",
                          (unsigned long long)at, dbk_type_name(record.type),
                          record.subject.bytes[0], record.subject.bytes[14],
                          record.subject.bytes[15], record.person_id.bytes[0],
                          record.person_id.bytes[14], record.person_id.bytes[15],
                          (int)record.anonymous_id.length, record.anonymous_id.data,
                          record.erased ? " (erased)" : "");
    }
    dbk_batch_finish(&batch);
    fail_msg("%s: %s %s %s", one->kind, one->table, one->id,
             one->how ? one->how : one->columns);
}

/* What a rebuild comes to. */
static void assert_as_rebuilt(struct world *world)
{
    const struct dbk_compare_options options = {
        .most = 20, .difference = on_difference, .context = world};
    struct dbk_compare_result result;
    struct dbk_error err = {0};

    if (dbk_compare(world->log, &world->database, &options, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(result.missing + result.extra + result.changed, 0);
    assert_int_equal(result.quarantined, 0);
    assert_int_equal(result.sequence, world_head(world));
}

/* What the log itself says of the event: "" where there is none, "nobody", or whose. */
static void whose_by_the_log(struct world *world, uint32_t event, char out[64])
{
    struct dbk_uuid id = event_id(event);
    struct dbk_batch batch = {0};
    struct dbk_record record;
    enum dbk_code code = dbk_log_read_event(world->log, &id, &batch, &record, NULL);

    strcpy(out, "");
    if (code == DBK_OK && dbk_uuid_is_nil(&record.person_id))
        strcpy(out, "nobody");
    else if (code == DBK_OK)
        dbk_uuid_format(&record.person_id, out);
    else
        assert_int_equal(code, DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
}

static void whose_by_the_tables(struct world *world, uint32_t event, char out[64])
{
    const struct pg_statement statement = {
        NULL, "select coalesce(person_id::text, 'nobody') from event where id = $1"};
    struct dbk_uuid id = event_id(event);
    const struct pg_param param = pg_uuid(&id);
    struct pg_result *result;
    struct dbk_error err = {0};

    if (pg_run(world->pg, &statement, &param, 1, 60000, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    snprintf(out, 64, "%s", pg_rows(result) ? pg_value(result, 0, 0).data : "");
    pg_clear(result);
}

static void assert_as_the_log(struct world *world, uint32_t first, uint32_t count)
{
    char by_log[64], by_tables[64];

    for (uint32_t event = first; event < first + count; event++) {
        whose_by_the_log(world, event, by_log);
        whose_by_the_tables(world, event, by_tables);
        assert_string_equal(by_tables, by_log);
    }
}

static void create_two(struct world *world)
{
    submit(world, draft_create(1, "a@x.org"));
    submit(world, draft_create(2, "b@x.org"));
    submit(world, draft_anonymous(1, "kate", ""));
}

static void what_was_no_persons_any_more_stays_when_the_person_is_erased(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    create_two(world);
    submit(world, draft_alias(1, "kate"));
    posting_step(&poster, UINT64_MAX);
    submit(world, draft_anonymous(2, "kate", ""));
    submit(world, draft_unalias(1, "kate"));
    submit(world, draft_forget(1));
    posting_step(&poster, UINT64_MAX);
    assert_as_the_log(world, 1, 2);
    assert_as_rebuilt(world);
    poster_finish(&poster);
}

static void what_was_anothers_by_then_is_the_others(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    create_two(world);
    posting_step(&poster, UINT64_MAX);
    submit(world, draft_alias(1, "kate"));
    submit(world, draft_anonymous(2, "kate", ""));
    submit(world, draft_unalias(1, "kate"));
    submit(world, draft_alias(2, "kate"));
    submit(world, draft_anonymous(3, "kate", ""));
    submit(world, draft_forget(1));
    for (uint64_t at = poster.projected + 1; at <= world_head(world); at++)
        posting_step(&poster, at);
    assert_as_the_log(world, 1, 3);
    assert_as_rebuilt(world);
    poster_finish(&poster);
}

/* The other has it before the tables hear that the first is gone. */
static void an_email_is_free_before_the_erasure_is_posted(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    submit(world, draft_create(1, "a@x.org"));
    posting_step(&poster, UINT64_MAX);
    submit(world, draft_email(1, "b@x.org"));
    submit(world, draft_create(2, "a@x.org"));
    submit(world, draft_forget(1));
    for (uint64_t at = poster.projected + 1; at <= world_head(world); at++)
        posting_step(&poster, at);
    assert_int_equal(poster.quarantined, 0);
    assert_as_rebuilt(world);
    poster_finish(&poster);
}

struct meanwhile {
    struct world *world;
    struct watched *watched;
};

/* When a batch has been read, and has the alias. */
static void erase_the_first(void *context)
{
    const struct meanwhile *meanwhile = context;

    if (meanwhile->watched->calls == 2)
        submit(meanwhile->world, draft_forget(1));
}

static void submit_many(struct world *world, uint32_t first, uint32_t count)
{
    struct dbk_command *commands[64];

    for (uint32_t i = 0; i < count; i += 64) {
        for (uint32_t k = 0; k < 64; k++)
            commands[k] = draft_record(first + i + k, 2, "");
        submit_all(world, commands, 64);
    }
}

static void who_is_erased_while_the_log_is_read_leaves_nothing_half_known(void **state)
{
    struct world *world = *state;
    struct watched watched = {.meanwhile = erase_the_first};
    struct meanwhile meanwhile = {world, &watched};
    const struct dbk_rebuild_options options = {.watch = watch_with(&watched)};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    watched.context = &meanwhile;
    create_two(world);
    submit(world, draft_alias(1, "kate"));
    submit_many(world, 100, 4224);
    submit(world, draft_unalias(1, "kate"));
    submit(world, draft_alias(2, "kate"));
    if (dbk_rebuild(world->log, &world->database, &options, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_false(result.slow);
    assert_string_equal(watched.lines, "");
    assert_as_the_log(world, 1, 1);
    assert_as_rebuilt(world);
}

enum { PERSONS = 5, ALIASES = 3, EVENTS = 12, ROUNDS = 60, STEPS = 30 };

/* Of the round's own persons, anonymous ids and events. */
static struct dbk_command *draw_of(uint32_t *seed, uint32_t round)
{
    uint32_t person = round * PERSONS + draw(seed, PERSONS),
             event = round * EVENTS + draw(seed, EVENTS);
    char anonymous_id[32], email[32];

    snprintf(anonymous_id, sizeof anonymous_id, "a%u-%u", round, draw(seed, ALIASES));
    snprintf(email, sizeof email, "e%u-%u@x.org", round, draw(seed, 3));
    switch (draw(seed, 14)) {
    case 0:
    case 1:
        return draft_alias(person, anonymous_id);
    case 2:
    case 3:
        return draft_unalias(person, anonymous_id);
    case 4:
    case 5:
        return draft_forget(person);
    case 6:
        return draft_delete(person);
    case 7:
        return draft_erase(event);
    case 8:
        return draft_record(event, person, "");
    case 9:
        return draft_email(person, email);
    case 10:
        return draft(&(struct dbk_record){
            .type = draw(seed, 2) ? DBK_PERSON_RESTRICTED : DBK_PERSON_UNRESTRICTED,
            .subject = person_id(person)});
    default:
        return draft_anonymous(event, anonymous_id, "");
    }
}

static void begin_round(struct world *world, uint32_t round)
{
    char email[32];

    for (uint32_t i = 0; i < PERSONS; i++) {
        snprintf(email, sizeof email, "p%u@x.org", round * PERSONS + i);
        submit(world, draft_create(round * PERSONS + i, email));
    }
}

/* The tables stand still at first, and then come after in batches of any size, while more is
 * done. */
static void play_round(struct world *world, struct poster *poster, uint32_t round)
{
    uint32_t seed = round, away = draw(&seed, STEPS);
    struct dbk_command *command;

    begin_round(world, round);
    for (uint32_t i = 0; i < STEPS; i++) {
        command = draw_of(&seed, round);
        submit_all(world, &command, 1);
        if (i < away ? draw(&seed, 2) : draw(&seed, 12) == 0)
            posting_step(poster, poster->projected + 1 + draw(&seed, 8));
    }
    while (poster->projected < world_head(world))
        posting_step(poster, poster->projected + 1 + draw(&seed, 16));
}

static void in_any_order_they_come_to_what_the_log_says(void **state)
{
    struct world *world = *state;
    struct poster poster;

    posting_open(&poster, world, NULL);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        play_round(world, &poster, round);
        assert_int_equal(poster.quarantined, 0);
        assert_as_the_log(world, round * EVENTS, EVENTS);
        if (round % 20 == 0)
            assert_as_rebuilt(world);
    }
    poster_finish(&poster);
}

static int make_world(void **state)
{
    *state = world_make_sealed("erased_behind_test");
    return 0;
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, make_world, world_teardown)
    const struct CMUnitTest tests[] = {
        ONE(what_was_no_persons_any_more_stays_when_the_person_is_erased),
        ONE(what_was_anothers_by_then_is_the_others),
        ONE(an_email_is_free_before_the_erasure_is_posted),
        ONE(who_is_erased_while_the_log_is_read_leaves_nothing_half_known),
        ONE(in_any_order_they_come_to_what_the_log_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
