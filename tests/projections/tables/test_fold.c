/* What a run of records comes to, without PostgreSQL. */
#include "fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A fold under test, and the sequence and time of its next record. */
struct world {
    struct fold fold;
    uint64_t sequence;
};

static struct dbk_uuid id_of(uint8_t number)
{
    struct dbk_uuid id = {{0}};

    id.bytes[15] = number;
    return id;
}

static enum dbk_code add(struct world *world, struct dbk_record record)
{
    record.sequence = ++world->sequence;
    record.recorded_at = (dbk_timestamp)world->sequence * 1000;
    if (!record.has_datetime_created)
        record.datetime_created = record.recorded_at;
    return fold_add(&world->fold, &record, NULL);
}

static enum dbk_code create(struct world *world, uint8_t person, const char *email)
{
    return add(world, (struct dbk_record){.type = DBK_PERSON_CREATED,
                                          .subject = id_of(person),
                                          .person = {.has = DBK_HAS_ALL,
                                                     .email = dbk_slice(email),
                                                     .first_name = dbk_slice("A"),
                                                     .last_name = dbk_slice("B"),
                                                     .role = DBK_ROLE_USER}});
}

static enum dbk_code update(struct world *world, uint8_t person,
                            struct dbk_person_fields fields)
{
    return add(world, (struct dbk_record){.type = DBK_PERSON_UPDATED,
                                          .subject = id_of(person),
                                          .person = fields});
}

static enum dbk_code set_email(struct world *world, uint8_t person, const char *email)
{
    return update(
        world, person,
        (struct dbk_person_fields){.has = DBK_HAS_EMAIL, .email = dbk_slice(email)});
}

static enum dbk_code remove_person(struct world *world, uint8_t person)
{
    return add(world, (struct dbk_record){.type = DBK_PERSON_DELETED,
                                          .subject = id_of(person)});
}

static enum dbk_code record(struct world *world, uint8_t event, uint8_t person)
{
    return add(world, (struct dbk_record){.type = DBK_EVENT_RECORDED,
                                          .subject = id_of(event),
                                          .person_id = id_of(person),
                                          .event_type = dbk_slice("login")});
}

static enum dbk_code erase(struct world *world, uint8_t event, uint8_t person)
{
    return add(world, (struct dbk_record){.type = DBK_EVENT_DELETED,
                                          .subject = id_of(event),
                                          .person_id = id_of(person)});
}

static const struct fold_person *person_at(const struct world *world, size_t i)
{
    assert_true(i < world->fold.person_count);
    return &world->fold.persons[i];
}

static enum fold_fate fate_at(const struct world *world, size_t i)
{
    assert_true(i < world->fold.event_count);
    return fold_event_fate(&world->fold, &world->fold.events[i]);
}

/* When the anonymous id was this person's; 0: nobody's. */
static enum dbk_code anonymous(struct world *world, uint8_t event, uint8_t owner,
                               const char *anonymous_id)
{
    return add(world, (struct dbk_record){.type = DBK_EVENT_RECORDED,
                                          .subject = id_of(event),
                                          .person_id = id_of(owner),
                                          .anonymous_id = dbk_slice(anonymous_id),
                                          .event_type = dbk_slice("login")});
}

static enum dbk_code alias(struct world *world, uint8_t person,
                           const char *anonymous_id)
{
    return add(world, (struct dbk_record){.type = DBK_PERSON_ALIASED,
                                          .subject = id_of(person),
                                          .anonymous_id = dbk_slice(anonymous_id)});
}

static enum dbk_code unalias(struct world *world, uint8_t person,
                             const char *anonymous_id)
{
    return add(world, (struct dbk_record){.type = DBK_PERSON_UNALIASED,
                                          .subject = id_of(person),
                                          .anonymous_id = dbk_slice(anonymous_id)});
}

static void assert_owner(const struct world *world, size_t i, uint8_t owner)
{
    struct dbk_uuid expected = id_of(owner),
                    is = fold_event_owner(&world->fold, &world->fold.events[i]);

    assert_int_equal(fate_at(world, i), FOLD_INSERT);
    assert_true(dbk_uuid_equal(&is, &expected));
}

