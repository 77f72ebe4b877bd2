/* A log whose ring of keys is cut, gone, another one's, or damaged in places. */
#include "kate_log.h"

#include "ring_format.h"
#include "store/clock.h"
#include "store/verify.h"

enum { PERSONS = 4, USED = PERSONS + 2 /* kate's, and of her anonymous id */ };

static const char *ring_path(const struct scratch *s)
{
    static char path[120];

    snprintf(path, sizeof path, "%s.keys/ring", s->dir);
    return path;
}

static void write_ring(const struct scratch *s, const char *bytes, size_t length)
{
    int fd = open(ring_path(s), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
}

static void tear_slot(const struct scratch *s, uint64_t number)
{
    int fd = open(ring_path(s), O_WRONLY);

    for (unsigned i = 0; i < RING_SLOT; i++)
        assert_int_equal(pwrite(fd, "x", 1, (off_t)(RING_SLOT_AT(number) + i)), 1);
    close(fd);
}

static void close_all(struct scratch *s)
{
    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    s->log = NULL;
    s->keys = NULL;
}

static enum dbk_code open_all(struct scratch *s, bool read_only)
{
    char dir[120];
    enum dbk_code code;

    sealed_keys_dir(s, dir);
    code = dbk_keys_open(dir, NULL, &s->keys, &s->err);
    return code == DBK_OK ? open_with(s, s->keys, read_only) : code;
}

static void assert_size(const struct scratch *s, size_t size)
{
    struct stat status;

    assert_int_equal(stat(ring_path(s), &status), 0);
    assert_int_equal(status.st_size, size);
}

static void assert_refused(struct scratch *s, size_t size)
{
    for (int read_only = 0; read_only < 2; read_only++) {
        assert_int_not_equal(open_all(s, read_only), DBK_OK);
        assert_non_null(strstr(s->err.text, "cut"));
        assert_non_null(strstr(s->err.text, "put back"));
        close_all(s);
        assert_size(s, size); /* what is missing is not made anew */
    }
}

/* Of the last whose key was used. */
static void assert_read(struct scratch *s, uint64_t last)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;

    if (open_all(s, false) != DBK_OK)
        fail_msg("%s", s->err.text);
    record = record_at(s, last, &batch);
    assert_int_equal(record.key, USED);
    assert_true(dbk_slice_equal(record.person.email, dbk_slice("p4@x.mock")));
    dbk_batch_finish(&batch);
    close_all(s);
}

static void a_ring_that_is_cut_is_refused_wherever_it_ends(void **state)
{
    struct scratch *s = *state;
    char email[32], *whole;
    size_t length, least = RING_SLOT_AT(USED) + RING_SLOT;
    uint64_t last;

    add_kate(s);
    for (int i = 1; i <= PERSONS; i++) {
        snprintf(email, sizeof email, "p%d@x.mock", i);
        add_person(s, email);
    }
    assert_int_equal(dbk_log_head(s->log, &last, &s->err), DBK_OK);
    close_all(s);
    whole = read_file(ring_path(s), &length);
    for (size_t at = 0; at <= least; at += RING_SLOT) {
        for (size_t size = at > 0 ? at - 1 : 0; size <= at + 1; size++) {
            write_ring(s, whole, size);
            if (size < least)
                assert_refused(s, size);
            else
                assert_read(s, last);
        }
    }
    write_ring(s, whole, length);
    assert_read(s, last);
    free(whole);
}

/* While it is open. */

static enum dbk_code submit_once(struct scratch *s, const struct dbk_record *draft)
{
    struct dbk_command *command = command_of(draft);
    enum dbk_code code = dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err);

    if (code == DBK_OK)
        code = dbk_command_verdict(command)->code;
    dbk_command_destroy(command);
    return code;
}

static enum dbk_code submit_event(struct scratch *s, const struct dbk_uuid *person)
{
    struct dbk_record draft = draft_event(person);

    return submit_once(s, &draft);
}

/* It is seen a moment later. */
static void await(struct scratch *s, const struct dbk_uuid *person, enum dbk_code code)
{
    for (int i = 0; i < 10000 && submit_event(s, person) != code; i++)
        dbk_sleep_ms(1);
    assert_int_equal(submit_event(s, person), code);
}

