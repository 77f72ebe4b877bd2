/* A log that was put back to before an erasure, beside the ring that has destroyed the keys:
 * nobody can be read, no record says so, and the erasure can be done again. */
#include "log/kate_log.h"

#include "store/backup.h"
#include "store/erasure.h"
#include "store/restore.h"

/* The ring as it is now is put aside as ring.old, and the log as it is in `dir`. */
static void put_aside(struct scratch *s, const char *dir)
{
    const struct dbk_backup_options options = {.compact = false};
    char from[160], to[160];
    size_t length;
    char *bytes;
    int fd;

    snprintf(from, sizeof from, "%s.keys/ring", s->dir);
    snprintf(to, sizeof to, "%s.keys/ring.old", s->dir);
    bytes = read_file(from, &length);
    fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
    assert_int_equal(dbk_log_backup(s->dir, dir, &options, &s->err), DBK_OK);
}

static void close_log(struct scratch *s)
{
    dbk_log_close(s->log);
    s->log = NULL;
}

/* Kate, and then a log without what she did last, and a ring without her keys. */
static struct kate erase_and_lose(struct scratch *s, const char *dir)
{
    struct kate kate = add_kate(s);

    put_aside(s, dir);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    close_log(s);
    return kate;
}

/* More than hers may be gone from the ring: the numbers up to `gone`. */
static struct kate restore_without(struct scratch *s, size_t gone)
{
    static uint64_t numbers[DBK_KEYS_FORGOTTEN];
    const struct dbk_restore_options options = {.keys = s->keys};
    struct dbk_restored restored;
    struct kate kate;
    char dir[120];