/* What becomes of the rows that were there before: of whose, and whose they are then. */
static void assert_rows(const struct world *world, size_t i, enum fold_fate fate,
                        uint8_t before, uint8_t owner)
{
    const struct fold_crowd *crowd = &world->fold.crowds.list[i];
    struct dbk_uuid was = id_of(before), is = id_of(owner);

    assert_true(i < world->fold.crowds.count);
    assert_int_equal(fold_rows_fate(&world->fold, crowd), fate);
    assert_true(dbk_uuid_equal(&crowd->before, &was));
    assert_true(dbk_uuid_equal(&crowd->owner, &is));
}

static void assert_text(struct dbk_slice slice, const char *text)
{
    assert_true(dbk_slice_equal(slice, dbk_slice(text)));
}

static void a_created_person_is_inserted_as_last_updated(void **state)
{
    struct world *world = *state;
    const struct fold_person *person;

    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(set_email(world, 1, "b@x"), DBK_OK);
    person = person_at(world, 0);
    assert_int_equal(person->fate, FOLD_INSERT);
    assert_int_equal(person->fields.has, DBK_HAS_ALL);
    assert_text(person->fields.email, "b@x");
    assert_text(person->fields.first_name, "A");
    assert_int_equal(person->created_sequence, 1);
    assert_int_equal(person->sequence, 2);
    assert_int_equal(person->datetime_created, 1000);
    assert_int_equal(person->datetime_modified, 2000);
}

static void a_created_person_was_modified_when_it_was_created(void **state)
{
    struct world *world = *state;

    assert_int_equal(add(world, (struct dbk_record){.type = DBK_PERSON_CREATED,
                                                    .subject = id_of(1),
                                                    .person = {.has = DBK_HAS_ALL},
                                                    .has_datetime_created = true,
                                                    .datetime_created = 7}),
                     DBK_OK);
    assert_int_equal(person_at(world, 0)->datetime_created, 7);
    assert_int_equal(person_at(world, 0)->datetime_modified, 7);
}

static void updates_of_different_fields_are_merged(void **state)
{
    struct world *world = *state;
    const struct fold_person *person;

    assert_int_equal(set_email(world, 1, "a@x"), DBK_OK);
    assert_int_equal(
        update(world, 1,
               (struct dbk_person_fields){.has = DBK_HAS_ROLE | DBK_HAS_FIRST_NAME,
                                          .role = DBK_ROLE_ADMIN,
                                          .first_name = dbk_slice("C")}),
        DBK_OK);
    assert_int_equal(set_email(world, 1, "b@x"), DBK_OK);
    assert_int_equal(world->fold.person_count, 1);
    person = person_at(world, 0);
    assert_int_equal(person->fate, FOLD_UPDATE);
    assert_int_equal(person->fields.has,
                     DBK_HAS_EMAIL | DBK_HAS_ROLE | DBK_HAS_FIRST_NAME);
    assert_text(person->fields.email, "b@x");
    assert_text(person->fields.first_name, "C");
    assert_int_equal(person->fields.role, DBK_ROLE_ADMIN);
    assert_int_equal(person->sequence, 3);
    assert_int_equal(person->datetime_modified, 3000);
}

static void an_email_handed_over_is_one_change_each(void **state)
{
    struct world *world = *state;

    assert_int_equal(set_email(world, 1, "free@x"), DBK_OK);
    assert_int_equal(create(world, 2, "taken@x"), DBK_OK);
    assert_int_equal(person_at(world, 0)->fate, FOLD_UPDATE);
    assert_text(person_at(world, 0)->fields.email, "free@x");
    assert_int_equal(person_at(world, 1)->fate, FOLD_INSERT);
    assert_text(person_at(world, 1)->fields.email, "taken@x");
}

static void who_came_and_went_leaves_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(record(world, 10, 1), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(person_at(world, 0)->fate, FOLD_NOTHING);
    assert_int_equal(fate_at(world, 0), FOLD_NOTHING);
}