static void assert_away(struct scratch *s, const struct dbk_uuid *person,
                        const char *text)
{
    struct dbk_log_health health;
    struct dbk_batch batch = {0};
    struct dbk_record record;
    uint64_t before, after;

    await(s, person, DBK_KEYS_AWAY);
    if (!strstr(s->err.text, text))
        fail_msg("%s", s->err.text);
    dbk_log_health(s->log, &health);
    assert_int_equal(health.code, DBK_KEYS_AWAY);
    assert_non_null(strstr(health.why, text));
    assert_int_equal(dbk_log_head(s->log, &before, &s->err), DBK_OK);
    assert_int_equal(submit_event(s, person), DBK_KEYS_AWAY);
    assert_int_equal(dbk_log_head(s->log, &after, &s->err), DBK_OK);
    assert_int_equal(before, after);
    assert_int_equal(dbk_log_record(s->log, 1, &batch, &record, &s->err),
                     DBK_KEYS_AWAY);
    dbk_batch_finish(&batch);
}

static void await_health(struct scratch *s, enum dbk_code code)
{
    struct dbk_log_health health = {.code = DBK_INTERNAL};

    for (int i = 0; i < 10000 && health.code != code; i++) {
        dbk_log_health(s->log, &health);
        dbk_sleep_ms(1);
    }
    assert_int_equal(health.code, code);
}

static void assert_back(struct scratch *s, const struct dbk_uuid *person)
{
    await_health(s, DBK_OK); /* also where nobody writes */
    assert_int_equal(submit_event(s, person), DBK_OK);
}

/* A ring that the same master key opens. */
static char *another_logs(struct scratch *s, size_t *length)
{
    char keys[120], dir[140], master[140], path[160], *bytes;
    const struct dbk_keys_options options = {.master = master};

    sealed_keys_dir(s, keys);
    snprintf(dir, sizeof dir, "%s/other", keys);
    snprintf(master, sizeof master, "%s/master", keys);
    assert_int_equal(dbk_keys_make(dir, &options, &s->err), DBK_OK);
    snprintf(path, sizeof path, "%s/ring", dir);
    bytes = read_file(path, length);
    sealed_remove_ring(dir);
    return bytes;
}

static void a_ring_that_goes_while_it_is_open_is_told_and_found_again(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    char away[128], *whole, *other;
    size_t length, other_length;

    snprintf(away, sizeof away, "%s.keys/away", s->dir);
    whole = read_file(ring_path(s), &length);
    assert_int_equal(rename(ring_path(s), away), 0);
    assert_away(s, &erik, "was removed");
    assert_int_equal(rename(away, ring_path(s)), 0);
    assert_back(s, &erik);

    assert_int_equal(truncate(ring_path(s), RING_SLOT_AT(1)), 0);
    assert_away(s, &erik, "ends at key 0, and the log uses 1");
    write_ring(s, whole, length);
    assert_back(s, &erik);

    assert_int_equal(truncate(ring_path(s), 100), 0);
    assert_away(s, &erik, "cut short");
    write_ring(s, whole, length);
    assert_back(s, &erik);

    other = another_logs(s, &other_length);
    write_ring(s, other, other_length);
    assert_away(s, &erik, "another log");
    write_ring(s, whole, length);
    assert_back(s, &erik);
    free(whole);
    free(other);
    assert_verifies(s);
}

/* Nobody writes or reads: who asks how it is is told. */
static void a_ring_that_goes_is_told_before_a_write_fails(void **state)
{
    struct scratch *s = *state;
    char away[128];

    add_person(s, "erik@x.mock");
    snprintf(away, sizeof away, "%s.keys/away", s->dir);
    assert_int_equal(rename(ring_path(s), away), 0);
    await_health(s, DBK_KEYS_AWAY);
    assert_int_equal(rename(away, ring_path(s)), 0);
    await_health(s, DBK_OK);
}

