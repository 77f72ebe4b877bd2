/* Prefer: proof, where the record of a write cannot be read again. */
#include "live.h"

#include "http/tokens.h"
#include "store/clock.h"
#include "store/proof/notary.h"

#define EVENT "{\"event_type\":\"click\",\"anonymous_id\":\"visitor\"}"

static atomic_bool refuses;

enum dbk_code __real_dbk_batch_record(const struct dbk_batch *batch, size_t i,
                                      struct dbk_record *record, struct dbk_error *err);
enum dbk_code __wrap_dbk_batch_record(const struct dbk_batch *batch, size_t i,
                                      struct dbk_record *record, struct dbk_error *err);
enum dbk_code __wrap_dbk_batch_record(const struct dbk_batch *batch, size_t i,
                                      struct dbk_record *record, struct dbk_error *err)
{
    if (atomic_load(&refuses))
        return dbk_fail(err, DBK_IO, "scripted");
    return __real_dbk_batch_record(batch, i, record, err);
}

struct world {
    struct live *live;
    struct dbk_notary *notary;
    char audit[SCRATCH_DIR_MAX + 8];
    char write[96], admin[96];
};

static void bearer(const char *dir, const char *name, unsigned scopes, char out[96])
{
    char secret[DBK_TOKEN_SECRET + 1];

    assert_int_equal(dbk_tokens_create(dir, name, scopes, NULL, secret, NULL), DBK_OK);
    snprintf(out, 96, "Authorization: Bearer %s\r\n", secret);
}

static int setup(void **state)
{
    const struct dbk_notary_options signs = {.origin = "receipt.test/log",
                                             .apart_ms = 1};
    struct world *world = calloc(1, sizeof *world);
    struct dbk_server_options options;
    struct live *live = calloc(1, sizeof *live);
    struct dbk_error err;

    assert_non_null(world);
    assert_non_null(live);
    world->live = live;
    scratch_dir_make(live->dir);
    snprintf(world->audit, sizeof world->audit, "%s.audit", live->dir);
    options = live_options(live);
    options.tokens_dir = live->dir;
    if (dbk_log_open(live->dir, NULL, &live->log, &err) != DBK_OK ||
        dbk_notary_start(world->audit, live->log, &signs, &world->notary, &err) !=
            DBK_OK)
        fail_msg("%s", err.text);
    bearer(live->dir, "write", DBK_SCOPE_WRITE | DBK_SCOPE_READ, world->write);
    bearer(live->dir, "admin", DBK_SCOPE_ADMIN, world->admin);
    options.notary = world->notary;
    if (dbk_server_start(live->log, NULL, NULL, &options, &live->server, &err) !=
        DBK_OK)
        fail_msg("%s", err.text);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    struct live *live = world->live;

    atomic_store(&refuses, false);
    dbk_server_stop(live->server, 2000);
    dbk_notary_stop(world->notary);
    dbk_log_close(live->log);
    scratch_dir_remove(world->audit);
    scratch_dir_remove(live->dir);
    free(live);
    free(world);
    return 0;
}

/* Until the log is gone through nobody waits for a proof. */
static void await_signed(const struct world *world)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);
    struct dbk_signed_checkpoint checkpoint;
    struct heard heard = live_ask(world->live, "POST", "/events", world->write, EVENT);

    assert_heard(&heard, 201, NULL);
    heard_free(&heard);
    while (dbk_notary_await(world->notary, 1, 100, &checkpoint, NULL) != DBK_OK) {
        if (dbk_deadline_left(until) == 0)
            fail_msg("nothing is signed");
        dbk_sleep_ms(1);
    }
}

static bool has_record(const struct world *world, const char *token)
{
    char headers[160];
    struct heard heard;
    bool has;

    snprintf(headers, sizeof headers, "%sPrefer: proof, wait=20\r\n", token);
    heard = live_ask(world->live, "POST", "/events", headers, EVENT);
    assert_heard(&heard, 201, "\"entry\":");
    has = strstr(heard.body, "\"record\":") != NULL;
    heard_free(&heard);
    return has;
}

/* It may say something of who is restricted. */
static void bytes_that_tell_nothing_of_whom_they_are_go_to_admins_alone(void **state)
{
    struct world *world = *state;

    await_signed(world);
    assert_true(has_record(world, world->write));
    atomic_store(&refuses, true);
    assert_false(has_record(world, world->write));
    assert_true(has_record(world, world->admin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            bytes_that_tell_nothing_of_whom_they_are_go_to_admins_alone, setup,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
