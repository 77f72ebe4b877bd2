/* What is told where the log cannot be read. */
#include "check.h"
#include "health.h"

static struct dbk_error why; /* DBK_OK: it can */

void __wrap_dbk_log_gauges(struct dbk_log *log, struct dbk_log_gauges *out);
void __wrap_dbk_log_health(struct dbk_log *log, struct dbk_log_health *out);

void __wrap_dbk_log_gauges(struct dbk_log *log, struct dbk_log_gauges *out)
{
    (void)log;
    *out = (struct dbk_log_gauges){.readable = why.code == DBK_OK, .why = why};
}

void __wrap_dbk_log_health(struct dbk_log *log, struct dbk_log_health *out)
{
    (void)log;
    *out = (struct dbk_log_health){.code = DBK_OK, .readable = true};
}

enum dbk_code __wrap_dbk_log_expired(struct dbk_log *log, uint64_t *through,
                                     struct dbk_error *err);
enum dbk_code __wrap_dbk_log_expired(struct dbk_log *log, uint64_t *through,
                                     struct dbk_error *err)
{
    (void)log;
    (void)err;
    *through = 0;
    return DBK_OK;
}

static struct ready look(void)
{
    static const struct service service;
    struct health health;
    struct ready ready;

    health_look(&service, &health);
    ready_look(&service, &health, &ready);
    return ready;
}

static void each_reason_is_told_as_it_is(void **state)
{
    static const struct {
        enum dbk_code code;
        const char *text;
    } reasons[] = {
        {DBK_UNAVAILABLE, "it is being opened again"},
        {DBK_BUSY, "find the log's head: too many readers of the log"},
        {DBK_DAMAGED, "find the log's head: the log's file is damaged"},
    };

    (void)state;
    assert_int_equal(look().count, 0);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct ready ready;
        char expected[256];

        dbk_fail(&why, reasons[i].code, "%s", reasons[i].text);
        ready = look();
        snprintf(expected, sizeof expected, "The log cannot be read: %s",
                 reasons[i].text);
        assert_int_equal(ready.count, 1);
        assert_string_equal(ready.reasons[0].code, "log");
        assert_string_equal(ready.reasons[0].message, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_told_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
