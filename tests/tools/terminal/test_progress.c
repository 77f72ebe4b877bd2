/* Nothing here waits: what is shown when is the clock's affair; that it is said whole, and
 * that a file gets lines and no bar, is checked. */
#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct shown {
    char *text;
    size_t size;
    FILE *out;
    struct progress progress;
};

static void open_shown(struct shown *shown, bool terminal)
{
    shown->out = open_memstream(&shown->text, &shown->size);
    assert_non_null(shown->out);
    progress_start(&shown->progress, NULL);
    shown->progress.out = shown->out; /* a memory stream has no descriptor to ask */
    shown->progress.terminal = terminal;
    progress_phase(&shown->progress, "reading", "records");
    shown->progress.shown -= 10; /* as if it had been long ago */
    shown->progress.phase -= 10;
}

static void close_shown(struct shown *shown)
{
    fclose(shown->out);
    free(shown->text);
}

static void assert_begins(const char *text, const char *with)
{
    assert_memory_equal(text, with, strlen(with));
}

static void assert_ends(const char *text, const char *with)
{
    assert_true(strlen(text) >= strlen(with));
    assert_string_equal(text + strlen(text) - strlen(with), with);
}

static void a_file_gets_a_line_with_rate_and_time_left(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    progress_show(&shown.progress, 500, 1000);
    progress_show(&shown.progress, 600, 1000); /* too soon after */
    progress_clear(&shown.progress);
    fflush(shown.out);
    assert_begins(shown.text, "reading  50 %  500 records, ");
    assert_ends(shown.text, " left\n");
    assert_ptr_equal(strchr(shown.text, '\n'), strrchr(shown.text, '\n'));
    close_shown(&shown);
}

static void a_terminal_gets_a_bar_that_can_be_taken_away(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, true);
    shown.progress.columns = 100;
    progress_show(&shown.progress, 900, 900);
    progress_clear(&shown.progress);
    progress_clear(&shown.progress);
    fflush(shown.out);
    assert_begins(shown.text,
                  "reading [##############################] 100 %  900 records, ");
    assert_ends(shown.text, ", 0:00 left\r\033[K");
    close_shown(&shown);
}

static void without_a_total_only_the_rate_is_told(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    progress_show(&shown.progress, 70, 0);
    fflush(shown.out);
    assert_begins(shown.text, "reading  70 records, ");
    assert_ends(shown.text, " a second\n");
    close_shown(&shown);
}

static void more_than_the_total_is_all_of_it(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, true);
    progress_show(&shown.progress, 100, 10);
    fflush(shown.out);
    assert_non_null(strstr(shown.text, "##] 100 %"));
    close_shown(&shown);
}

static void too_soon_there_is_no_rate(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    shown.progress.phase += 10; /* it has just begun */
    progress_show(&shown.progress, 1, 2);
    fflush(shown.out);
    assert_string_equal(shown.text, "reading  50 %  1 record\n");
    close_shown(&shown);
}

static void the_rate_is_of_what_came_in_the_phase(void **state)
{
    struct shown shown;
    unsigned rate;

    (void)state;
    open_shown(&shown, false);
    progress_phase_at(&shown.progress, "following", "records", 1000);
    shown.progress.phase -= 10;
    progress_show(&shown.progress, 1200, 0);
    fflush(shown.out);
    assert_int_equal(
        sscanf(shown.text, "following  1200 records, %u a second\n", &rate), 1);
    assert_in_range(rate, 2, 20); /* less where the machine was busy meanwhile */
    close_shown(&shown);
}

static void what_is_left_is_told_by_what_came_in_the_phase(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    progress_phase_at(&shown.progress, "catching up", "records", 1000);
    shown.progress.phase -= 10;
    progress_show(&shown.progress, 1200, 1600);
    fflush(shown.out);
    assert_string_equal(shown.text,
                        "catching up  75 %  1200 records, 20 a second, 0:20 left\n");
    close_shown(&shown);
}

static void where_nothing_is_counted_only_the_phase_is_told(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    progress_phase(&shown.progress, "waiting for others", "");
    shown.progress.phase -= 10;
    progress_show(&shown.progress, 0, 0);
    fflush(shown.out);
    assert_string_equal(shown.text, "waiting for others\n");
    close_shown(&shown);
}

