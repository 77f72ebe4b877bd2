/* A backup is added to, of whose persons some were erased since: nobody can read any more what
 * its indexes say of them. */
#include "log/kate_log.h"

#include "store/backup.h"

#define BACKUP_DIR(s, name)                                                            \
    char name[120];                                                                    \
    snprintf(name, sizeof name, "%.60s.bak", (s)->dir)

static void back_up(struct scratch *s, const char *dir)
{
    const struct dbk_backup_options options = {.compact = false};

    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(dbk_log_backup(s->dir, dir, &options, &s->err), DBK_OK);
    scratch_open(s);
}

static void told(void *context, uint64_t sequence, const char *text)
{
    (void)context;
    fail_msg("record %llu: %s", (unsigned long long)sequence, text);
}

/* Add what is new, and look at all of it. */
static void bring_up(struct scratch *s, const char *dir)
{
    const struct dbk_backup_append_options options = {.finding = told, .keys = s->keys};
    struct dbk_backup_appended by;
    uint64_t head = head_of(s);

    dbk_log_close(s->log);
    s->log = NULL;
    if (dbk_log_backup_append(s->dir, dir, &options, &by, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_int_equal(by.findings, 0);
    assert_int_equal(by.head, head);
    assert_verified_with(dir, s->keys);
    scratch_open(s);
}

static void erase(struct scratch *s, const struct dbk_uuid *person)
{
    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, person).code, DBK_OK);
}

static void whoever_was_erased_since_is_forgotten(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid other = add_person(s, "other@x.mock");
    struct dbk_record event = marked_event(&kate.person.subject);
    struct dbk_record changed = kate.person, again = marked_person();
    BACKUP_DIR(s, dir);

    back_up(s, dir);
    changed.type = DBK_PERSON_UPDATED;
    changed.person.last_name = dbk_slice("M");
    assert_int_equal(submit(s, &event).code, DBK_OK);
    assert_int_equal(submit(s, &changed).code, DBK_OK);
    assert_int_equal(unalias(s, &kate.person.subject, "A-" MARKER).code, DBK_OK);
    erase(s, &kate.person.subject);
    assert_int_equal(submit(s, &again).code, DBK_OK); /* with her e-mail */
    assert_int_equal(alias(s, &again.subject, "A-" MARKER).code, DBK_OK);
    bring_up(s, dir);
    erase(s, &again.subject);
    event = marked_event(&other);
    assert_int_equal(submit(s, &event).code, DBK_OK);
    bring_up(s, dir);
    scratch_remove(dir);
}

/* Deleted before the backup, and erased behind it. */
static void so_is_who_was_deleted_before(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    BACKUP_DIR(s, dir);

    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    back_up(s, dir);
    erase(s, &kate.person.subject);
    bring_up(s, dir);
    scratch_remove(dir);
}

static void without_the_ring_nothing_is_added(void **state)
{
    const struct dbk_backup_append_options options = {.finding = told};
    struct scratch *s = *state;
    struct dbk_backup_appended by;
    BACKUP_DIR(s, dir);

    add_kate(s);
    back_up(s, dir);
    add_person(s, "other@x.mock");
    dbk_log_close(s->log);
    s->log = NULL;
    assert_int_equal(dbk_log_backup_append(s->dir, dir, &options, &by, &s->err),
                     DBK_UNSUPPORTED);
    assert_non_null(strstr(s->err.text, "make a whole one"));
    scratch_open(s);
    scratch_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whoever_was_erased_since_is_forgotten),
        TEST(so_is_who_was_deleted_before),
        TEST(without_the_ring_nothing_is_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
