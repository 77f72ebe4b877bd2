#include "log_mark.h"

#include "note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    char file[80], tmp[80];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    snprintf(place->dir, sizeof place->dir, "/tmp/daybook-mark-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->file, sizeof place->file, "%s/log.id", place->dir);
    snprintf(place->tmp, sizeof place->tmp, "%s/log.id.tmp", place->dir);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    unlink(place->file);
    unlink(place->tmp);
    rmdir(place->dir);
    free(place);
    return 0;
}

static enum log_mark mark_of(const struct place *place, char id[DBK_UUID_TEXT + 1])
{
    enum log_mark mark;

    assert_int_equal(log_mark_read(place->dir, &mark, id, NULL), DBK_OK);
    return mark;
}

static void nothing_was_here_until_it_is_prepared(void **state)
{
    const struct place *place = *state;
    char id[DBK_UUID_TEXT + 1];

    assert_int_equal(mark_of(place, id), LOG_MARK_NONE);
    assert_int_equal(log_mark_prepare(place->dir, false, NULL), DBK_OK);
    assert_int_equal(mark_of(place, id), LOG_MARK_NEW);
    assert_string_equal(id, "");
    assert_int_equal(log_mark_prepare(place->dir, false, NULL), DBK_OK);
    assert_int_equal(mark_of(place, id), LOG_MARK_NEW);
}

static void an_id_stays_until_it_is_begun_anew(void **state)
{
    const struct place *place = *state;
    struct dbk_uuid log = dbk_uuid_new();
    char id[DBK_UUID_TEXT + 1], before[DBK_UUID_TEXT + 1], text[DBK_UUID_TEXT + 1];
    struct stat status;

    dbk_uuid_format(&log, text);
    assert_int_equal(log_mark_set(place->dir, &log, before, NULL), DBK_OK);
    assert_string_equal(before, "");
    assert_int_equal(mark_of(place, id), LOG_MARK_MADE);
    assert_string_equal(id, text);
    assert_int_equal(stat(place->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    /* Whoever looked before it was there, and comes late. */
    assert_int_equal(log_mark_prepare(place->dir, false, NULL), DBK_OK);
    assert_int_equal(mark_of(place, id), LOG_MARK_MADE);
    assert_int_equal(log_mark_prepare(place->dir, true, NULL), DBK_OK);
    assert_int_equal(mark_of(place, id), LOG_MARK_NEW);
}

static void another_log_is_told(void **state)
{
    const struct place *place = *state;
    struct dbk_uuid first = dbk_uuid_new(), second = dbk_uuid_new();
    char before[DBK_UUID_TEXT + 1], text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&first, text);
    assert_int_equal(log_mark_set(place->dir, &first, before, NULL), DBK_OK);
    assert_int_equal(log_mark_set(place->dir, &first, before, NULL), DBK_OK);
    assert_string_equal(before, "");
    assert_int_equal(log_mark_set(place->dir, &second, before, NULL), DBK_OK);
    assert_string_equal(before, text);
}

static void what_was_left_half_written_is_written_anew(void **state)
{
    const struct place *place = *state;
    struct dbk_uuid log = dbk_uuid_new();
    char id[DBK_UUID_TEXT + 1], before[DBK_UUID_TEXT + 1];

    assert_int_equal(symlink("/dev/full", place->tmp), 0);
    assert_int_equal(log_mark_set(place->dir, &log, before, NULL), DBK_OK);
    assert_int_equal(mark_of(place, id), LOG_MARK_MADE);
    assert_int_not_equal(access(place->tmp, F_OK), 0);
}

static void what_cannot_be_read_is_told(void **state)
{
    const struct place *place = *state;
    char id[DBK_UUID_TEXT + 1];
    struct dbk_error err;
    enum log_mark mark;

    assert_int_equal(symlink("/nowhere", place->file), 0); /* not followed */
    assert_int_equal(log_mark_read(place->dir, &mark, id, &err), DBK_IO);
    assert_non_null(strstr(err.text, place->file));
}

int main(void)
{
#define PLACE(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        PLACE(nothing_was_here_until_it_is_prepared),
        PLACE(an_id_stays_until_it_is_begun_anew),
        PLACE(another_log_is_told),
        PLACE(what_was_left_half_written_is_written_anew),
        PLACE(what_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
