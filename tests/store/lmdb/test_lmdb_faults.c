/* Every error path of LMDB: whatever the store does is done again and again, and LMDB fails
 * at its first call, its second, and so on, until it is done without meeting the fault. */
#include "lmdb_faults.h"
#include "scratch_log.h"

#include "sandbox.h"
#include "store/backup.h"
#include "store/log_builder.h"
#include "store/restore.h"

#include <errno.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define CALLS_MAX 20000 /* nothing here makes as many */

static const struct {
    int error;
    enum dbk_code code;
} errors[] = {
    {EIO, DBK_IO},           {MDB_MAP_FULL, DBK_NO_ROOM},
    {ENOMEM, DBK_NO_MEMORY}, {MDB_CORRUPTED, DBK_DAMAGED},
    {ENOSPC, DBK_NO_ROOM},   {MDB_READERS_FULL, DBK_BUSY},
};

enum dbk_code __wrap_sandbox_run(sandbox_body *run, const void *what,
                                 const struct dbk_verify_options *options,
                                 struct dbk_verify_result *result, uint64_t *died_at,
                                 struct dbk_error *err);

/* Not in a process of its own: here the faults would not be counted, nor leaks seen. */
enum dbk_code __wrap_sandbox_run(sandbox_body *run, const void *what,
                                 const struct dbk_verify_options *options,
                                 struct dbk_verify_result *result, uint64_t *died_at,
                                 struct dbk_error *err)
{
    memset(result, 0, sizeof *result);
    *died_at = 0;
    return run(what, options, result, err);
}

/* One sweep. */
struct sweep {
    struct scratch *s;
    char other[80]; /* a directory beside the log's, which is not there */
    int failures;
};

/* Something that the store does. What it returns is what the caller is told. */
typedef enum dbk_code doing(struct sweep *sweep);

/* What was told must say what is wrong. */
static void check_told(struct sweep *sweep, enum dbk_code code, enum dbk_code wanted)
{
    if (code == DBK_OK) {
        assert_false(atomic_load(&faults.serious));
        return;
    }
    sweep->failures++;
    if (code != wanted && code != DBK_IN_DOUBT && code != DBK_UNAVAILABLE)
        fail_msg("told %d, not %d: %s", code, wanted, sweep->s->err.text);
    assert_int_equal(sweep->s->err.code, code);
    assert_true(strlen(sweep->s->err.text) > 10);
}

/* Do it with a fault at every call. `before` makes ready, `after` looks at what is left,
 * given what was told; either may be NULL. */
static void sweep_over(struct sweep *sweep, void (*before)(struct sweep *sweep),
                       doing *act,
                       void (*after)(struct sweep *sweep, enum dbk_code told))
{
    for (int lasting = 0; lasting < 2; lasting++) {
        int calls = 0;
        bool met = true;

        for (; met && calls < CALLS_MAX; calls++) {
            size_t which = (size_t)(calls + 3 * lasting) % LENGTH(errors);
            enum dbk_code code;

            if (before)
                before(sweep);
            memset(&sweep->s->err, 0, sizeof sweep->s->err);
            faults_arm(calls, errors[which].error, lasting);
            code = act(sweep);
            met = faults_met();
            faults_none();
            if (met)
                check_told(sweep, code, errors[which].code);
            else if (code != DBK_OK)
                fail_msg("without a fault: %s", sweep->s->err.text);
            if (after)
                after(sweep, code);
        }
        assert_false(met);
    }
    assert_true(sweep->failures > 2);
}

/* In memory where that can be had: there are thousands of commits, and nothing here hangs
 * on the disk. */
static int setup(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);

    strcpy(s->dir, "/dev/shm/daybook-store-XXXXXX");
    if (!mkdtemp(s->dir)) {
        free(s);
        return scratch_setup(state);
    }
    scratch_open(s);
    *state = s;
    return 0;
}

static struct sweep begin_sweep(struct scratch *s)
{
    struct sweep sweep = {.s = s};

    snprintf(sweep.other, sizeof sweep.other, "%.60s.other", s->dir);
    return sweep;
}