/* They were nobody's. Whoever is new meanwhile is refused, at most, until that is seen. */
static void keys_ahead_that_are_cut_off_are_made_again(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    struct dbk_record kate = draft_person("kate@x.mock");
    struct stat status;
    int tries = 0;

    assert_int_equal(truncate(ring_path(s), RING_SLOT_AT(2) + 5), 0);
    while (submit_once(s, &kate) == DBK_KEYS_AWAY && tries++ < 10000)
        dbk_sleep_ms(1);
    assert_int_equal(submit_once(s, &kate), DBK_EXISTS);
    sealed_reopen(s);
    assert_int_equal(submit_event(s, &erik), DBK_OK);
    add_person(s, "anna@x.mock");
    assert_int_equal(stat(ring_path(s), &status), 0);
    assert_true(ring_count((uint64_t)status.st_size) > DBK_KEYS_AHEAD);
    assert_verifies(s);
}

static void an_erasure_without_the_ring_writes_nothing(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate.person.subject);
    char away[128];

    snprintf(away, sizeof away, "%s.keys/away", s->dir);
    assert_int_equal(rename(ring_path(s), away), 0);
    assert_away(s, &kate.person.subject, "was removed");
    assert_int_equal(submit_once(s, &gone), DBK_KEYS_AWAY);
    assert_int_equal(rename(away, ring_path(s)), 0);
    assert_back(s, &kate.person.subject);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
}

/* Damaged slots. */

static uint64_t key_of(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    uint64_t number = record_at(s, sequence, &batch).key;

    dbk_batch_finish(&batch);
    return number;
}

static void who_has_a_damaged_key_can_be_erased(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate.person.subject),
                      again = marked_person();
    uint64_t of_visit = key_of(s, 1), of_kate = key_of(s, 2);
    struct dbk_keys_check check;

    tear_slot(s, of_visit);
    tear_slot(s, of_kate);
    sealed_reopen(s);
    assert_int_equal(submit_event(s, &kate.person.subject), DBK_DAMAGED);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
    assert_int_equal(submit(s, &gone).code, DBK_EXISTS);
    for (uint64_t at = 1; at <= 4; at++)
        assert_erased(s, at);
    assert_int_equal(dbk_keys_check(s->keys, &check, &s->err), DBK_OK);
    assert_int_equal(check.damaged, 0);
    assert_int_equal(check.erased, 2);
    assert_int_equal(submit_event(s, &kate.person.subject), DBK_NOT_FOUND);
    assert_int_equal(submit_event(s, &erik), DBK_OK);
    /* By what she was known somebody else may be now. */
    assert_int_equal(submit(s, &again).code, DBK_OK);
    assert_int_equal(alias(s, &again.subject, "A-" MARKER).code, DBK_OK);
    assert_verifies(s);
}

static void a_damaged_key_is_named_to_whoever_needs_it(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_record gone = draft_of(DBK_PERSON_DELETED, &kate.person.subject);
    struct dbk_command *command = command_of(&gone);
    struct dbk_person_state person;
    struct dbk_aliases aliases = {0};

    tear_slot(s, key_of(s, 2));
    sealed_reopen(s);
    assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err), DBK_OK);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_DAMAGED);
    assert_non_null(
        strstr(dbk_command_verdict(command)->error.text, "its key is damaged"));
    dbk_command_destroy(command);
    assert_int_equal(dbk_log_person(s->log, &kate.person.subject, &person, &s->err),
                     DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "is damaged in the ring of keys"));
    assert_int_equal(dbk_log_aliases(s->log, &kate.person.subject, &aliases, &s->err),
                     DBK_DAMAGED);
    dbk_aliases_finish(&aliases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ring_that_is_cut_is_refused_wherever_it_ends),
        TEST(a_ring_that_goes_while_it_is_open_is_told_and_found_again),
        TEST(a_ring_that_goes_is_told_before_a_write_fails),
        TEST(keys_ahead_that_are_cut_off_are_made_again),
        TEST(an_erasure_without_the_ring_writes_nothing),
        TEST(who_has_a_damaged_key_can_be_erased),
        TEST(a_damaged_key_is_named_to_whoever_needs_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
