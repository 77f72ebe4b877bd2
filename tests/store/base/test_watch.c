/* How a task tells of itself, and hears that it is to stop. */
#include "store/watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    char text[256];
    bool stop;
    int asked;
};

static void note_progress(void *context, const char *phase, const char *unit,
                          uint64_t done, uint64_t total)
{
    struct heard *heard = context;

    assert_int_equal(heard->asked, 0); /* what it is stopped at has been told */
    snprintf(heard->text, sizeof heard->text, "%s: %d of %d %s", phase, (int)done,
             (int)total, unit);
}

static void note_line(void *context, const char *line)
{
    struct heard *heard = context;

    snprintf(heard->text, sizeof heard->text, "%s", line);
}

static bool asked(void *context)
{
    struct heard *heard = context;

    heard->asked++;
    return heard->stop;
}

static struct dbk_watch watch_of(struct heard *heard)
{
    return (struct dbk_watch){note_progress, note_line, asked, heard};
}

static void progress_is_told_and_then_asked_about(void **state)
{
    struct heard heard = {.stop = false};
    const struct dbk_watch watch = watch_of(&heard);

    (void)state;
    assert_int_equal(dbk_watch_progress(&watch, "reading", "records", 3, 9, NULL),
                     DBK_OK);
    assert_string_equal(heard.text, "reading: 3 of 9 records");
    assert_int_equal(heard.asked, 1);
}

static void who_is_to_stop_is_told_while_doing_what(void **state)
{
    struct heard heard = {.stop = true};
    const struct dbk_watch watch = watch_of(&heard);
    struct dbk_error err = {0};

    (void)state;
    assert_int_equal(dbk_watch_progress(&watch, "reading", "records", 3, 9, &err),
                     DBK_INTERRUPTED);
    assert_string_equal(err.text, "interrupted while reading");
    assert_string_equal(heard.text, "reading: 3 of 9 records");
}

static void lines_are_made_of_a_format(void **state)
{
    struct heard heard = {.stop = false};
    const struct dbk_watch watch = watch_of(&heard);

    (void)state;
    dbk_watch_say(&watch, "made in %s", "/srv");
    assert_string_equal(heard.text, "made in /srv");
}

static void nobody_need_watch(void **state)
{
    static const struct dbk_watch deaf = {.context = NULL};
    const struct dbk_watch *const watches[] = {NULL, &deaf};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        dbk_watch_say(watches[i], "%s", "nobody hears this");
        assert_int_equal(dbk_watch_progress(watches[i], "reading", "", 0, 0, NULL),
                         DBK_OK);
        assert_false(dbk_watch_stops(watches[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_told_and_then_asked_about),
        cmocka_unit_test(who_is_to_stop_is_told_while_doing_what),
        cmocka_unit_test(lines_are_made_of_a_format),
        cmocka_unit_test(nobody_need_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