/* Some of everything. */
static void fill(struct scratch *s)
{
    static const struct dbk_idempotency key = {.key = {1}, .keep_us = 3600000000};

    for (int i = 0; i < 3; i++) {
        char email[] = "p0@x.mock";
        struct dbk_record event, gone;
        struct dbk_command *command;
        struct dbk_uuid person;
        bool replayed;

        email[1] = (char)('0' + i);
        person = add_person(s, email);
        event = draft_event(&person);
        command = command_of(&event);
        assert_int_equal(dbk_log_submit(s->log, &command, 1, i == 0 ? &key : NULL,
                                        &replayed, &s->err),
                         DBK_OK);
        dbk_command_destroy(command);
        gone = draft_of(i == 0 ? DBK_EVENT_DELETED : DBK_PERSON_DELETED,
                        i == 0 ? &event.subject : &person);
        if (i < 2)
            assert_int_equal(submit(s, &gone).code, DBK_OK);
    }
}

static uint64_t findings_of(struct scratch *s, enum dbk_code *code)
{
    struct dbk_verify_options options = {0};
    struct dbk_verify_result result = {0};
    char scratch_dir[80];

    snprintf(scratch_dir, sizeof scratch_dir, "%.60s.verify", s->dir);
    options.scratch_dir = scratch_dir;
    *code = dbk_log_verify(s->dir, &options, &result, &s->err);
    assert_int_not_equal(access(scratch_dir, F_OK), 0);
    return result.findings;
}

/* With the log closed. */
static void assert_sound(struct scratch *s)
{
    enum dbk_code code;
    uint64_t findings = findings_of(s, &code);

    assert_int_equal(code, DBK_OK);
    assert_int_equal(findings, 0);
}

/* Appending: what is tried, and what the log was before. */
static struct trial {
    void (*draft)(struct scratch *s);
    struct dbk_record drafts[2];
    size_t count;
    const struct dbk_idempotency *key;
    dbk_merge *merge;
    uint64_t head;
    struct dbk_verdict verdict;
    char email[40];
} trial;

static const char *new_email(void)
{
    static int count;

    snprintf(trial.email, sizeof trial.email, "new%d@x.mock", count++);
    return trial.email;
}

static void draft_new_person(struct scratch *s)
{
    (void)s;
    trial.drafts[0] = draft_person(new_email());
    trial.drafts[1] = draft_event(&trial.drafts[0].subject);
    trial.count = 2;
}

static void draft_new_event(struct scratch *s)
{
    struct dbk_uuid person = add_person(s, new_email());

    trial.drafts[0] = draft_event(&person);
}

static void draft_update(struct scratch *s)
{
    struct dbk_uuid person = add_person(s, new_email());

    trial.drafts[0] = draft_of(DBK_PERSON_UPDATED, &person);
    trial.drafts[0].person = (struct dbk_person_fields){
        .has = DBK_HAS_EMAIL, .email = dbk_slice(new_email())};
}

static void draft_deletion(struct scratch *s)
{
    struct dbk_uuid person = add_person(s, new_email());

    trial.drafts[0] = draft_of(DBK_PERSON_DELETED, &person);
}

static void draft_deletion_of_event(struct scratch *s)
{
    struct dbk_uuid person = add_person(s, new_email());
    struct dbk_record event = draft_event(&person);

    submit(s, &event);
    trial.drafts[0] = draft_of(DBK_EVENT_DELETED, &event.subject);
}

static void draft_with_key(struct scratch *s)
{
    static struct dbk_idempotency key;

    draft_new_event(s);
    key =
        (struct dbk_idempotency){.keep_us = 1}; /* expires at once: it is swept away */
    memcpy(key.key, trial.drafts[0].subject.bytes,
           sizeof trial.drafts[0].subject.bytes);
    trial.key = &key;
}

/* A person's anonymous id, which has an event. */
static struct dbk_uuid add_alias(struct scratch *s)
{
    static char name[24];
    static int count;
    struct dbk_uuid person = add_person(s, new_email());
    struct dbk_record alias = draft_of(DBK_PERSON_ALIASED, &person);
    struct dbk_record event = draft_event(&person);

    snprintf(name, sizeof name, "visitor %d", count++);
    alias.anonymous_id = event.anonymous_id = dbk_slice(name);
    assert_int_equal(submit(s, &event).code, DBK_OK);
    assert_int_equal(submit(s, &alias).code, DBK_OK);
    trial.drafts[0] = alias;
    return person;
}

