/* What is left of who was erased from a sealed log: nothing, whatever fails meanwhile. */
#include "kate_log.h"

#include "copied_log.h"
#include "scripted_commits.h"
#include "store/history.h"

/* So many syncs of the ring the disk refuses; LMDB's are not ours. */
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
static int refused_syncs;
int __wrap_fdatasync(int fd)
{
    if (refused_syncs > 0) {
        refused_syncs--;
        errno = EIO;
        return -1;
    }
    return __real_fdatasync(fd);
}

/* Of the first four records, of a person who was erased. */
static void assert_nothing_left(struct scratch *s, const struct kate *kate)
{
    struct dbk_person_state person;
    struct dbk_uuid whose;

    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        assert_erased(s, sequence);
    assert_gone(s, &kate->visit.subject);
    assert_int_equal(dbk_log_person(s->log, &kate->person.subject, &person, NULL),
                     DBK_OK);
    assert_true(person.erased && person.deleted);
    assert_string_equal(person.email, "");
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EMAIL,
                                   kate->person.person.email, &whose, NULL),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EXTERNAL_ID,
                                   kate->person.person.external_id, &whose, NULL),
                     DBK_NOT_FOUND);
}

/* In memory that is kept for the next records. */
static void what_was_opened_is_wiped_before_more_is_read(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_slice email = kate.person.person.email;
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, 2, &batch);

    assert_true(dbk_slice_equal(record.person.email, email));
    assert_non_null(memmem(batch.bytes, batch.bytes_size, email.data, email.length));
    dbk_batch_clear(&batch);
    assert_null(memmem(batch.bytes, batch.bytes_size, email.data, email.length));
    record = record_at(s, 2, &batch);
    assert_int_equal(dbk_log_read(s->log, 100, 1, 1, &batch, NULL), DBK_OK);
    assert_int_equal(batch.count, 0);
    assert_null(memmem(batch.bytes, batch.bytes_size, email.data, email.length));
    dbk_batch_finish(&batch);
}

static void an_erased_person_is_gone_with_events_and_aliases(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid erik = add_person(s, "erik@x.mock"), later;
    struct dbk_record event = draft_event(&kate.person.subject);
    struct dbk_verdict verdict, again;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    verdict = delete_it(s, DBK_PERSON_ERASED, &kate.person.subject);
    assert_int_equal(verdict.code, DBK_OK);
    assert_nothing_left(s, &kate);
    record = record_at(s, verdict.sequence, &batch);
    assert_int_equal(record.type, DBK_PERSON_ERASED);
    assert_int_equal(record.keys.length, 16); /* hers, and that of the anonymous id */
    dbk_batch_finish(&batch);

    again = delete_it(s, DBK_PERSON_ERASED, &kate.person.subject);
    assert_int_equal(again.code, DBK_EXISTS);
    assert_int_equal(again.sequence, verdict.sequence);
    assert_int_equal(submit(s, &event).code, DBK_NOT_FOUND);
    assert_int_equal(submit(s, &kate.person).code, DBK_CONFLICT);
    /* What is freed others may have, and the anonymous id goes on with another key. */
    kate.person.subject = dbk_uuid_new();
    assert_int_equal(submit(s, &kate.person).code, DBK_OK);
    later = record_anonymous(s, "A-" MARKER);
    assert_owner(s, &later, &nobody);
    assert_int_equal(alias(s, &erik, "A-" MARKER).code, DBK_OK);
    assert_owner(s, &later, &erik);
    sealed_reopen(s);
    assert_owner(s, &later, &erik);
    assert_verifies(s);
}

static void a_deleted_person_can_be_erased_with_what_went_then(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid later;

    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    later = record_anonymous(s, "A-" MARKER);
    assert_gone(s, &kate.visit.subject);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    assert_nothing_left(s, &kate);
    assert_owner(s, &later, &nobody);
    assert_verifies(s);
}

static enum dbk_code submit_once(struct scratch *s, const struct dbk_record *draft)
{
    struct dbk_command *command = command_of(draft);
    enum dbk_code code = dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err);

    dbk_command_destroy(command);
    return code;
}

static void an_old_ring_brings_nobody_back(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    char ring[120], old[120];

    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(old, sizeof old, "%s.keys/old", s->dir);
    copy_file(ring, old);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    s->log = NULL;
    rename(old, ring);
    sealed_open_keys(s);
    assert_int_equal(open_with(s, s->keys, true), DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "older than the last erasure"));
    scratch_open(s);
    assert_nothing_left(s, &kate);
    assert_verifies(s);
}