static void an_updated_person_that_is_deleted_is_only_deleted(void **state)
{
    struct world *world = *state;

    assert_int_equal(set_email(world, 1, "b@x"), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(world->fold.person_count, 1);
    assert_int_equal(person_at(world, 0)->fate, FOLD_DELETE);
    assert_int_equal(person_at(world, 0)->sequence, 2);
}

static void a_deleted_person_takes_its_events_along(void **state)
{
    struct world *world = *state;

    assert_int_equal(record(world, 10, 1), DBK_OK);
    assert_int_equal(erase(world, 11, 1), DBK_OK);
    assert_int_equal(record(world, 12, 2), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(fate_at(world, 0), FOLD_NOTHING);
    assert_int_equal(fate_at(world, 1), FOLD_DELETE); /* before the person's are */
    assert_int_equal(fate_at(world, 2), FOLD_INSERT);
}

static void events_are_whose_their_anonymous_id_comes_to_be(void **state)
{
    struct world *world = *state;

    assert_int_equal(anonymous(world, 10, 0, "x"), DBK_OK);
    assert_int_equal(anonymous(world, 11, 0, "y"), DBK_OK);
    assert_int_equal(alias(world, 1, "x"), DBK_OK);
    assert_int_equal(anonymous(world, 12, 1, "x"), DBK_OK);
    assert_owner(world, 0, 1);
    assert_owner(world, 1, 0);
    assert_owner(world, 2, 1);
    assert_int_equal(world->fold.crowds.count, 2);
    assert_rows(world, 0, FOLD_UPDATE, 0, 1);
    assert_rows(world, 1, FOLD_NOTHING, 0, 0);
}

static void an_alias_that_is_taken_back_moves_them_back(void **state)
{
    struct world *world = *state;

    assert_int_equal(unalias(world, 1, "x"), DBK_OK);
    assert_int_equal(anonymous(world, 10, 0, "x"), DBK_OK);
    assert_int_equal(alias(world, 1, "y"), DBK_OK);
    assert_int_equal(unalias(world, 1, "y"), DBK_OK);
    assert_rows(world, 0, FOLD_UPDATE, 1, 0);
    assert_rows(world, 1, FOLD_NOTHING, 0, 0);
    assert_owner(world, 0, 0);
    assert_int_equal(alias(world, 2, "x"), DBK_OK);
    assert_rows(world, 0, FOLD_UPDATE, 1, 2);
    assert_owner(world, 0, 2);
}

static void who_came_and_went_takes_them_along(void **state)
{
    struct world *world = *state;

    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(anonymous(world, 10, 0, "x"), DBK_OK);
    assert_int_equal(alias(world, 1, "x"), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(anonymous(world, 11, 0, "x"), DBK_OK);
    assert_int_equal(alias(world, 2, "x"), DBK_OK);
    assert_int_equal(fate_at(world, 0), FOLD_NOTHING);
    assert_owner(world, 1, 2);
    assert_int_equal(world->fold.crowds.count, 2);
    assert_rows(world, 0, FOLD_DELETE, 0, 1);
    assert_false(
        world->fold.crowds.list[1].has_rows); /* the first has those there were */
}

static void rows_of_one_who_is_deleted_go_with_the_person_s_own(void **state)
{
    struct world *world = *state;

    assert_int_equal(anonymous(world, 10, 1, "x"), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(fate_at(world, 0), FOLD_NOTHING);
    assert_rows(world, 0, FOLD_NOTHING, 1, 1);
    assert_int_equal(alias(world, 1, "y"), DBK_CONFLICT);
    assert_int_equal(unalias(world, 1, "x"), DBK_CONFLICT);
}

/* The alias of the first is set aside with the person, and not seen here. */
static void only_those_of_whom_it_is_taken_from_move(void **state)
{
    struct world *world = *state;

    assert_int_equal(anonymous(world, 10, 0, "x"), DBK_OK);
    assert_int_equal(anonymous(world, 11, 1, "x"), DBK_OK);
    assert_int_equal(alias(world, 2, "x"), DBK_OK);
    assert_owner(world, 0, 2);
    assert_owner(world, 1, 1);
    assert_rows(world, 0, FOLD_UPDATE, 0, 2);
    assert_rows(world, 1, FOLD_NOTHING, 1, 1);
}

static void an_event_recorded_and_deleted_leaves_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(record(world, 10, 1), DBK_OK);
    assert_int_equal(erase(world, 10, 1), DBK_OK);
    assert_int_equal(erase(world, 11, 1), DBK_OK);
    assert_int_equal(fate_at(world, 0), FOLD_NOTHING);
    assert_int_equal(fate_at(world, 1), FOLD_DELETE);
}

static void which_row_goes_is_told_of_those_that_were_there_before(void **state)
{
    struct world *world = *state;
    struct dbk_uuid here = id_of(10), before = id_of(11), never = id_of(12);

    assert_int_equal(record(world, 10, 1), DBK_OK);
    assert_int_equal(erase(world, 10, 1), DBK_OK);
    assert_int_equal(erase(world, 11, 1), DBK_OK);
    fold_locate(&world->fold, &here, 1);
    fold_locate(&world->fold, &before, 7);
    fold_locate(&world->fold, &never, 8);
    assert_int_equal(world->fold.events[0].row, 0);
    assert_int_equal(world->fold.events[1].row, 7);
}

static void events_stay_in_the_order_of_the_log(void **state)
{
    struct world *world = *state;

    for (uint8_t i = 200; i > 0; i--)
        assert_int_equal(record(world, i, 1), DBK_OK);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(world->fold.events[i].sequence, i + 1);
}

static void what_contradicts_is_refused(void **state)
{
    struct world *world = *state;

    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(create(world, 1, "a@x"), DBK_CONFLICT);
    assert_int_equal(remove_person(world, 1), DBK_OK);
    assert_int_equal(remove_person(world, 1), DBK_CONFLICT);
    assert_int_equal(set_email(world, 1, "b@x"), DBK_CONFLICT);
    assert_int_equal(create(world, 1, "a@x"), DBK_CONFLICT);
    assert_int_equal(record(world, 10, 2), DBK_OK);
    assert_int_equal(record(world, 10, 2), DBK_CONFLICT);
    assert_int_equal(erase(world, 10, 2), DBK_OK);
    assert_int_equal(erase(world, 10, 2), DBK_CONFLICT);
}

static void a_cleared_fold_knows_nobody(void **state)
{
    struct world *world = *state;

    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(record(world, 10, 1), DBK_OK);
    fold_clear(&world->fold);
    assert_int_equal(create(world, 1, "a@x"), DBK_OK);
    assert_int_equal(record(world, 10, 1), DBK_OK);
    assert_int_equal(world->fold.person_count, 1);
    assert_int_equal(world->fold.event_count, 1);
}

static void the_index_finds_each_of_many(void **state)
{
    struct fold_index index;
    struct dbk_uuid id;
    size_t at;

    (void)state;
    fold_index_init(&index);
    for (size_t i = 0; i < 5000; i++) {
        id = id_of((uint8_t)i);
        id.bytes[0] = (uint8_t)(i >> 8);
        assert_false(fold_index_find(&index, &id, NULL));
        assert_true(fold_index_add(&index, &id, i));
    }
    for (size_t i = 0; i < 5000; i++) {
        id = id_of((uint8_t)i);
        id.bytes[0] = (uint8_t)(i >> 8);
        assert_true(fold_index_find(&index, &id, &at));
        assert_int_equal(at, i);
    }
    fold_index_finish(&index);
}

static int make_world(void **state)
{
    static struct world world;

    memset(&world, 0, sizeof world);
    fold_init(&world.fold);
    *state = &world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;

    fold_finish(&world->fold);
    return 0;
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(a_created_person_is_inserted_as_last_updated),
        IN_A_WORLD(a_created_person_was_modified_when_it_was_created),
        IN_A_WORLD(updates_of_different_fields_are_merged),
        IN_A_WORLD(an_email_handed_over_is_one_change_each),
        IN_A_WORLD(who_came_and_went_leaves_nothing),
        IN_A_WORLD(an_updated_person_that_is_deleted_is_only_deleted),
        IN_A_WORLD(a_deleted_person_takes_its_events_along),
        IN_A_WORLD(events_are_whose_their_anonymous_id_comes_to_be),
        IN_A_WORLD(an_alias_that_is_taken_back_moves_them_back),
        IN_A_WORLD(who_came_and_went_takes_them_along),
        IN_A_WORLD(rows_of_one_who_is_deleted_go_with_the_person_s_own),
        IN_A_WORLD(only_those_of_whom_it_is_taken_from_move),
        IN_A_WORLD(an_event_recorded_and_deleted_leaves_nothing),
        IN_A_WORLD(which_row_goes_is_told_of_those_that_were_there_before),
        IN_A_WORLD(events_stay_in_the_order_of_the_log),
        IN_A_WORLD(what_contradicts_is_refused),
        IN_A_WORLD(a_cleared_fold_knows_nobody),
        cmocka_unit_test(the_index_finds_each_of_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