static void draft_alias(struct scratch *s)
{
    add_alias(s);
    trial.drafts[0].type = DBK_PERSON_UNALIASED;
    assert_int_equal(submit(s, &trial.drafts[0]).code, DBK_OK);
    trial.drafts[0].type = DBK_PERSON_ALIASED;
}

static void draft_unalias(struct scratch *s)
{
    add_alias(s);
    trial.drafts[0].type = DBK_PERSON_UNALIASED;
}

static void draft_deletion_with_alias(struct scratch *s)
{
    struct dbk_uuid person = add_alias(s);

    trial.drafts[0] = draft_of(DBK_PERSON_DELETED, &person);
}

static void draft_anonymous(struct scratch *s)
{
    struct dbk_uuid person = add_alias(s);
    struct dbk_slice anonymous_id = trial.drafts[0].anonymous_id;

    trial.drafts[0] = draft_event(&person);
    trial.drafts[0].anonymous_id = anonymous_id;
}

static void draft_known(struct scratch *s)
{
    draft_new_person(s);
    trial.drafts[0].person.has = DBK_HAS_PERSON;
    trial.drafts[0].person.external_id = trial.drafts[0].person.email;
    trial.drafts[0].person.properties = dbk_slice("{}");
}

static enum dbk_code replace(struct dbk_slice current, struct dbk_slice patch,
                             char *out, size_t size, size_t *length,
                             struct dbk_error *err)
{
    (void)current;
    (void)size;
    (void)err;
    memcpy(out, patch.data, patch.length);
    *length = patch.length;
    return DBK_OK;
}

static void draft_merge(struct scratch *s)
{
    struct dbk_uuid person;

    draft_known(s);
    person = trial.drafts[0].subject;
    assert_int_equal(submit(s, &trial.drafts[0]).code, DBK_OK);
    trial.count = 1;
    trial.merge = replace;
    trial.drafts[0] = draft_of(DBK_PERSON_UPDATED, &person);
    trial.drafts[0].person.has = DBK_HAS_PROPERTIES | DBK_HAS_EXTERNAL_ID;
    trial.drafts[0].person.properties = dbk_slice("{\"a\":1}");
}

static void prepare_append(struct sweep *sweep)
{
    trial.count = 1;
    trial.key = NULL;
    trial.merge = NULL;
    trial.draft(sweep->s);
    trial.head = head_of(sweep->s);
}

static enum dbk_code append(struct sweep *sweep)
{
    struct dbk_command *command = dbk_command_create();
    enum dbk_code code;
    bool replayed;

    for (size_t i = 0; i < trial.count; i++)
        assert_int_equal(dbk_command_add(command, &trial.drafts[i], NULL), DBK_OK);
    if (trial.merge)
        dbk_command_merge(command, trial.merge);
    code = dbk_log_submit(sweep->s->log, &command, 1, trial.key, &replayed,
                          &sweep->s->err);
    trial.verdict = *dbk_command_verdict(command);
    dbk_command_destroy(command);
    return code;
}

/* What was refused is not there, and can be sent again; what was acknowledged is. */
static void check_append(struct sweep *sweep, enum dbk_code told)
{
    if (told != DBK_OK)
        assert_int_equal(append(sweep), DBK_OK);
    assert_int_equal(trial.verdict.code, DBK_OK);
    assert_int_equal(trial.verdict.first_sequence, trial.head + 1);
    assert_int_equal(trial.verdict.sequence, trial.head + trial.count);
    assert_int_equal(head_of(sweep->s), trial.head + trial.count);
}

static void whatever_fails_an_append_is_whole_and_told_or_not_at_all(void **state)
{
    static void (*const drafts[])(struct scratch *) = {
        draft_new_person,          draft_new_event, draft_update, draft_deletion,
        draft_deletion_of_event,   draft_with_key,  draft_alias,  draft_unalias,
        draft_deletion_with_alias, draft_anonymous, draft_known,  draft_merge,
    };
    struct scratch *s = *state;
    struct dbk_batch batch = {0};
    uint64_t head;

    for (size_t i = 0; i < LENGTH(drafts); i++) {
        struct sweep sweep = begin_sweep(s);

        trial.draft = drafts[i];
        sweep_over(&sweep, prepare_append, append, check_append);
    }
    head = head_of(s);
    assert_int_equal(dbk_log_read(s->log, 0, SIZE_MAX, SIZE_MAX, &batch, &s->err),
                     DBK_OK);
    assert_int_equal(batch.count, head); /* it refuses a gap */
    dbk_batch_finish(&batch);
    dbk_log_close(s->log);
    s->log = NULL;
    assert_sound(s);
}

