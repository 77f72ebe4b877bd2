/* Events are forgotten once their month has passed the age, at the start and later, and what
 * keeps that from being done is told once. */
#include "expiry.h"

#include "store/command.h"
#include "store/keys.h"
#include "store/keys_used.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 60000 };

/* What the system clock says. */
static _Atomic dbk_timestamp now;
dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return now;
}

/* What it fails with next; DBK_OK: it does not. */
static _Atomic int fails_with;
static atomic_int asked;
enum dbk_code __real_dbk_log_expire(struct dbk_log *log, dbk_timestamp before,
                                    const char *source, struct dbk_log_expiry *out,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_log_expire(struct dbk_log *log, dbk_timestamp before,
                                    const char *source, struct dbk_log_expiry *out,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_log_expire(struct dbk_log *log, dbk_timestamp before,
                                    const char *source, struct dbk_log_expiry *out,
                                    struct dbk_error *err)
{
    int code = fails_with;

    asked++;
    return code == DBK_OK
               ? __real_dbk_log_expire(log, before, source, out, err)
               : dbk_fail(err, (enum dbk_code)code, "the disk of the test is full");
}

static atomic_int looked;
enum dbk_code __real_dbk_log_due(struct dbk_log *log, dbk_timestamp before,
                                 struct dbk_log_due *out, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_due(struct dbk_log *log, dbk_timestamp before,
                                 struct dbk_log_due *out, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_due(struct dbk_log *log, dbk_timestamp before,
                                 struct dbk_log_due *out, struct dbk_error *err)
{
    looked++;
    return __real_dbk_log_due(log, before, out, err);
}

struct place {
    char dir[64], keys_dir[80];
    struct dbk_keys *keys;
    struct dbk_log *log;
    struct expiry *expiry;
    atomic_int done, failed;
    char line[256]; /* the last; read it when one of these has risen */
};

static dbk_timestamp at(const char *text)
{
    dbk_timestamp time;

    assert_true(dbk_timestamp_parse(text, strlen(text), &time));
    return time;
}

static void on_done(void *context, const char *line)
{
    struct place *place = context;

    snprintf(place->line, sizeof place->line, "%s", line);
    place->done++;
}

static void on_failed(void *context, const char *line)
{
    struct place *place = context;

    snprintf(place->line, sizeof place->line, "%s", line);
    place->failed++;
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct dbk_error err = {0};
    struct dbk_log_options options = {.by_month = true};

    strcpy(place->dir, "/tmp/dbk-expiry-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->keys_dir, sizeof place->keys_dir, "%s.keys", place->dir);
    now = at("2026-01-10T12:00:00");
    fails_with = DBK_OK;
    asked = looked = 0;
    if (dbk_keys_make(place->keys_dir, NULL, &err) != DBK_OK ||
        dbk_keys_open(place->keys_dir, NULL, &place->keys, &err) != DBK_OK)
        fail_msg("%s", err.text);
    options.keys = place->keys;
    if (dbk_log_open(place->dir, &options, &place->log, &err) != DBK_OK)
        fail_msg("%s", err.text);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[200];

    expiry_stop(place->expiry);
    dbk_log_close(place->log);
    dbk_keys_close(place->keys);
    snprintf(command, sizeof command, "rm -rf %s %s", place->dir, place->keys_dir);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void begin_agreed(struct place *place, int ms, const char *month)
{
    const struct expiry_options options = {.days = 400,
                                           .every_ms = ms,
                                           .agreed = month ? at(month) : 0,
                                           .done = on_done,
                                           .failed = on_failed,
                                           .context = place};
    struct dbk_error err = {0};

    if (expiry_start(place->log, &options, &place->expiry, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void begin_every(struct place *place, int ms)
{
    begin_agreed(place, ms, NULL);
}

static void begin(struct place *place)
{
    begin_every(place, 10);
}

static void wait_for(atomic_int *count, int least)
{
    const struct timespec pause = {.tv_nsec = 10000000L};

    for (int waited = 0; *count < least; waited += 10) {
        assert_true(waited < PATIENCE_MS);
        nanosleep(&pause, NULL);
    }
}

static void record_event(struct place *place)
{
    const struct dbk_record event = {.type = DBK_EVENT_RECORDED,
                                     .subject = dbk_uuid_new(),
                                     .anonymous_id = dbk_slice("kate"),
                                     .event_type = dbk_slice("click")};
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err = {0};

    if (dbk_command_add(command, &event, &err) != DBK_OK ||
        dbk_log_submit(place->log, &command, 1, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_OK);
    dbk_command_destroy(command);
}

static void record_at(struct place *place, const char *time)
{
    now = at(time);
    record_event(place);
}

static uint64_t expired(struct place *place)
{
    uint64_t through;

    assert_int_equal(dbk_log_expired(place->log, &through, NULL), DBK_OK);
    return through;
}

/* So many more looks are over, from now on. */
static void let_it_look(int times)
{
    wait_for(&looked, looked + times + 1);
}

static void a_month_goes_when_all_of_it_is_old_enough(void **state)
{
    struct place *place = *state;

    record_at(place, "2026-01-10T12:00:00");
    record_at(place, "2026-02-01T00:00:00");
    record_at(place, "2027-01-31T23:59:59");
    record_at(place, "2027-02-01T00:00:00");
    now = at("2026-02-01T00:00:00") + INT64_C(400) * 86400 * 1000000 - 1;
    begin(place);
    wait_for(&asked, 3);
    assert_int_equal(expired(place), 0);
    now = now + 1;
    wait_for(&place->done, 1);
    assert_int_equal(expired(place), 1);
    assert_non_null(strstr(place->line, "up to record 1: record 5 says so"));
    let_it_look(3); /* and nothing more is done */
    assert_int_equal(place->done, 1);
    assert_int_equal(place->failed, 1); /* that the clock leapt */
}

/* As that of a machine whose battery is empty, until it is set. */
static void a_clock_that_leaps_destroys_nothing_before_the_next_look(void **state)
{
    struct place *place = *state;

    record_event(place);
    now = at("2031-01-01T00:00:00");
    begin_every(place, PATIENCE_MS * 10);
    wait_for(&place->failed, 1);
    assert_non_null(strstr(place->line, "days ahead of the last record"));
    expiry_stop(place->expiry);
    now = at("2026-01-17T00:00:00"); /* it was set, and a week is not much */
    begin(place);
    let_it_look(2);
    assert_int_equal(expired(place), 0);
    assert_int_equal(place->failed, 1);
    now = at("2031-01-01T00:00:00");
    wait_for(&place->failed, 2);
    assert_int_equal(expired(place), 0);
}

/* Whatever is recorded by it meanwhile, and however often the server is started. */
static void a_clock_that_stays_wrong_destroys_nothing(void **state)
{
    static const char *const wrong[] = {"2036-06-10T00:00:00", "2036-07-10T00:00:00",
                                        "2036-08-10T00:00:00", "2040-01-01T00:00:00"};
    struct place *place = *state;

    record_at(place, "2026-10-10T00:00:00");
    record_at(place, "2026-11-10T00:00:00");
    for (size_t i = 0; i < 4; i++) {
        int told = place->failed;

        record_at(place, wrong[i]);
        begin(place);
        wait_for(&place->failed, told + 1);
        let_it_look(3);
        expiry_stop(place->expiry);
        place->expiry = NULL;
        assert_int_equal(place->failed, told + 1);
        assert_non_null(
            strstr(place->line, "months at once, to 2026-10. If the clock"));
        assert_non_null(strstr(place->line, "daybook events expire --before 20"));
    }
    assert_int_equal(asked, 0);
    assert_int_equal(expired(place), 0);
    now =
        at("2026-11-12T00:00:00"); /* and what that clock recorded keeps nothing back */
    record_event(place);
    begin(place);
    wait_for(&asked, 1);
    assert_int_equal(expired(place), 0);
}

/* A year, mistyped, makes of a young log's months some that have just become old. */
static void a_clock_is_not_believed_that_skips_months(void **state)
{
    struct place *place = *state;

    record_at(place, "2026-10-10T00:00:00");
    record_at(place, "2026-11-10T00:00:00");
    now = at("2027-12-20T00:00:00");
    begin(place);
    wait_for(&place->failed, 2); /* the first: that the clock leapt */
    assert_non_null(strstr(place->line, "no event was recorded in 2027-11"));
    record_event(place);
    now = at("2028-01-10T00:00:00");
    record_event(place);
    wait_for(&place->failed, 3);
    let_it_look(2);
    assert_non_null(strstr(place->line, "no event was recorded in 2027-11"));
    assert_non_null(strstr(place->line, "--before 2026-12"));
    assert_int_equal(asked, 0);
    assert_int_equal(expired(place), 0);
}

static void at_the_start_goes_what_became_due_while_it_was_away(void **state)
{
    struct place *place = *state;

    record_at(place, "2026-01-10T00:00:00");
    record_at(place, "2026-02-10T00:00:00");
    record_at(place, "2027-02-28T00:00:00");
    record_at(place, "2027-03-31T00:00:00");
    now = at("2027-04-06T00:00:00");
    begin(place);
    wait_for(&place->done, 1);
    assert_int_equal(expired(place), 2);
    assert_int_equal(place->failed, 0);
}

/* Three months that are due, and the two of which an event is asked for. */
static void record_what_is_old_at_once(struct place *place)
{
    record_at(place, "2026-01-10T00:00:00");
    record_at(place, "2026-02-10T00:00:00");
    record_at(place, "2026-03-10T00:00:00");
    record_at(place, "2027-03-31T00:00:00");
    record_at(place, "2027-04-30T00:00:00");
    now = at("2027-05-06T00:00:00");
}

/* As those of a log that is new under RETENTION, or of a shorter one. */
static void more_than_that_is_an_operators(void **state)
{
    struct place *place = *state;
    struct dbk_log_expiry done;

    record_what_is_old_at_once(place);
    begin(place);
    wait_for(&place->failed, 1);
    let_it_look(3);
    assert_int_equal(place->failed, 1);
    assert_int_equal(asked, 0);
    assert_non_null(strstr(place->line, "goes back 3 months at once, to 2026-01"));
    assert_non_null(strstr(place->line, "daybook events expire --before 2026-04"));
    assert_int_equal(
        dbk_log_expire(place->log, at("2026-04-01T00:00:00"), "test", &done, NULL),
        DBK_OK);
    assert_int_equal(done.through, 3);
    wait_for(&asked, 3); /* and it goes on by itself */
    assert_int_equal(place->failed, 1);
}

/* Where a command cannot be given. */
static void what_was_agreed_to_is_done_and_no_more(void **state)
{
    struct place *place = *state;

    record_what_is_old_at_once(place);
    begin_agreed(place, 10, "2026-03-01T00:00:00"); /* a month too few */
    wait_for(&place->failed, 1);
    let_it_look(3);
    assert_int_equal(asked, 0);
    assert_non_null(strstr(place->line, "in a cluster RETENTION_AGREED=2026-04"));
    expiry_stop(place->expiry);
    begin_agreed(place, 10, "2026-04-01T00:00:00");
    wait_for(&place->done, 1);
    assert_int_equal(expired(place), 3);
    assert_int_equal(place->failed, 1);
}

static void what_fails_is_told_once_and_tried_again(void **state)
{
    struct place *place = *state;
    int before;

    record_at(place, "2026-01-10T00:00:00");
    record_at(place, "2027-01-10T00:00:00");
    record_at(place, "2027-02-10T00:00:00");
    now = at("2027-03-09T00:00:00");
    fails_with = DBK_NO_ROOM;
    begin(place);
    wait_for(&asked, 4);
    assert_int_equal(place->failed, 2); /* the first: that the clock leapt */
    assert_non_null(strstr(place->line, "the disk of the test is full"));
    fails_with = DBK_OK;
    wait_for(&place->done, 1);
    assert_int_equal(expired(place), 1);
    fails_with = DBK_NO_ROOM;
    before = asked;
    wait_for(&asked, before + 4);
    assert_int_equal(place->failed, 3);
}

/* Another copy does it. */
static void who_does_not_lead_says_nothing(void **state)
{
    struct place *place = *state;

    fails_with = DBK_NOT_LEADER;
    begin(place);
    wait_for(&asked, 4);
    assert_int_equal(place->failed, 0);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(a_month_goes_when_all_of_it_is_old_enough),
        ONE(a_clock_that_leaps_destroys_nothing_before_the_next_look),
        ONE(a_clock_that_stays_wrong_destroys_nothing),
        ONE(a_clock_is_not_believed_that_skips_months),
        ONE(at_the_start_goes_what_became_due_while_it_was_away),
        ONE(more_than_that_is_an_operators),
        ONE(what_was_agreed_to_is_done_and_no_more),
        ONE(what_fails_is_told_once_and_tried_again),
        ONE(who_does_not_lead_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
