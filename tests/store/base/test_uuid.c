#include "store/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] = "0191d6f2-7c3a-7b1e-9f00-0123456789ab";

static void text_survives_a_round_trip(void **state)
{
    char back[DBK_UUID_TEXT + 1];
    struct dbk_uuid id;
    (void)state;

    assert_true(dbk_uuid_parse(text, strlen(text), &id));
    dbk_uuid_format(&id, back);
    assert_string_equal(back, text);
}

static void capitals_are_read_and_written_small(void **state)
{
    char back[DBK_UUID_TEXT + 1];
    struct dbk_uuid id;
    (void)state;

    assert_true(dbk_uuid_parse("ABCDEF01-2345-6789-ABCD-EF0123456789", 36, &id));
    dbk_uuid_format(&id, back);
    assert_string_equal(back, "abcdef01-2345-6789-abcd-ef0123456789");
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "0191d6f27c3a7b1e9f000123456789ab",
        "{0191d6f2-7c3a-7b1e-9f00-0123456789ab}",
        "0191d6f2-7c3a-7b1e-9f00-0123456789a",
        "0191d6f2-7c3a-7b1e-9f00-0123456789abc",
        "0191d6f2-7c3a-7b1e-9f00-0123456789ag",
        "0191d6f2+7c3a-7b1e-9f00-0123456789ab",
        "0191d6f27-c3a-7b1e-9f00-0123456789ab",
    };
    struct dbk_uuid id;
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dbk_uuid_parse(bad[i], strlen(bad[i]), &id));
    assert_false(dbk_uuid_parse("0191d6f2-7c3a-7b1e-9f00-0123456789\0b", 36, &id));
}

static void new_ids_are_version_7_and_differ(void **state)
{
    struct dbk_uuid before = dbk_uuid_new();
    (void)state;

    for (int i = 0; i < 10000; i++) {
        struct dbk_uuid id = dbk_uuid_new();

        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_false(dbk_uuid_equal(&id, &before));
        before = id;
    }
}

static void a_forked_child_makes_other_ids(void **state)
{
    struct dbk_uuid ours[64], theirs[64];
    int ends[2], status;
    pid_t child;
    (void)state;

    dbk_uuid_new();
    assert_int_equal(pipe(ends), 0);
    child = fork();
    for (int i = 0; i < 64; i++)
        ours[i] = dbk_uuid_new();
    if (child == 0)
        _exit(write(ends[1], ours, sizeof ours) != sizeof ours);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    /* Times may be alike: it is the random part that tells them apart. */
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < 64; j++)
            assert_memory_not_equal(ours[i].bytes + 8, theirs[j].bytes + 8, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_survives_a_round_trip),
        cmocka_unit_test(capitals_are_read_and_written_small),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(new_ids_are_version_7_and_differ),
        cmocka_unit_test(a_forked_child_makes_other_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
