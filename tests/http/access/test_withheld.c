/* Whom a request may not be told of, over a real log, and a page of that log. */
#include "withheld.h"

#include "faults/wrapped_log_read.h"
#include "http/tokens.h"
#include "live.h"
#include "service.h"
#include "store/command.h"
#include "submit_draft.h"
#include "worker.h"

#define MARK "zanzibar"

static struct {
    atomic_uint reads; /* of all who are restricted */
    atomic_bool fails;
    _Atomic(struct dbk_log *)
        restrict_at_read; /* once something is read of this log, */
    struct dbk_uuid kate; /* she is */
} script;

enum dbk_code __real_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err);
enum dbk_code __wrap_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err);
enum dbk_code __wrap_dbk_log_restricted_all(struct dbk_log *log,
                                            struct dbk_restricted *out,
                                            struct dbk_error *err)
{
    script.reads++;
    if (script.fails)
        return dbk_fail(err, DBK_IO, "scripted");
    return __real_dbk_log_restricted_all(log, out, err);
}

static void say(struct dbk_log *log, enum dbk_type type, const struct dbk_uuid *who)
{
    const struct dbk_record draft = {.type = type, .subject = *who};

    submit_draft(log, &draft);
}

static struct dbk_uuid add_person(struct dbk_log *log, const char *external_id)
{
    const struct dbk_record person = {
        .type = DBK_PERSON_CREATED,
        .subject = dbk_uuid_new(),
        .person = {.has = DBK_HAS_ROLE | DBK_HAS_EXTERNAL_ID,
                   .role = DBK_ROLE_USER,
                   .external_id = dbk_slice(external_id)}};

    submit_draft(log, &person);
    return person.subject;
}

enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    enum dbk_code code =
        __real_dbk_log_read(log, after, max_records, max_bytes, batch, err);
    struct dbk_log *restricts = atomic_exchange(&script.restrict_at_read, NULL);

    if (restricts)
        say(restricts, DBK_PERSON_RESTRICTED, &script.kate);
    return code;
}

static void they_are_read_anew_only_where_the_log_has_more(void **state)
{
    struct live live = {0};
    struct service service = {0};
    struct worker *worker = worker_create();
    struct request *rq;
    const struct dbk_restricted *all;
    struct dbk_uuid kate;
    struct dbk_error err;

    (void)state;
    memset(&script, 0, sizeof script);
    assert_non_null(worker);
    rq = &worker->request;
    scratch_dir_make(live.dir);
    assert_int_equal(dbk_log_open(live.dir, NULL, &service.log, NULL), DBK_OK);
    rq->service = &service;
    rq->worker = worker;
    rq->scopes = DBK_SCOPE_READ;
    for (int i = 0; i < 3; i++)
        assert_int_equal(withheld_all(rq, &all, &err), DBK_OK);
    assert_int_equal(script.reads, 1);
    assert_int_equal(all->count, 0);
    kate = add_person(service.log, "kate");
    say(service.log, DBK_PERSON_RESTRICTED, &kate);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(withheld_all(rq, &all, &err), DBK_OK);
        assert_true(dbk_restricted_has(all, &kate));
    }
    assert_int_equal(script.reads, 2);
    rq->scopes = DBK_SCOPE_ADMIN;
    assert_int_equal(withheld_all(rq, &all, &err), DBK_OK);
    assert_int_equal(all->count, 0);
    rq->scopes = DBK_SCOPE_READ;
    say(service.log, DBK_PERSON_UNRESTRICTED, &kate);
    script.fails = true;
    for (int i = 0; i < 2; i++)
        assert_int_equal(withheld_all(rq, &all, &err), DBK_IO);
    script.fails = false;
    assert_int_equal(withheld_all(rq, &all, &err), DBK_OK);
    assert_int_equal(all->count, 0);
    worker_destroy(worker);
    dbk_log_close(service.log);
    scratch_dir_remove(live.dir);
}

static void a_page_shows_nobody_who_is_restricted_when_it_was_read(void **state)
{
    struct live *live = calloc(1, sizeof *live);
    struct dbk_server_options options;
    char secret[DBK_TOKEN_SECRET + 1], header[96];
    struct dbk_error err = {0};
    struct heard heard;

    (void)state;
    memset(&script, 0, sizeof script);
    assert_non_null(live);
    scratch_dir_make(live->dir);
    options = live_options(live);
    options.tokens_dir = live->dir;
    if (dbk_log_open(live->dir, NULL, &live->log, &err) != DBK_OK ||
        dbk_tokens_create(live->dir, "audit", DBK_SCOPE_AUDIT, NULL, secret, &err) !=
            DBK_OK ||
        dbk_server_start(live->log, NULL, NULL, &options, &live->server, &err) !=
            DBK_OK)
        fail_msg("%s", err.text);
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", secret);
    script.kate = add_person(live->log, MARK);
    heard = live_ask(live, "GET", "/log", header, NULL);
    assert_heard(&heard, 200, MARK);
    heard_free(&heard);
    script.restrict_at_read = live->log;
    heard = live_ask(live, "GET", "/log", header, NULL);
    assert_heard(&heard, 200, "\"restricted\":true");
    assert_null(strstr(heard.body, MARK));
    heard_free(&heard);
    live_stop(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_read_anew_only_where_the_log_has_more),
        cmocka_unit_test(a_page_shows_nobody_who_is_restricted_when_it_was_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