    snprintf(dir, sizeof dir, "%.60s.bak", s->dir);
    kate = erase_and_lose(s, dir);
    for (size_t i = 0; i < gone; i++)
        numbers[i] = i + 1;
    assert_int_equal(dbk_keys_erase(s->keys, numbers, gone, 0, &s->err), DBK_OK);
    scratch_remove(s->dir);
    if (dbk_log_restore(dir, s->dir, &options, &restored, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    scratch_remove(dir);
    scratch_open(s);
    return kate;
}

static struct kate restore_from_backup(struct scratch *s)
{
    return restore_without(s, 0);
}

static struct kate put_file_back(struct scratch *s)
{
    struct kate kate;
    char dir[120], from[160], to[160];

    snprintf(dir, sizeof dir, "%.60s.bak", s->dir);
    kate = erase_and_lose(s, dir);
    snprintf(from, sizeof from, "%s/data.mdb", dir);
    snprintf(to, sizeof to, "%s/data.mdb", s->dir);
    assert_int_equal(rename(from, to), 0);
    scratch_remove(dir);
    scratch_open(s);
    return kate;
}

static void assert_receipt(struct scratch *s, const struct dbk_uuid *id,
                           enum dbk_code code, uint64_t sequence)
{
    struct dbk_erasure erasure;

    assert_int_equal(dbk_erasure_find(s->log, NULL, id, 0, &erasure, &s->err), code);
    assert_int_equal(erasure.sequence, sequence);
    dbk_erasure_finish(&erasure);
}

static uint64_t erase_again(struct scratch *s, const struct kate *kate)
{
    const struct dbk_uuid *id = &kate->person.subject;
    struct dbk_person_state person;
    struct dbk_verdict verdict, again;

    assert_int_equal(dbk_log_person(s->log, id, &person, NULL), DBK_OK);
    assert_true(person.erased && person.deleted);
    assert_string_equal(person.email, "");
    assert_int_equal(submit(s, &kate->event).code, DBK_NOT_FOUND);
    assert_receipt(s, id, DBK_CONFLICT, 0);
    assert_non_null(strstr(s->err.text, "Erase the person again"));
    verdict = delete_it(s, DBK_PERSON_ERASED, id);
    assert_int_equal(verdict.code, DBK_OK);
    assert_int_equal(verdict.sequence, head_of(s));
    assert_receipt(s, id, DBK_OK, verdict.sequence);
    again = delete_it(s, DBK_PERSON_ERASED, id);
    assert_int_equal(again.code, DBK_EXISTS);
    assert_int_equal(again.sequence, verdict.sequence);
    assert_verifies(s);
    return verdict.sequence;
}

/* What she was known by others may have, and an older ring opens nothing. */
static void assert_forgotten(struct scratch *s, const struct kate *kate)
{
    struct dbk_record other = kate->person;
    char ring[160], old[160];

    other.subject = dbk_uuid_new();
    assert_int_equal(submit(s, &other).code, DBK_OK);
    close_log(s);
    dbk_keys_close(s->keys);
    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(old, sizeof old, "%s.keys/ring.old", s->dir);
    assert_int_equal(rename(old, ring), 0);
    sealed_open_keys(s);
    scratch_open(s);
    for (uint64_t sequence = 1; sequence <= 4; sequence++)
        assert_erased(s, sequence);
}

static void who_was_erased_since_the_backup_can_be_erased_again(void **state)
{
    struct scratch *s = *state;
    struct kate kate = restore_from_backup(s);

    erase_again(s, &kate);
    assert_forgotten(s, &kate);
}

/* Its indexes have what nobody can read any more. */
static void so_can_who_was_erased_since_the_file_was_copied(void **state)
{
    struct scratch *s = *state;
    struct kate kate = put_file_back(s);
    struct dbk_record visit = marked_event(&nobody);

    visit.anonymous_id = dbk_slice("A-" MARKER);
    assert_int_equal(submit(s, &visit).code, DBK_NOT_FOUND);
    erase_again(s, &kate);
    assert_int_equal(submit(s, &visit).code, DBK_OK);
    assert_owner(s, &visit.subject, &nobody);
    assert_forgotten(s, &kate);
}

/* Deleted first, and the log put back to between the two. */
static void so_can_who_was_deleted_before(void **state)
{
    const struct dbk_restore_options options = {.keys =
                                                    ((struct scratch *)*state)->keys};
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_restored restored;
    char dir[120];

    snprintf(dir, sizeof dir, "%.60s.bak", s->dir);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    put_aside(s, dir);
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    close_log(s);
    scratch_remove(s->dir);
    assert_int_equal(dbk_log_restore(dir, s->dir, &options, &restored, &s->err),
                     DBK_OK);
    scratch_remove(dir);
    scratch_open(s);
    assert_int_equal(erase_again(s, &kate), 6);
    assert_forgotten(s, &kate);
}

/* How many keys the record says to be destroyed. */
static size_t keys_of(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    size_t count = record_at(s, sequence, &batch).keys.length / sizeof(uint64_t);

    dbk_batch_finish(&batch);
    return count;
}

/* Erased by nobody: the next who is takes her keys along, and once is enough. */
static void an_erasure_takes_along_what_no_record_says(void **state)
{
    struct scratch *s = *state;
    struct kate kate = restore_from_backup(s);
    struct dbk_uuid erik = add_person(s, "erik@x.mock"),
                    vera = add_person(s, "vera@x.mock");
    struct dbk_verdict verdict;

    assert_verifies(s);
    verdict = delete_it(s, DBK_PERSON_ERASED, &erik);
    assert_int_equal(verdict.code, DBK_OK);
    assert_int_equal(keys_of(s, verdict.sequence), 3);
    verdict = delete_it(s, DBK_PERSON_ERASED, &vera);
    assert_int_equal(keys_of(s, verdict.sequence), 1);
    assert_verifies(s);
    assert_forgotten(s, &kate);
}

/* As reseal and import --without-keys make a log: no ring has these. */
static void keys_that_never_were_are_not_taken_along(void **state)
{
    struct scratch *s = *state;
    struct dbk_verdict verdict;
    struct dbk_uuid erik;

    restore_without(s, DBK_KEYS_FORGOTTEN);
    erik = add_person(s, "erik@x.mock");
    verdict = delete_it(s, DBK_PERSON_ERASED, &erik);
    assert_int_equal(verdict.code, DBK_OK);
    assert_int_equal(keys_of(s, verdict.sequence), 1);
    assert_verifies(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_was_erased_since_the_backup_can_be_erased_again),
        TEST(so_can_who_was_erased_since_the_file_was_copied),
        TEST(so_can_who_was_deleted_before),
        TEST(an_erasure_takes_along_what_no_record_says),
        TEST(keys_that_never_were_are_not_taken_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