/* As after a kill between the record and the key, too. */
static void an_erasure_that_the_disk_refused_is_finished_by_the_next(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate.person.subject);

    refused_syncs = 2;
    assert_int_equal(submit_once(s, &gone), DBK_IO);
    assert_int_equal(submit_once(s, &gone), DBK_IO); /* not: it is done already */
    assert_int_equal(refused_syncs, 0);
    sealed_reopen(s);
    assert_nothing_left(s, &kate);
    assert_int_equal(submit(s, &gone).code, DBK_EXISTS);
}

/* Else a power cut could leave a person without a key whom no record says to be erased. */
static void no_key_goes_for_a_record_that_may_not_be_on_disk(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_record gone = draft_of(DBK_PERSON_ERASED, &kate.person.subject);
    struct dbk_batch batch = {0};
    uint64_t number = record_at(s, 2, &batch).key;
    uint8_t key[DBK_KEY_BYTES];
    char ring[120], old[120];

    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(old, sizeof old, "%s.keys/old", s->dir);
    copy_file(ring, old);
    assert_int_equal(submit(s, &gone).code, DBK_OK);
    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    rename(old, ring); /* as before a kill between the record and the key */
    sealed_open_keys(s);
    s->log = NULL;
    refused_syncs = 1;
    assert_int_equal(open_with(s, s->keys, false), DBK_IO);
    assert_int_equal(refused_syncs, 0);
    assert_int_equal(dbk_keys_get(s->keys, number, key, NULL), DBK_OK);
    scratch_open(s);
    assert_nothing_left(s, &kate);
    dbk_batch_finish(&batch);
}

/* LMDB says that it failed, and the file has it: the records are known again by their bytes,
 * which are sealed. */
static void a_commit_that_happened_after_all_is_acknowledged(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_record event = draft_event(&kate.person.subject);

    atomic_store(&commits, "x");
    assert_int_equal(submit_once(s, &event), DBK_IO);
    atomic_store(&commits, "?");
    assert_int_equal(submit_once(s, &event), DBK_OK);
    event = draft_of(DBK_PERSON_ERASED, &kate.person.subject);
    atomic_store(&commits, "?");
    assert_int_equal(submit_once(s, &event), DBK_OK);
    atomic_store(&commits, NULL);
    assert_nothing_left(s, &kate);
    assert_verifies(s);
}

static void a_copy_of_the_log_destroys_its_keys_too(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    struct kate kate;
    uint64_t gone;

    open_copy(s, &copy);
    kate = add_kate(s);
    gone = delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).sequence;
    add_person(s, "erik@x.mock");
    for (uint64_t at = 1; at < gone; at++)
        apply_next(&copy, s->log);
    assert_true(ring_of(&copy).bound);
    assert_int_equal(ring_of(&copy).erased_through, 0);
    refused_syncs = 1;
    apply_next(&copy, s->log);
    assert_int_equal(refused_syncs, 0);
    assert_int_equal(ring_of(&copy).erased_through, 0);
    apply_next(&copy, s->log); /* and what the one before could not */
    assert_int_equal(ring_of(&copy).erased_through, gone);
    for (uint64_t at = 1; at < gone; at++)
        assert_erased(&copy, at);
    assert_verifies(&copy);
    remove_copy(&copy);
}

static void a_history_leaves_out_who_was_erased(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_person_records records;
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, 2, &batch);

    assert_int_equal(
        dbk_person_records_init(&records, s->log, &kate.person.subject, NULL), DBK_OK);
    assert_true(dbk_person_records_has(&records, &record));
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    record = record_at(s, 2, &batch);
    assert_false(dbk_person_records_has(&records, &record));
    dbk_person_records_finish(&records);
    dbk_batch_finish(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_opened_is_wiped_before_more_is_read),
        TEST(an_erased_person_is_gone_with_events_and_aliases),
        TEST(a_deleted_person_can_be_erased_with_what_went_then),
        TEST(an_old_ring_brings_nobody_back),
        TEST(an_erasure_that_the_disk_refused_is_finished_by_the_next),
        TEST(no_key_goes_for_a_record_that_may_not_be_on_disk),
        TEST(a_commit_that_happened_after_all_is_acknowledged),
        TEST(a_copy_of_the_log_destroys_its_keys_too),
        TEST(a_history_leaves_out_who_was_erased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
