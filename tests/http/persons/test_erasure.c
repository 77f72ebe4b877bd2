/* DELETE /persons/{id}?erase=true and GET /persons/{id}/receipt, on a sealed log and on one that
 * is not. */
#include "live.h"

#include "http/tokens.h"

#define ID "0190aaaa-0000-7000-8000-000000000001"
#define PERSON                                                                         \
    "{\"id\":\"" ID                                                                    \
    "\",\"email\":\"kate@zanzibar.mock\",\"first_name\":\"K\",\"last_name\":\"M\"}"
#define EVENT "{\"event_type\":\"zanzibar\",\"person_id\":\"" ID "\"}"

static atomic_int refused_syncs; /* of the ring's file, not of LMDB's */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (atomic_load(&refused_syncs) == 0)
        return __real_fdatasync(fd);
    atomic_fetch_sub(&refused_syncs, 1);
    errno = EIO;
    return -1;
}

struct world {
    struct live *live;
    struct dbk_keys *keys;
    char ring[SCRATCH_DIR_MAX + 8];
};

static void open_log(struct world *world, bool sealed)
{
    struct dbk_log_options options = {.keys = world->keys};
    struct dbk_server_options served = live_options(world->live);
    struct dbk_error err = {0};

    served.tokens_dir = world->live->dir;
    if (!sealed)
        options.keys = NULL;
    if (dbk_log_open(world->live->dir, &options, &world->live->log, &err) != DBK_OK ||
        dbk_server_start(world->live->log, NULL, NULL, &served, &world->live->server,
                         &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void begin(struct world *world, bool sealed)
{
    world->live = calloc(1, sizeof *world->live);
    assert_non_null(world->live);
    scratch_dir_make(world->live->dir);
    snprintf(world->ring, sizeof world->ring, "%s.keys", world->live->dir);
    assert_int_equal(dbk_keys_make(world->ring, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_keys_open(world->ring, NULL, &world->keys, NULL), DBK_OK);
    open_log(world, sealed);
}

static int sealed_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    begin(world, true);
    *state = world;
    return 0;
}

static int plain_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    begin(world, false);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    live_stop(world->live);
    dbk_keys_close(world->keys);
    scratch_dir_remove(world->ring);
    free(world);
    return 0;
}

/* The body of the answer, which must have this status; to be freed. */
static char *ask(struct world *world, const char *method, const char *path,
                 const char *headers, const char *body, int status)
{
    struct heard heard = live_ask(world->live, method, path, headers, body);
    char *text = strdup(heard.body ? heard.body : "");

    if (heard.status != status)
        fail_msg("%s %s: %d %s", method, path, heard.status, text);
    heard_free(&heard);
    return text;
}

static void expect(struct world *world, const char *method, const char *path,
                   const char *body, int status, const char *says)
{
    char *text = ask(world, method, path, "", body, status);

    if (!strstr(text, says))
        fail_msg("%s %s says %s", method, path, text);
    free(text);
}

static void add_kate(struct world *world)
{
    free(ask(world, "POST", "/persons", "", PERSON, 201));
    free(ask(world, "POST", "/events", "", EVENT, 201));
}

#define ERASE "/persons/" ID "?erase=true"
#define RECEIPT "/persons/" ID "/receipt"

static void erasing_answers_with_a_receipt(void **state)
{
    struct world *world = *state;
    char *first, *again, *read;

    add_kate(world);
    first = ask(world, "DELETE", ERASE, "", NULL, 200);
    assert_non_null(strstr(first, "\"person_id\":\"" ID "\",\"sequence\":4,"));
    assert_non_null(
        strstr(first, "\"keys_destroyed\":1,\"records\":3,\"pending\":true"));
    assert_non_null(strstr(first, "\"rotation\":{\"epoch\":1,\"at\":null}"));
    assert_non_null(strstr(first, "\"keys\":\"destroyed\",\"memory\":\"wiped\""));
    assert_non_null(strstr(first, "\"proof\":null}"));
    again = ask(world, "DELETE", ERASE, "", NULL, 200);
    read = ask(world, "GET", RECEIPT, "", NULL, 200);
    assert_string_equal(again, first);
    assert_string_equal(read, first);
    free(first);
    free(again);
    free(read);
}

/* Nor does what was sent before bring anything back. */
static void nothing_is_left_of_who_was_erased(void **state)
{
    static const char *const paths[] = {
        "/log", "/log/1", "/log/2", "/log/3", "/persons/" ID "/history", "/metrics",
    };
    struct world *world = *state;

    free(ask(world, "POST", "/persons", "Idempotency-Key: a\r\n", PERSON, 201));
    free(ask(world, "POST", "/events", "Idempotency-Key: b\r\n", EVENT, 201));
    expect(world, "DELETE", ERASE, NULL, 200, "person_id");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char *text = ask(world, "GET", paths[i], "", NULL, 200);

        if (strstr(text, "zanzibar"))
            fail_msg("%s has it: %s", paths[i], text);
        free(text);
    }
    expect(world, "DELETE", "/persons/" ID, NULL, 410, "");
    expect(world, "PATCH", "/persons/" ID, "{\"role\":\"admin\"}", 410, "");
    expect(world, "POST", "/events", EVENT, 404, "");
    expect(world, "POST", "/persons", PERSON, 410, "");
}

static void what_was_sent_with_a_key_is_not_answered_again(void **state)
{
    struct world *world = *state;
    struct heard heard;

    free(ask(world, "POST", "/persons", "Idempotency-Key: a\r\n", PERSON, 201));
    free(ask(world, "POST", "/events", "Idempotency-Key: b\r\n", EVENT, 201));
    free(ask(world, "DELETE", ERASE, "", NULL, 200));
    heard = live_ask(world->live, "POST", "/persons", "Idempotency-Key: a\r\n", PERSON);
    if (heard.status < 400 || heard.status >= 500)
        fail_msg("%d %s", heard.status, heard.body);
    assert_null(strstr(heard.body, "zanzibar"));
    heard_free(&heard);
    heard = live_ask(world->live, "POST", "/events", "Idempotency-Key: b\r\n", EVENT);
    if (heard.status < 400 || heard.status >= 500)
        fail_msg("%d %s", heard.status, heard.body);
    assert_null(strstr(heard.body, "zanzibar"));
    heard_free(&heard);
}

static void who_was_deleted_before_can_be_erased(void **state)
{
    struct world *world = *state;

    add_kate(world);
    expect(world, "GET", RECEIPT, NULL, 404, "not erased");
    expect(world, "DELETE", "/persons/" ID, NULL, 200, "\"data\":null");
    expect(world, "GET", RECEIPT, NULL, 404, "not erased");
    expect(world, "DELETE", ERASE, NULL, 200, "\"sequence\":5,");
    expect(world, "GET", RECEIPT, NULL, 200, "\"records\":3,");
}

static void nobody_else_is_erased(void **state)
{
    struct world *world = *state;

    expect(world, "DELETE", ERASE, NULL, 404, "");
    expect(world, "GET", RECEIPT, NULL, 404, "no person has had this id");
    expect(world, "DELETE", "/persons/" ID "?erase=yes", NULL, 400, "\"erase\"");
    expect(world, "DELETE", "/persons/" ID "?erase=false", NULL, 404, "");
}

static void a_version_that_is_named_must_be_the_persons(void **state)
{
    struct world *world = *state;
    struct heard heard;
    char tag[256], header[300];

    heard = live_ask(world->live, "POST", "/persons", "", PERSON);
    heard_header(&heard, "ETag", tag);
    heard_free(&heard);
    free(ask(world, "DELETE", ERASE, "If-Match: \"9-1\"\r\n", NULL, 412));
    snprintf(header, sizeof header, "If-Match: %s\r\n", tag);
    free(ask(world, "DELETE", ERASE, header, NULL, 200));
    free(ask(world, "DELETE", ERASE, header, NULL,
             200)); /* as it was, whatever it says */
}

static void a_log_that_is_not_sealed_says_so(void **state)
{
    struct world *world = *state;

    add_kate(world);
    expect(world, "DELETE", ERASE, NULL, 409, "daybook reseal");
    expect(world, "DELETE", "/persons/" ID, NULL, 200, "\"data\":null");
}

static void bearer(struct world *world, const char *name, unsigned scopes, char out[96])
{
    char secret[DBK_TOKEN_SECRET + 1];

    assert_int_equal(
        dbk_tokens_create(world->live->dir, name, scopes, NULL, secret, NULL), DBK_OK);
    snprintf(out, 96, "Authorization: Bearer %s\r\n", secret);
}

static void erasing_is_a_scope_of_its_own(void **state)
{
    struct world *world = *state;
    char write[96], erase[96], audit[96], admin[96];

    add_kate(world);
    dbk_server_stop(world->live->server, 2000);
    dbk_log_close(world->live->log);
    bearer(world, "write", DBK_SCOPE_WRITE, write);
    bearer(world, "erase", DBK_SCOPE_ERASE, erase);
    bearer(world, "audit", DBK_SCOPE_AUDIT, audit);
    bearer(world, "admin", DBK_SCOPE_ADMIN, admin);
    open_log(world, true);
    free(ask(world, "DELETE", ERASE, "", NULL, 401));
    free(ask(world, "DELETE", ERASE, write, NULL, 403));
    free(ask(world, "DELETE", "/persons/" ID, erase, NULL, 403));
    free(ask(world, "DELETE", ERASE, audit, NULL, 403));
    free(ask(world, "DELETE", ERASE, erase, NULL, 200));
    free(ask(world, "DELETE", ERASE, admin, NULL, 200));
    free(ask(world, "GET", RECEIPT, write, NULL, 403));
    free(ask(world, "GET", RECEIPT, erase, NULL, 200));
    free(ask(world, "GET", RECEIPT, audit, NULL, 200));
}

/* The record is there, so nothing more is accepted of the person; the receipt says how it is. */
static void what_the_disk_refused_is_done_when_it_is_asked_for_again(void **state)
{
    struct world *world = *state;

    add_kate(world);
    atomic_store(&refused_syncs, 1);
    free(ask(world, "DELETE", ERASE, "", NULL, 503));
    assert_int_equal(atomic_load(&refused_syncs), 0);
    expect(world, "GET", RECEIPT, NULL, 200,
           "\"keys\":\"pending\",\"memory\":\"pending\"");
    expect(world, "DELETE", "/persons/" ID, NULL, 410, "");
    expect(world, "DELETE", ERASE, NULL, 200, "\"sequence\":4,");
    expect(world, "GET", RECEIPT, NULL, 200, "\"keys\":\"destroyed\"");
}

static void a_rotation_completes_it(void **state)
{
    struct world *world = *state;
    struct dbk_keys_rotation rotation;

    add_kate(world);
    free(ask(world, "DELETE", ERASE, "", NULL, 200));
    assert_int_equal(dbk_keys_rotate(world->keys, &rotation, NULL), DBK_OK);
    expect(world, "GET", RECEIPT, NULL, 200,
           "\"pending\":false,\"rotation\":{\"epoch\":2,\"at\":\"20");
}

static void an_email_is_no_request_id(void **state)
{
    struct world *world = *state;
    char *text;

    free(ask(world, "POST", "/persons", "X-Request-Id: kate@zanzibar.mock\r\n", PERSON,
             201));
    free(ask(world, "DELETE", ERASE, "X-Request-Id: of kate@zanzibar.mock\r\n", NULL,
             200));
    text = ask(world, "GET", "/log", "", NULL, 200);
    assert_null(strstr(text, "zanzibar"));
    free(text);
}

#define TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(erasing_answers_with_a_receipt, sealed_setup),
        TEST(nothing_is_left_of_who_was_erased, sealed_setup),
        TEST(what_was_sent_with_a_key_is_not_answered_again, sealed_setup),
        TEST(who_was_deleted_before_can_be_erased, sealed_setup),
        TEST(nobody_else_is_erased, sealed_setup),
        TEST(a_version_that_is_named_must_be_the_persons, sealed_setup),
        TEST(a_log_that_is_not_sealed_says_so, plain_setup),
        TEST(erasing_is_a_scope_of_its_own, sealed_setup),
        TEST(what_the_disk_refused_is_done_when_it_is_asked_for_again, sealed_setup),
        TEST(a_rotation_completes_it, sealed_setup),
        TEST(an_email_is_no_request_id, sealed_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