/* What stands on a terminal so wide. */
static void assert_drawn(unsigned columns, const char *name, const char *line)
{
    struct shown shown;

    open_shown(&shown, true);
    shown.progress.columns = columns;
    progress_phase_at(&shown.progress, name, "records", 999999900);
    shown.progress.phase -= 10;
    progress_show(&shown.progress, 1000000000, 2000000000);
    fflush(shown.out);
    assert_string_equal(shown.text, line);
    assert_true(strlen(line) < columns);
    close_shown(&shown);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    assert_drawn(200, "writing",
                 "writing [###############               ]  50 %  1000000000 records, "
                 "10 a second, 99:59:59 left");
    assert_drawn(80, "writing",
                 "writing [#######        ]  50 %  1000000000 records, 10 a second, "
                 "99:59:59 left");
    assert_drawn(68, "writing",
                 "writing  50 %  1000000000 records, 10 a second, 99:59:59 left");
    assert_drawn(60, "writing",
                 "writing [####    ]  50 %  1000000000 records, 99:59:59 left");
    assert_drawn(48, "writing", "writing [########        ]  50 %, 99:59:59 left");
    assert_drawn(26, "writing", "writ  50 %, 99:59:59 left");
    assert_drawn(12, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
                 "\xc3\xa4\xc3\xa4  50 %");
    assert_drawn(2, "writing", "w");
}

/* As if so much time had passed. */
static void pass(struct progress *progress, double seconds)
{
    progress->shown -= seconds;
    progress->phase -= seconds;
    progress->left_at -= seconds;
}

/* The seconds that the last line says are left. */
static unsigned left_of(struct shown *shown)
{
    const char *left;
    unsigned minutes, seconds;

    fflush(shown->out);
    left = strrchr(shown->text, ',');
    assert_non_null(left);
    assert_int_equal(sscanf(left, ", %u:%u left", &minutes, &seconds), 2);
    return minutes * 60 + seconds;
}

/* Told more often than something is done, and of pieces that come a bit sooner or later. */
static void no_estimate_grows_while_work_goes_on_steadily(void **state)
{
    static const double jitter[] = {0, 0.4, -0.3, 0.2, -0.3};
    struct shown shown;
    unsigned before = 16 * 40;

    (void)state;
    open_shown(&shown, false);
    progress_phase(&shown.progress, "comparing", "tables");
    pass(&shown.progress, 10);
    for (unsigned done = 1; done < 40; done++) {
        pass(&shown.progress, 5 + jitter[done % 5]);
        for (int told = 0; told < 3; told++) {
            progress_show(&shown.progress, done, 40);
            assert_true(left_of(&shown) <= before);
            before = left_of(&shown);
            if (told < 2)
                pass(&shown.progress, 5);
        }
    }
    assert_in_range(before, 1, 16); /* 15 seconds a piece */
    close_shown(&shown);
}

static void what_stands_still_has_no_time_left(void **state)
{
    struct shown shown;

    (void)state;
    open_shown(&shown, false);
    progress_show(&shown.progress, 500, 1000);
    pass(&shown.progress, 1000);
    progress_show(&shown.progress, 500, 1000);
    fflush(shown.out);
    assert_ends(shown.text, " a second\n");
    pass(&shown.progress, 1000); /* and is estimated anew */
    progress_show(&shown.progress, 600, 1000);
    assert_true(left_of(&shown) > 1000);
    close_shown(&shown);
}

static void with_nowhere_to_show_nothing_happens(void **state)
{
    struct progress progress;

    (void)state;
    progress_start(&progress, NULL);
    progress_phase(&progress, "reading", "records");
    progress_show(&progress, 1, 2);
    progress_clear(&progress);
    assert_true(progress_seconds(&progress) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_a_line_with_rate_and_time_left),
        cmocka_unit_test(a_terminal_gets_a_bar_that_can_be_taken_away),
        cmocka_unit_test(without_a_total_only_the_rate_is_told),
        cmocka_unit_test(more_than_the_total_is_all_of_it),
        cmocka_unit_test(too_soon_there_is_no_rate),
        cmocka_unit_test(the_rate_is_of_what_came_in_the_phase),
        cmocka_unit_test(what_is_left_is_told_by_what_came_in_the_phase),
        cmocka_unit_test(where_nothing_is_counted_only_the_phase_is_told),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(no_estimate_grows_while_work_goes_on_steadily),
        cmocka_unit_test(what_stands_still_has_no_time_left),
        cmocka_unit_test(with_nowhere_to_show_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
