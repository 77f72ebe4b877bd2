/* What is forgotten by age: each event of the months that are due, whoever it was of, whatever
 * fails meanwhile, and nothing else. */
#include "copied_log.h"

#include "scripted_commits.h"
#include "store/backup.h"

#include <sys/wait.h>

/* What the system clock says. */
static dbk_timestamp now;
dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return now;
}

static dbk_timestamp at(const char *text)
{
    dbk_timestamp time;

    assert_true(dbk_timestamp_parse(text, strlen(text), &time));
    return time;
}

/* What writes to the ring, and syncs it; LMDB's are not ours. From the call `failing` on, which
 * does half of it, all are refused, or the process ends; 0: none. */
ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static int failing, calls;
static bool killed;

static bool fails(void)
{
    calls++;
    errno = EIO;
    return failing > 0 && calls >= failing;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    if (!fails())
        return __real_pwrite(fd, bytes, length, offset);
    if (calls == failing && __real_pwrite(fd, bytes, length / 2, offset) < 0)
        return -1;
    if (killed)
        _exit(9);
    errno = EIO;
    return -1;
}

int __wrap_fdatasync(int fd)
{
    if (!fails())
        return __real_fdatasync(fd);
    if (killed)
        _exit(9);
    return -1;
}

static int setup(void **state)
{
    struct scratch *s;
    int rc = sealed_setup(state);

    if (rc != 0)
        return rc;
    s = *state;
    s->by_month = true;
    scratch_reopen(s);
    failing = calls = 0;
    killed = false;
    now = at("2026-01-10T12:00:00");
    return 0;
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, sealed_teardown)

static struct dbk_log_expiry expire(struct scratch *s, const char *before)
{
    struct dbk_log_expiry expiry;

    if (dbk_log_expire(s->log, at(before), "test", &expiry, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    return expiry;
}

static void assert_expired(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};

    assert_true(record_at(s, sequence, &batch).expired);
    dbk_batch_finish(&batch);
    assert_erased(s, sequence);
}

static void assert_readable(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, sequence, &batch);

    assert_true(record.opened && !record.erased && !record.expired);
    dbk_batch_finish(&batch);
}

static unsigned format_at(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    unsigned format = record_at(s, sequence, &batch).format;

    dbk_batch_finish(&batch);
    return format;
}

static bool is_found(struct scratch *s, const struct dbk_uuid *event)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;
    enum dbk_code code = dbk_log_read_event(s->log, event, &batch, &record, &s->err);

    assert_true(code == DBK_OK || code == DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
    return code == DBK_OK;
}

static struct dbk_uuid record_event(struct scratch *s, const struct dbk_uuid *person)
{
    struct dbk_record event = draft_event(person);

    assert_int_equal(submit(s, &event).code, DBK_OK);
    return event.subject;
}

static void the_events_of_a_month_are_forgotten_and_nothing_else(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s); /* 1 visit, 2 person, 3 event, 4 alias */
    struct dbk_batch batch = {0};
    struct dbk_log_expiry expiry;
    struct dbk_record record;
    struct dbk_uuid later;

    now = at("2026-02-01T00:00:00");
    later = record_event(s, &kate.person.subject); /* 5 */
    now = at("2026-03-20T00:00:00");
    expiry = expire(s, "2026-02-27T23:00:00");
    assert_int_equal(expiry.sequence, 6);
    assert_int_equal(expiry.through, 4);
    record = record_at(s, 6, &batch);
    assert_int_equal(record.type, DBK_EVENTS_EXPIRED);
    assert_int_equal(record.format, 7);
    assert_int_equal(record.before, at("2026-02-01T00:00:00"));
    assert_int_equal(record.keys.length, 8);
    dbk_batch_finish(&batch);
    for (int i = 0; i < 2; i++) {
        assert_expired(s, 1);
        assert_readable(s, 2);
        assert_expired(s, 3);
        assert_readable(s, 4);
        assert_readable(s, 5);
        assert_false(is_found(s, &kate.event.subject));
        assert_false(is_found(s, &kate.visit.subject));
        assert_true(is_found(s, &later));
        assert_verifies(s);
        sealed_reopen(s);
    }
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &kate.event.subject).code,
                     DBK_NOT_FOUND);
    assert_int_equal(submit(s, &kate.event).code, DBK_CONFLICT);
    assert_int_equal(submit(s, &kate.visit).code, DBK_CONFLICT);
    assert_int_equal(delete_it(s, DBK_EVENT_DELETED, &later).code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    assert_verifies(s);
}