static enum dbk_code read_all(struct sweep *sweep)
{
    struct scratch *s = sweep->s;
    struct dbk_batch batch = {0};
    struct dbk_person_state person;
    struct dbk_event_state event;
    struct dbk_log_stats stats;
    uint64_t head;
    enum dbk_code code = dbk_log_read(s->log, 0, 1000, 1 << 20, &batch, &s->err);

    if (code != DBK_OK)
        assert_int_equal(batch.count, 0);
    dbk_batch_finish(&batch);
    if (code == DBK_OK)
        code = dbk_log_person(s->log, &trial.drafts[0].person_id, &person, &s->err);
    if (code == DBK_OK)
        code = dbk_log_event(s->log, &trial.drafts[0].subject, &event, &s->err);
    if (code == DBK_OK)
        code = dbk_log_stats(s->log, &stats, &s->err);
    if (code == DBK_OK)
        code = dbk_log_head(s->log, &head, &s->err);
    if (code == DBK_OK)
        code = dbk_log_wait(s->log, 0, 1000, &head, &s->err);
    return code;
}

/* So that the head is asked of a transaction. */
static void append_one(struct sweep *sweep)
{
    draft_new_event(sweep->s);
    submit(sweep->s, &trial.drafts[0]);
}

static void whatever_fails_a_read_says_so_and_the_next_one_works(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    fill(*state);
    sweep_over(&sweep, append_one, read_all, NULL);
}

static bool read_only;

static enum dbk_code open_log(struct sweep *sweep)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                      .read_only = read_only};

    return dbk_log_open(sweep->s->dir, &options, &sweep->s->log, &sweep->s->err);
}

static void close_again(struct sweep *sweep, enum dbk_code told)
{
    struct scratch *s = sweep->s;

    assert_true((s->log != NULL) == (told == DBK_OK));
    if (!s->log)
        scratch_open(s);
    assert_int_equal(head_of(s), trial.head);
    dbk_log_close(s->log);
    s->log = NULL;
}

static void close_and_remove(struct sweep *sweep, enum dbk_code told)
{
    close_again(sweep, told);
    scratch_remove(sweep->s->dir);
}

static void whatever_fails_opening_leaves_a_log_that_can_be_opened(void **state)
{
    struct scratch *s = *state;

    fill(s);
    trial.head = head_of(s);
    dbk_log_close(s->log);
    s->log = NULL;
    for (int i = 0; i < 2; i++) {
        struct sweep sweep = begin_sweep(s);

        read_only = i == 1;
        sweep_over(&sweep, NULL, open_log, close_again);
    }
}

static void whatever_fails_making_a_log_it_can_be_made(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    dbk_log_close(s->log);
    s->log = NULL;
    scratch_remove(s->dir);
    trial.head = 0;
    read_only = false;
    sweep_over(&sweep, NULL, open_log, close_and_remove);
}

/* For what works beside a log that is closed here. */
static void fill_and_close(struct scratch *s)
{
    fill(s);
    trial.head = head_of(s);
    dbk_log_close(s->log);
    s->log = NULL;
}

static enum dbk_code back_up(struct sweep *sweep)
{
    const struct dbk_backup_options options = {.compact = true};

    return dbk_log_backup(sweep->s->dir, sweep->other, &options, &sweep->s->err);
}

static enum dbk_code restore(struct sweep *sweep)
{
    const struct dbk_restore_options options = {0};
    struct dbk_restored restored;

    return dbk_log_restore(sweep->s->dir, sweep->other, &options, &restored,
                           &sweep->s->err);
}

