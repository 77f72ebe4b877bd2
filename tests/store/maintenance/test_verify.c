#include "sealed_log.h"

#include "store/verify.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

/* The findings of one check. */
struct findings {
    size_t count;
    uint64_t sequences[128];
    char texts[128][256];
};

static void note(void *context, uint64_t sequence, const char *text)
{
    struct findings *findings = context;

    if (findings->count < 128) {
        findings->sequences[findings->count] = sequence;
        snprintf(findings->texts[findings->count], 256, "%s", text);
    }
    findings->count++;
}

/* Some of everything. */
static void fill(struct scratch *s)
{
    for (int i = 0; i < 20; i++) {
        char email[32];
        struct dbk_uuid person;
        struct dbk_record event, gone, update;

        snprintf(email, sizeof email, "p%d@x.mock", i);
        person = add_person(s, email);
        event = draft_event(&person);
        event.properties = dbk_slice("{\"page\": \"unmistakable\"}");
        submit(s, &event);
        gone = draft_of(DBK_EVENT_DELETED, &event.subject);
        if (i % 4 == 0)
            submit(s, &gone);
        update = draft_of(DBK_PERSON_UPDATED, &person);
        update.person.has = DBK_HAS_EMAIL;
        snprintf(email, sizeof email, "q%d@x.mock", i);
        update.person.email = dbk_slice(email);
        submit(s, &update);
        gone = draft_of(DBK_PERSON_DELETED, &person);
        if (i % 5 == 0)
            submit(s, &gone);
    }
}

static struct dbk_verify_result check(struct scratch *s, struct findings *findings)
{
    struct dbk_verify_options options = {
        .finding = note, .context = findings, .keys = s->keys};
    struct dbk_verify_result result;
    char scratch_dir[80];

