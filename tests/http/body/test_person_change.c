#include "check.h"

#include "person_change.h"

static const struct dbk_person_state kate = {.email = "kate@marauders.mock",
                                             .first_name = "Kate",
                                             .last_name = "Pryde",
                                             .role = DBK_ROLE_ADMIN};

static struct dbk_person_fields all(const char *email, const char *first_name)
{
    return (struct dbk_person_fields){.has = DBK_HAS_ALL,
                                      .email = dbk_slice(email),
                                      .first_name = dbk_slice(first_name),
                                      .last_name = dbk_slice("Pryde"),
                                      .role = DBK_ROLE_ADMIN};
}

static void what_stays_is_not_said(void **state)
{
    struct dbk_person_fields fields = all("kate@marauders.mock", "Kitty");

    (void)state;
    assert_true(person_change(&fields, &kate, false));
    assert_int_equal(fields.has, DBK_HAS_FIRST_NAME);
}

static void another_case_of_letters_is_a_change(void **state)
{
    struct dbk_person_fields fields = all("Kate@marauders.mock", "Kate");

    (void)state;
    assert_true(person_change(&fields, &kate, false));
    assert_int_equal(fields.has, DBK_HAS_EMAIL);
}

static void where_nothing_changes_all_is_left_to_the_writer(void **state)
{
    struct dbk_person_fields fields = all("kate@marauders.mock", "Kate");

    (void)state;
    assert_false(person_change(&fields, &kate, false));
    assert_int_equal(fields.has, DBK_HAS_ALL);
}

static void a_field_that_did_not_come_is_not_added(void **state)
{
    struct dbk_person_fields fields = {.has = DBK_HAS_ROLE, .role = DBK_ROLE_USER};

    (void)state;
    assert_false(person_change(&fields, &kate, false));
    assert_int_equal(fields.has, DBK_HAS_ROLE);
}

static void what_is_taken_away_is_a_change_only_where_it_is(void **state)
{
    struct dbk_person_state known = {
        .role = DBK_ROLE_USER, .external_id = "u1", .first_name = "Kate"};
    struct dbk_person_fields fields = {.has = DBK_HAS_EMAIL | DBK_HAS_FIRST_NAME |
                                              DBK_HAS_EXTERNAL_ID};

    (void)state;
    assert_true(person_change(&fields, &known, false));
    assert_int_equal(fields.has, DBK_HAS_FIRST_NAME | DBK_HAS_EXTERNAL_ID);
}

static void properties_that_are_the_same_go(void **state)
{
    struct dbk_person_state known = {.role = DBK_ROLE_USER, .external_id = "u1"};
    struct dbk_person_fields fields = {.has = DBK_HAS_PROPERTIES | DBK_HAS_ROLE,
                                       .role = DBK_ROLE_ADMIN};

    (void)state;
    assert_false(person_change(&fields, &known, false));
    assert_true(person_change(&fields, &known, true));
    assert_int_equal(fields.has, DBK_HAS_ROLE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_away_is_a_change_only_where_it_is),
        cmocka_unit_test(properties_that_are_the_same_go),
        cmocka_unit_test(what_stays_is_not_said),
        cmocka_unit_test(another_case_of_letters_is_a_change),
        cmocka_unit_test(where_nothing_changes_all_is_left_to_the_writer),
        cmocka_unit_test(a_field_that_did_not_come_is_not_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