static void what_is_not_due_is_left(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate;
    uint64_t head;

    assert_int_equal(expire(s, "2026-06-01T00:00:00").sequence, 0);
    kate = add_person(s, "kate@x.mock");
    record_event(s, &kate);
    head = head_of(s);
    assert_int_equal(expire(s, "2026-01-31T23:59:59.999999").sequence, 0);
    assert_int_equal(expire(s, "2027-01-01T00:00:00").sequence, 0); /* it is not over */
    assert_int_equal(head_of(s), head);
    now = at("2026-02-01T00:00:00");
    assert_int_equal(expire(s, "2026-02-01T00:00:00").through, head);
    assert_int_equal(expire(s, "2026-02-01T00:00:00").sequence, 0);
    assert_int_equal(expire(s, "2026-01-01T00:00:00").through, head); /* as it was */
    assert_int_equal(head_of(s), head + 1);
    assert_verifies(s);
}

static void one_that_is_not_sealed_forgets_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_expiry expiry;

    assert_int_equal(
        dbk_log_expire(s->log, at("2026-01-01T00:00:00"), "test", &expiry, &s->err),
        DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "not sealed"));
}

/* Of many at once their submitter seals each, before the turn to write knows the time. */
static void many_at_once_are_of_their_month(void **state)
{
    enum { MANY = 20 };
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    struct dbk_command *commands[MANY];

    for (int month = 1; month <= 3; month++) {
        now = at("2026-01-10T12:00:00") + (month - 1) * INT64_C(31) * 86400 * 1000000;
        for (size_t i = 0; i < MANY; i++) {
            struct dbk_record event = draft_event(i % 3 ? &kate : &erik);
            commands[i] = command_of(&event);
        }
        assert_int_equal(dbk_log_submit(s->log, commands, MANY, NULL, NULL, &s->err),
                         DBK_OK);
        for (size_t i = 0; i < MANY; i++)
            dbk_command_destroy(commands[i]);
    }
    assert_int_equal(expire(s, "2026-03-01T00:00:00").through, 2 + 2 * MANY);
    for (uint64_t i = 3; i <= 2 + 2 * MANY; i++)
        assert_expired(s, i);
    for (uint64_t i = 3 + 2 * MANY; i < head_of(s); i++)
        assert_readable(s, i);
    assert_verifies(s);
}

/* What was recorded without goes on without, and expires with the first month behind it. */
static void it_can_be_switched_on_and_off(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate, events[5];

    s->by_month = false;
    scratch_reopen(s);
    kate = add_person(s, "kate@x.mock");
    for (size_t i = 0; i < 5; i++) { /* on in February and May */
        static const char *const times[] = {
            "2026-01-10T00:00:00", "2026-02-10T00:00:00", "2026-03-10T00:00:00",
            "2026-04-10T00:00:00", "2026-05-10T00:00:00"};
        now = at(times[i]);
        s->by_month = i == 1 || i == 4;
        scratch_reopen(s);
        events[i] = record_event(s, &kate);
        assert_int_equal(format_at(s, 2 + i), s->by_month ? 7 : 4);
    }
    now = at("2026-07-01T00:00:00");
    assert_int_equal(expire(s, "2026-02-01T00:00:00").through, 0);
    assert_true(is_found(s, &events[0]));
    assert_int_equal(expire(s, "2026-03-01T00:00:00").through, 3);
    assert_expired(s, 2); /* its own key is there still */
    assert_expired(s, 3);
    assert_readable(s, 4);
    assert_false(is_found(s, &events[0]) || is_found(s, &events[1]));
    assert_true(is_found(s, &events[2]));
    assert_int_equal(expire(s, "2026-05-01T00:00:00").sequence, 0);
    assert_true(is_found(s, &events[3]));
    assert_int_equal(expire(s, "2026-06-01T00:00:00").through, 7);
    assert_expired(s, 5);
    assert_expired(s, 6);
    assert_false(is_found(s, &events[2]) || is_found(s, &events[4]));
    assert_verifies(s);
}