    memset(findings, 0, sizeof *findings);
    snprintf(scratch_dir, sizeof scratch_dir, "%.60s.verify", s->dir);
    options.scratch_dir = scratch_dir;
    dbk_log_close(s->log); /* it forks */
    s->log = NULL;
    if (dbk_log_verify(s->dir, &options, &result, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_int_not_equal(access(scratch_dir, F_OK), 0); /* removed again */
    return result;
}

static void a_sound_log_has_no_findings(void **state)
{
    struct scratch *s = *state;
    struct dbk_verify_result result;
    struct findings findings;

    fill(s);
    result = check(s, &findings);
    assert_int_equal(findings.count, 0);
    assert_int_equal(result.findings, 0);
    assert_int_equal(result.records, result.head);
    assert_int_equal(result.head, 69);
    assert_true(result.whole);
    assert_true(result.readable);
}

/* Change the log's databases by plain LMDB. */
static MDB_txn *begin(const struct scratch *s, MDB_env **env)
{
    MDB_txn *txn;

    assert_int_equal(mdb_env_create(env), 0);
    mdb_env_set_maxdbs(*env, 8);
    assert_int_equal(mdb_env_open(*env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(*env, NULL, 0, &txn), 0);
    return txn;
}

static void end(MDB_env *env, MDB_txn *txn)
{
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_missing_record_is_named(void **state)
{
    struct scratch *s = *state;
    struct findings findings;
    uint64_t sequence = 7;
    MDB_val key = {sizeof sequence, &sequence};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi log;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    txn = begin(s, &env);
    assert_int_equal(mdb_dbi_open(txn, "log", MDB_INTEGERKEY, &log), 0);
    assert_int_equal(mdb_del(txn, log, &key, NULL), 0);
    end(env, txn);
    assert_false(check(s, &findings).whole);
    assert_true(findings.count >= 1);
    assert_int_equal(findings.sequences[0], 7);
    assert_non_null(strstr(findings.texts[0], "missing"));
}

static void index_entries_missing_extra_and_other_are_named(void **state)
{
    struct scratch *s = *state;
    struct findings findings;
    MDB_val missing = {sizeof "q1@x.mock" - 1, "q1@x.mock"};
    MDB_val extra = {sizeof "nobody@x.mock" - 1, "nobody@x.mock"};
    MDB_val other = {sizeof "q2@x.mock" - 1, "q2@x.mock"};
    MDB_val value = {16, "0123456789abcdef"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi email;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    txn = begin(s, &env);
    assert_int_equal(mdb_dbi_open(txn, "email", 0, &email), 0);
    assert_int_equal(mdb_del(txn, email, &missing, NULL), 0);
    assert_int_equal(mdb_put(txn, email, &extra, &value, 0), 0);
    assert_int_equal(mdb_put(txn, email, &other, &value, 0), 0);
    end(env, txn);
    check(s, &findings);
    assert_int_equal(findings.count, 3);
    assert_non_null(strstr(findings.texts[0], "nobody@x.mock"));
    assert_non_null(strstr(findings.texts[1], "q1@x.mock"));
    assert_non_null(strstr(findings.texts[1], "missing"));
    assert_non_null(strstr(findings.texts[2], "another value"));

    assert_int_equal(dbk_log_repair_indexes(s->dir, NULL, NULL, &s->err), DBK_OK);
    check(s, &findings);
    assert_int_equal(findings.count, 0);
}

static char *read_file(const char *path, size_t *size)
{
    struct stat st;
    char *bytes;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    bytes = malloc((size_t)st.st_size);
    *size = (size_t)st.st_size;
    assert_int_equal(read(fd, bytes, *size), st.st_size);
    close(fd);
    return bytes;
}

static void write_byte(const char *path, size_t offset, char byte)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
}

/* Each byte of the file would take minutes: a fixed stride, prime to the page's size. */
static void a_flipped_byte_anywhere_never_kills(void **state)
{
    struct scratch *s = *state;
    struct dbk_verify_options options = {.scratch_dir = NULL};
    struct findings findings;
    char path[128], scratch_dir[80], *bytes;
    size_t size;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    snprintf(scratch_dir, sizeof scratch_dir, "%.60s.verify", s->dir);
    options = (struct dbk_verify_options){
        .scratch_dir = scratch_dir, .finding = note, .context = &findings};
    bytes = read_file(path, &size);
    for (size_t at = 0; at < size; at += 331) {
        struct dbk_verify_result result;
        enum dbk_code code;

        memset(&findings, 0, sizeof findings);
        write_byte(path, at, (char)(bytes[at] ^ 0x20));
        code = dbk_log_verify(s->dir, &options, &result, &s->err);
        write_byte(path, at, bytes[at]);
        assert_true(code == DBK_OK || code == DBK_DAMAGED || code == DBK_UNSUPPORTED ||
                    code == DBK_IO);
        if (code == DBK_OK)
            assert_true(!result.whole || result.records == 69);
    }
    free(bytes);
    assert_int_equal(check(s, &findings).findings, 0); /* as it was */
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* In the heads of pages, where it leads LMDB astray: the page's kind, how much is free,
 * where the first entries lie. */
static void a_flipped_byte_never_kills_a_repair(void **state)
{
    static const size_t places[] = {10, 12, 13, 17, 19, 21};
    struct scratch *s = *state;
    char path[128], *bytes;
    size_t size, died = 0;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    bytes = read_file(path, &size);
    for (size_t i = 0; i < size / 4096 * 6; i++) {
        size_t at = i / 6 * 4096 + places[i % 6];

        write_byte(path, at, (char)(bytes[at] ^ 0xff));
        if (dbk_log_repair_indexes(s->dir, NULL, NULL, &s->err) == DBK_DAMAGED)
            died += strstr(s->err.text, "ended the reader") != NULL;
        write_file(path, bytes, size);
    }
    assert_true(died > 0); /* in its own process */
    free(bytes);
}

/* Of which LMDB knows nothing. */
static void a_damaged_idempotency_key_is_told_and_does_not_spoil_the_rest(void **state)
{
    struct scratch *s = *state;
    struct dbk_verify_result result;
    struct findings findings;
    MDB_val key = {32, "0123456789abcdef0123456789abcdef"}, value = {7, "1234567"};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi idempotency;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    txn = begin(s, &env);
    assert_int_equal(mdb_dbi_open(txn, "idempotency", 0, &idempotency), 0);
    assert_int_equal(mdb_put(txn, idempotency, &key, &value, 0), 0);
    end(env, txn);
    result = check(s, &findings);
    assert_int_equal(findings.count, 1);
    assert_non_null(strstr(findings.texts[0], "idempotency"));
    assert_true(result.whole);
    assert_true(result.readable);
}

/* Every copy of the text that a page in use holds. */
static void a_byte_flipped_in_a_record_names_the_record(void **state)
{
    struct scratch *s = *state;
    struct findings findings;
    char path[128], *bytes, *at;
    size_t size, named = 0;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    bytes = read_file(path, &size);
    for (at = bytes; (at = memmem(at, size - (size_t)(at - bytes), "unmistakable", 12));
         at++) {
        write_byte(path, (size_t)(at - bytes), 'U');
        check(s, &findings);
        write_byte(path, (size_t)(at - bytes), 'u');
        if (findings.count == 0)
            continue; /* an old copy, on a page no longer in use */
        assert_non_null(strstr(findings.texts[0], "checksum"));
        named++;
    }
    assert_int_equal(named, 20);
    free(bytes);
}

static bool stop_at_once(void *context)
{
    (void)context;
    return true;
}

static void a_check_can_be_stopped(void **state)
{
    struct scratch *s = *state;
    struct dbk_verify_options options = {.watch = {.stop = stop_at_once}};
    struct dbk_verify_result result;
    char scratch_dir[80];

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(scratch_dir, sizeof scratch_dir, "%.60s.verify", s->dir);
    options.scratch_dir = scratch_dir;
    assert_int_equal(dbk_log_verify(s->dir, &options, &result, &s->err),
                     DBK_INTERRUPTED);
    assert_int_not_equal(access(scratch_dir, F_OK), 0);
}

static void a_damaged_record_forbids_a_repair(void **state)
{
    struct scratch *s = *state;
    struct findings findings;
    char path[128], *bytes, *at;
    size_t size;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    bytes = read_file(path, &size);
    for (at = bytes; (at = memmem(at, size - (size_t)(at - bytes), "unmistakable", 12));
         at++)
        write_byte(path, (size_t)(at - bytes), 'U');
    free(bytes);
    assert_int_equal(dbk_log_repair_indexes(s->dir, NULL, NULL, &s->err), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "record 2"));
    check(s, &findings);
    assert_int_equal(findings.sequences[0], 2);
}

static void the_indexes_of_a_sealed_log_are_made_by_its_ring(void **state)
{
    struct scratch *s = *state;
    struct findings findings;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi email;

    fill(s);
    dbk_log_close(s->log);
    s->log = NULL;
    txn = begin(s, &env);
    assert_int_equal(mdb_dbi_open(txn, "email", 0, &email), 0);
    assert_int_equal(mdb_drop(txn, email, 0), 0);
    end(env, txn);
    assert_int_equal(dbk_log_repair_indexes(s->dir, NULL, NULL, &s->err),
                     DBK_UNSUPPORTED);
    assert_non_null(strstr(s->err.text, "ring of keys, which is not here"));
    if (dbk_log_repair_indexes(s->dir, s->keys, NULL, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    check(s, &findings);
    assert_int_equal(findings.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_log_has_no_findings),
        TEST(a_missing_record_is_named),
        TEST(index_entries_missing_extra_and_other_are_named),
        TEST(a_byte_flipped_in_a_record_names_the_record),
        TEST(a_flipped_byte_anywhere_never_kills),
        TEST(a_flipped_byte_never_kills_a_repair),
        TEST(a_damaged_idempotency_key_is_told_and_does_not_spoil_the_rest),
        TEST(a_check_can_be_stopped),
        TEST(a_damaged_record_forbids_a_repair),
        cmocka_unit_test_setup_teardown(
            the_indexes_of_a_sealed_log_are_made_by_its_ring, sealed_setup,
            sealed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