/* Nothing of it, or all of it. */
static void check_copy(struct sweep *sweep, enum dbk_code told)
{
    struct scratch copy = {.log = NULL};

    if (told != DBK_OK) {
        assert_int_not_equal(access(sweep->other, F_OK), 0);
        return;
    }
    snprintf(copy.dir, sizeof copy.dir, "%s", sweep->other);
    scratch_open(&copy);
    assert_int_equal(head_of(&copy), trial.head);
    dbk_log_close(copy.log);
    scratch_remove(copy.dir);
}

static void whatever_fails_a_backup_is_whole_or_not_there(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    fill_and_close(*state);
    sweep_over(&sweep, NULL, back_up, check_copy);
}

static void whatever_fails_a_restored_log_is_whole_or_not_there(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    fill_and_close(*state);
    sweep_over(&sweep, NULL, restore, check_copy);
}

/* A backup as it was before each try, and its head. */
static struct {
    char dir[80];
    uint64_t head;
} earlier;

static void copy_directory(const char *from, const char *to)
{
    char command[256];

    scratch_remove(to);
    snprintf(command, sizeof command, "cp -r %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void put_earlier_backup(struct sweep *sweep)
{
    copy_directory(earlier.dir, sweep->other);
}

static enum dbk_code append_to_backup(struct sweep *sweep)
{
    const struct dbk_backup_append_options options = {.finding = NULL};
    struct dbk_backup_appended appended;

    return dbk_log_backup_append(sweep->s->dir, sweep->other, &options, &appended,
                                 &sweep->s->err);
}

static void check_backup(struct sweep *sweep, enum dbk_code told)
{
    struct scratch copy = {.log = NULL};
    enum dbk_code code;
    uint64_t head;

    snprintf(copy.dir, sizeof copy.dir, "%s", sweep->other);
    assert_int_equal(findings_of(&copy, &code), 0);
    assert_int_equal(code, DBK_OK);
    scratch_open(&copy);
    head = head_of(&copy);
    dbk_log_close(copy.log);
    assert_in_range(head, told == DBK_OK ? trial.head : earlier.head, trial.head);
}

static void whatever_fails_a_backup_that_is_added_to_is_whole(void **state)
{
    struct sweep sweep = begin_sweep(*state);
    struct scratch *s = *state;

    add_person(s, "first@x.mock");
    earlier.head = head_of(s);
    snprintf(earlier.dir, sizeof earlier.dir, "%.60s.earlier", s->dir);
    dbk_log_close(s->log);
    copy_directory(s->dir, earlier.dir);
    scratch_open(s);
    fill_and_close(s);
    sweep_over(&sweep, put_earlier_backup, append_to_backup, check_backup);
    scratch_remove(sweep.other);
    scratch_remove(earlier.dir);
}

/* A log that cannot be read to its end must not be called sound. */
static enum dbk_code verify(struct sweep *sweep)
{
    enum dbk_code code;
    uint64_t findings = findings_of(sweep->s, &code);

    if (code == DBK_OK && findings > 0)
        return dbk_fail(&sweep->s->err, DBK_UNAVAILABLE, "there are %d findings",
                        (int)findings);
    return code;
}

static void whatever_fails_a_check_does_not_call_the_log_sound_unread(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    fill_and_close(s);
    sweep_over(&sweep, NULL, verify, NULL);
    assert_sound(s);
}

static enum dbk_code repair(struct sweep *sweep)
{
    return dbk_log_repair_indexes(sweep->s->dir, NULL, &sweep->s->err);
}

static void whatever_fails_a_repair_is_done_or_not(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    fill_and_close(s);
    sweep_over(&sweep, NULL, repair, NULL);
    assert_sound(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whatever_fails_an_append_is_whole_and_told_or_not_at_all),
        TEST(whatever_fails_a_read_says_so_and_the_next_one_works),
        TEST(whatever_fails_opening_leaves_a_log_that_can_be_opened),
        TEST(whatever_fails_making_a_log_it_can_be_made),
        TEST(whatever_fails_a_backup_is_whole_or_not_there),
        TEST(whatever_fails_a_restored_log_is_whole_or_not_there),
        TEST(whatever_fails_a_backup_that_is_added_to_is_whole),
        TEST(whatever_fails_a_check_does_not_call_the_log_sound_unread),
        TEST(whatever_fails_a_repair_is_done_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