/* A month that is not yet is over once a later one begins; one that comes again is another. */
static void a_clock_that_was_wrong_keeps_nothing_for_ever(void **state)
{
    static const char *const times[] = {"2026-01-10T00:00:00", "2040-01-01T00:00:00",
                                        "2026-02-28T00:00:00", "2026-01-31T00:00:00",
                                        "2026-02-28T00:00:00"};
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");

    for (size_t i = 0; i < 5; i++) {
        now = at(times[i]);
        record_event(s, &kate);
    }
    now = at("2026-04-01T00:00:00");
    assert_int_equal(expire(s, "2026-02-01T00:00:00").through, 2);
    assert_expired(s, 2);
    assert_readable(s, 3);
    assert_readable(s, 4);
    assert_int_equal(expire(s, "2026-03-01T00:00:00").through, 7);
    for (uint64_t i = 2; i <= 6; i++)
        assert_expired(s, i);
    record_event(s, &kate);
    assert_verifies(s);
}

/* Who made the indexes anew knows no more which key the anonymous id had. */
static void an_anonymous_id_goes_on_when_its_events_are_forgotten(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), event;

    record_anonymous(s, "d1");
    record_anonymous(s, "d2");
    record_anonymous(s, "d3");
    assert_int_equal(alias(s, &kate, "d2").code, DBK_OK);
    assert_int_equal(alias(s, &kate, "d3").code, DBK_OK);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate).code, DBK_OK);
    record_anonymous(s, "d3");
    now = at("2026-02-01T00:00:00");
    assert_int_equal(expire(s, "2026-02-01T00:00:00").sequence, 9);
    assert_verifies(s);
    event = record_anonymous(s, "d1");
    assert_owner(s, &event, &nobody);
    kate = add_person(s, "kate@x.mock");
    assert_int_equal(alias(s, &kate, "d1").code, DBK_OK);
    assert_owner(s, &event, &kate);
    assert_verifies(s);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate).code, DBK_OK);
    assert_gone(s, &event);
    assert_verifies(s);
}

static void an_old_ring_brings_no_month_back(void **state)
{
    struct scratch *s = *state;
    char ring[120], old[120];

    add_kate(s);
    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(old, sizeof old, "%s.keys/old", s->dir);
    copy_file(ring, old);
    now = at("2026-02-01T00:00:00");
    expire(s, "2026-02-01T00:00:00");
    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    s->log = NULL;
    rename(old, ring);
    sealed_open_keys(s);
    assert_int_equal(open_with(s, s->keys, true), DBK_CONFLICT);
    scratch_open(s);
    assert_expired(s, 1);
    assert_expired(s, 3);
    assert_readable(s, 2);
    assert_verifies(s);
}

static enum dbk_code try_to_expire(struct scratch *s)
{
    struct dbk_log_expiry expiry;

    return dbk_log_expire(s->log, at("2026-02-01T00:00:00"), "test", &expiry, &s->err);
}

/* No key goes for a record that is not there. */
static void a_commit_that_fails_forgets_nothing(void **state)
{
    struct scratch *s = *state;

    add_kate(s);
    now = at("2026-02-01T00:00:00");
    atomic_store(&commits, "x");
    assert_int_equal(try_to_expire(s), DBK_IO);
    atomic_store(&commits, NULL);
    assert_readable(s, 3);
    assert_int_equal(head_of(s), 4);
    atomic_store(&commits, "?");
    assert_int_equal(try_to_expire(s), DBK_OK);
    atomic_store(&commits, NULL);
    assert_int_equal(head_of(s), 5);
    assert_expired(s, 3);
    assert_verifies(s);
}

/* In a child, which ends at the n-th call; false: there were fewer. */
static bool expire_and_end(struct scratch *s, int n)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        sealed_open_keys(s);
        scratch_open(s);
        calls = 0;
        failing = n;
        killed = true;
        _exit(try_to_expire(s) == DBK_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
    return WEXITSTATUS(status) == 9;
}

/* Another log in its place, with all that can be forgotten. */
static void begin_anew(struct scratch *s)
{
    char dir[120];

    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    sealed_remove_keys(s);
    scratch_remove(s->dir);
    assert_int_equal(mkdir(s->dir, 0700), 0);
    sealed_keys_dir(s, dir);
    assert_int_equal(dbk_keys_make(dir, NULL, &s->err), DBK_OK);
    sealed_open_keys(s);
    scratch_open(s);
    now = at("2026-01-10T00:00:00");
    add_kate(s);
    now = at("2026-02-01T00:00:00");
}

