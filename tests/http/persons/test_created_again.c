/* POST /persons sent again with its key, when its signup was forgotten by age, or its person was
 * erased. */
#include "live.h"

#include "store/keys.h"

#define DAY ((dbk_timestamp)86400 * 1000000)
#define ID "0190c0de-0000-7000-8000-000000000001"
#define BODY                                                                           \
    "{\"id\":\"" ID "\",\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\","    \
    "\"last_name\":\"Pryde\"}"
#define KEY "Idempotency-Key: again\r\n"

/* What the system clock says; the monotonic one goes on. */
static _Atomic dbk_timestamp now;
dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return atomic_load(&now);
}

struct sealed {
    struct live live;
    char keys_dir[SCRATCH_DIR_MAX + 8];
    struct dbk_keys *keys;
};

static int setup(void **state)
{
    struct sealed *sealed = calloc(1, sizeof *sealed);
    struct live *live = &sealed->live;
    struct dbk_server_options options = live_options(live);
    struct dbk_log_options log = {.by_month = true};
    struct dbk_error err = {0};
    dbk_timestamp begun;

    assert_true(dbk_timestamp_parse("2026-01-20T12:00:00", 19, &begun));
    atomic_store(&now, begun);
    options.idempotency_keep_us = 100 * DAY;
    scratch_dir_make(live->dir);
    snprintf(sealed->keys_dir, sizeof sealed->keys_dir, "%s.keys", live->dir);
    if (dbk_keys_make(sealed->keys_dir, NULL, &err) != DBK_OK ||
        dbk_keys_open(sealed->keys_dir, NULL, &sealed->keys, &err) != DBK_OK)
        fail_msg("%s", err.text);
    log.keys = sealed->keys;
    if (dbk_log_open(live->dir, &log, &live->log, &err) != DBK_OK ||
        dbk_server_start(live->log, NULL, NULL, &options, &live->server, &err) !=
            DBK_OK)
        fail_msg("%s", err.text);
    *state = sealed;
    return 0;
}

static int teardown(void **state)
{
    struct sealed *sealed = *state;

    dbk_server_stop(sealed->live.server, 2000);
    dbk_log_close(sealed->live.log);
    dbk_keys_close(sealed->keys);
    scratch_dir_remove(sealed->live.dir);
    scratch_dir_remove(sealed->keys_dir);
    free(sealed);
    return 0;
}

static void assert_created(const struct live *live, bool signup)
{
    struct heard heard = live_ask(live, "POST", "/persons", KEY, BODY);

    assert_heard(&heard, 201, "\"first_name\":\"Kate\"");
    assert_non_null(strstr(heard.text, ID));
    assert_int_equal(strstr(heard.text, "\"signup\"") != NULL, signup);
    if (!signup)
        assert_non_null(strstr(heard.text, "\"events\":[]"));
    heard_free(&heard);
}

static void a_signup_that_was_forgotten_is_left_out(void **state)
{
    struct sealed *sealed = *state;
    struct dbk_log_expiry expiry;
    struct dbk_error err = {0};

    assert_created(&sealed->live, true);
    assert_created(&sealed->live, true);
    atomic_fetch_add(&now, 30 * DAY);
    if (dbk_log_expire(sealed->live.log, atomic_load(&now), "test", &expiry, &err) !=
        DBK_OK)
        fail_msg("%s", err.text);
    assert_int_equal(expiry.through, 2);
    assert_created(&sealed->live, false);
}

static void who_was_erased_is_gone(void **state)
{
    struct sealed *sealed = *state;
    struct heard heard;

    assert_created(&sealed->live, true);
    heard = live_ask(&sealed->live, "DELETE", "/persons/" ID "?erase=true", "", NULL);
    assert_heard(&heard, 200, NULL);
    heard_free(&heard);
    for (int keyed = 0; keyed < 2; keyed++) {
        heard = live_ask(&sealed->live, "POST", "/persons", keyed ? KEY : "", BODY);
        assert_heard(&heard, 410, "has been erased");
        heard_free(&heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signup_that_was_forgotten_is_left_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_was_erased_is_gone, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