static void killed_anywhere_it_is_done_when_the_log_is_opened(void **state)
{
    struct scratch *s = *state;
    int n = 0, between = 0;
    bool ended = true;

    while (ended) {
        begin_anew(s);
        dbk_log_close(s->log);
        dbk_keys_close(s->keys);
        s->log = NULL;
        ended = expire_and_end(s, ++n);
        sealed_open_keys(s);
        scratch_open(s);
        if (head_of(s) == 4) { /* before the record was on disk */
            assert_readable(s, 3);
            assert_int_equal(try_to_expire(s), DBK_OK);
        } else {
            between += ended;
        }
        assert_int_equal(head_of(s), 5);
        assert_expired(s, 1);
        assert_expired(s, 3);
        assert_readable(s, 2);
        assert_verifies(s);
    }
    assert_true(between > 2);
}

/* As above, and the disk refuses this call and all that follow. */
static void refused_anywhere_it_is_done_by_the_next(void **state)
{
    struct scratch *s = *state;
    enum dbk_code code = DBK_IO;

    for (int n = 1; code != DBK_OK; n++) {
        begin_anew(s);
        calls = 0;
        failing = n;
        code = try_to_expire(s);
        failing = 0;
        if (code != DBK_OK)
            assert_int_equal(try_to_expire(s), DBK_OK);
        assert_int_equal(head_of(s), 5);
        assert_expired(s, 1);
        assert_expired(s, 3);
        assert_verifies(s);
    }
}

/* Whether it would seal by month itself is no matter. */
static void a_copy_of_the_log_forgets_too(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};

    open_copy(s, &copy);
    add_kate(s);
    now = at("2026-02-01T00:00:00");
    assert_int_equal(expire(s, "2026-02-01T00:00:00").sequence, 5);
    for (uint64_t i = 1; i < 5; i++)
        apply_next(&copy, s->log);
    failing = 1;
    calls = 0;
    apply_next(&copy, s->log);
    assert_int_equal(ring_of(&copy).erased_through, 0);
    failing = 0;
    add_person(s, "erik@x.mock");
    apply_next(&copy, s->log); /* and what the one before could not */
    assert_int_equal(ring_of(&copy).erased_through, 5);
    assert_expired(&copy, 1);
    assert_expired(&copy, 3);
    assert_readable(&copy, 2);
    assert_verifies(&copy);
    remove_copy(&copy);
}

static void a_backup_is_brought_up_to_what_is_forgotten(void **state)
{
    struct scratch *s = *state;
    struct dbk_backup_append_options options = {.keys = s->keys};
    const struct dbk_backup_options plain = {.compact = false};
    struct dbk_backup_appended done;
    char dir[80];

    snprintf(dir, sizeof dir, "%.60s.backup", s->dir);
    add_kate(s);
    dbk_log_close(s->log); /* it forks */
    s->log = NULL;
    if (dbk_log_backup(s->dir, dir, &plain, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    scratch_open(s);
    now = at("2026-02-01T00:00:00");
    expire(s, "2026-02-01T00:00:00");
    record_anonymous(s, "A-" MARKER);
    record_anonymous(s, "another");
    dbk_log_close(s->log);
    s->log = NULL;
    if (dbk_log_backup_append(s->dir, dir, &options, &done, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_int_equal(done.head, 7);
    assert_int_equal(done.findings, 0);
    assert_verified_with(dir, s->keys);
    scratch_remove(dir);
    scratch_open(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_events_of_a_month_are_forgotten_and_nothing_else),
        TEST(what_is_not_due_is_left),
        cmocka_unit_test_setup_teardown(one_that_is_not_sealed_forgets_nothing,
                                        scratch_setup, scratch_teardown),
        TEST(many_at_once_are_of_their_month),
        TEST(it_can_be_switched_on_and_off),
        TEST(a_clock_that_was_wrong_keeps_nothing_for_ever),
        TEST(an_anonymous_id_goes_on_when_its_events_are_forgotten),
        TEST(an_old_ring_brings_no_month_back),
        TEST(a_commit_that_fails_forgets_nothing),
        TEST(killed_anywhere_it_is_done_when_the_log_is_opened),
        TEST(refused_anywhere_it_is_done_by_the_next),
        TEST(a_copy_of_the_log_forgets_too),
        TEST(a_backup_is_brought_up_to_what_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
