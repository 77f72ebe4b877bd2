#include "scratch_log.h"

#include <lmdb.h>
#include <pthread.h>
#include <sys/wait.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

static void records_are_read_back_in_order(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_batch batch = {0};
    uint64_t after = 0;

    for (int i = 0; i < 99; i++) {
        struct dbk_record event = draft_event(&kate);
        submit(s, &event);
    }
    scratch_reopen(s);
    for (;;) {
        assert_int_equal(dbk_log_read(s->log, after, 7, 1 << 20, &batch, NULL), DBK_OK);
        if (batch.count == 0)
            break;
        for (size_t i = 0; i < batch.count; i++) {
            struct dbk_record record;

            assert_int_equal(batch.entries[i].sequence, ++after);
            assert_int_equal(dbk_record_decode(batch.bytes + batch.entries[i].offset,
                                               batch.entries[i].length, &record, NULL),
                             DBK_OK);
            assert_int_equal(record.sequence, after);
        }
    }
    assert_int_equal(after, 100);
    dbk_batch_finish(&batch);
}

static void a_read_is_bounded_by_bytes_but_gives_one(void **state)
{
    struct scratch *s = *state;
    struct dbk_batch batch = {0};

    add_person(s, "a@x.mock");
    add_person(s, "b@x.mock");
    assert_int_equal(dbk_log_read(s->log, 0, 10, 1, &batch, NULL), DBK_OK);
    assert_int_equal(batch.count, 1);
    dbk_batch_finish(&batch);
}

/* Change one byte of a record on disk, by its text. */
static void flip_on_disk(const struct scratch *s, const char *text)
{
    char path[128], *bytes, *found;
    FILE *file;
    long size;

    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    bytes = malloc((size_t)size);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    while ((found = memmem(bytes, (size_t)size, text, strlen(text)))) {
        found[0] ^= 1; /* in every copy: pages are copied on write */
        fseek(file, found - bytes, SEEK_SET);
        fputc(found[0], file);
    }
    fclose(file);
    free(bytes);
}

static void a_byte_changed_on_disk_is_noticed(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), record;
    struct dbk_batch batch = {0};

    event.event_type = dbk_slice("unmistakable");
    submit(s, &event);
    dbk_log_close(s->log);
    flip_on_disk(s, "unmistakable");
    scratch_open(s);
    assert_int_equal(dbk_log_read(s->log, 0, 10, 1 << 20, &batch, NULL), DBK_OK);
    assert_int_equal(batch.count, 2);
    assert_int_not_equal(batch.entries[0].length, 0);
    assert_int_equal(batch.entries[1].length, 0);
    assert_int_equal(
        dbk_record_decode(batch.bytes + batch.entries[1].offset, 0, &record, &s->err),
        DBK_DAMAGED);
    dbk_batch_finish(&batch);
}

static void a_wait_ends_when_another_process_appends(void **state)
{
    struct scratch *s = *state;
    uint64_t head;
    int status;
    pid_t child;

    dbk_log_close(s->log); /* LMDB may not be carried across a fork */
    child = fork();
    if (child == 0) {
        scratch_open(s);
        usleep(200000);
        add_person(s, "child@x.mock");
        dbk_log_close(s->log);
        _exit(0);
    }
    scratch_open(s);
    assert_int_equal(dbk_log_wait(s->log, 0, 20000, &head, NULL), DBK_OK);
    assert_int_equal(head, 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    add_person(s, "parent@x.mock"); /* goes on behind the other's record */
    assert_int_equal(head_of(s), 2);
}

static void the_head_is_known_anew_when_another_process_appends(void **state)
{
    struct scratch *s = *state;
    int go[2], status;
    pid_t child;

    dbk_log_close(s->log);
    assert_int_equal(pipe(go), 0);
    child = fork();
    if (child == 0) {
        char byte;

        scratch_open(s);
        for (int i = 0; i < 3; i++) {
            char email[32];

            snprintf(email, sizeof email, "child%d@x.mock", i);
            if (read(go[0], &byte, 1) != 1)
                _exit(1);
            add_person(s, email);
        }
        dbk_log_close(s->log);
        _exit(0);
    }
    scratch_open(s);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t head;

        assert_int_equal(head_of(s), i);
        assert_int_equal(head_of(s), i); /* known */
        assert_int_equal(write(go[1], "x", 1), 1);
        assert_int_equal(dbk_log_wait(s->log, i, 20000, &head, NULL), DBK_OK);
        assert_int_equal(head, i + 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(go[0]);
    close(go[1]);
    for (uint64_t i = 3; i < 20; i++) {
        char email[32];

        snprintf(email, sizeof email, "parent%d@x.mock", (int)i);
        assert_int_equal(head_of(s), i);
        add_person(s, email);
    }
}

static void *interrupt(void *context)
{
    struct dbk_log *log = context;

    usleep(50000);
    dbk_log_interrupt(log);
    return NULL;
}

static void an_interrupt_ends_a_wait(void **state)
{
    struct scratch *s = *state;
    pthread_t thread;
    uint64_t head;

    pthread_create(&thread, NULL, interrupt, s->log);
    assert_int_equal(dbk_log_wait(s->log, 0, 100000, &head, NULL), DBK_OK);
    assert_int_equal(head, 0);
    pthread_join(thread, NULL);
}

static void states_can_be_looked_up(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), nobody = dbk_uuid_new();
    struct dbk_record event = draft_event(&kate);
    struct dbk_person_state person;
    struct dbk_event_state place;

    submit(s, &event);
    assert_int_equal(dbk_log_person(s->log, &kate, &person, NULL), DBK_OK);
    assert_string_equal(person.email, "kate@x.mock");
    assert_int_equal(dbk_log_person(s->log, &nobody, &person, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_log_event(s->log, &event.subject, &place, NULL), DBK_OK);
    assert_int_equal(place.sequence, 2);
    assert_true(dbk_uuid_equal(&place.person_id, &kate));
    assert_int_equal(dbk_log_event(s->log, &nobody, &place, NULL), DBK_NOT_FOUND);
}

static void only_a_live_event_is_read_by_its_id(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"), nobody = dbk_uuid_new();
    struct dbk_record event = draft_event(&kate), other = draft_event(&kate);
    struct dbk_record deleted = draft_of(DBK_EVENT_DELETED, &event.subject), read;
    struct dbk_record gone = draft_of(DBK_PERSON_DELETED, &kate);
    struct dbk_batch batch = {0};

    submit(s, &event);
    submit(s, &other);
    assert_int_equal(dbk_log_read_event(s->log, &event.subject, &batch, &read, NULL),
                     DBK_OK);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.entries[0].sequence, 2);
    assert_true(dbk_uuid_equal(&read.subject, &event.subject));
    assert_int_equal(dbk_log_read_event(s->log, &nobody, &batch, &read, NULL),
                     DBK_NOT_FOUND);
    assert_int_equal(batch.count, 0);
    submit(s, &deleted);
    assert_int_equal(dbk_log_read_event(s->log, &event.subject, &batch, &read, NULL),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_log_read_event(s->log, &other.subject, &batch, &read, NULL),
                     DBK_OK);
    submit(s, &gone);
    assert_int_equal(dbk_log_read_event(s->log, &other.subject, &batch, &read, NULL),
                     DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
}

/* Change where the index says that the event is, by plain LMDB. */
static void misplace_event(const struct scratch *s, const struct dbk_uuid *id,
                           uint64_t sequence)
{
    MDB_val key = {sizeof id->bytes, (void *)(uintptr_t)id->bytes}, value;
    char entry[32];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi event;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 8);
    assert_int_equal(mdb_env_open(env, s->dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "event", 0, &event), 0);
    assert_int_equal(mdb_get(txn, event, &key, &value), 0);
    assert_int_equal(value.mv_size, sizeof entry);
    memcpy(entry, value.mv_data, sizeof entry);
    memcpy(entry, &sequence, sizeof sequence);
    value.mv_data = entry;
    assert_int_equal(mdb_put(txn, event, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* Its entry has no checksum, so what it names is held against the id. */
static void a_misplaced_event_is_damaged_and_not_another(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), other = draft_event(&kate), read;
    struct dbk_record deleted = draft_of(DBK_EVENT_DELETED, &event.subject);
    const uint64_t wrong[] = {0, 1, 3, 99}; /* nowhere, a person, another event, none */
    struct dbk_batch batch = {0};

    submit(s, &event);
    submit(s, &other);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        dbk_log_close(s->log);
        misplace_event(s, &event.subject, wrong[i]);
        scratch_open(s);
        assert_int_equal(
            dbk_log_read_event(s->log, &event.subject, &batch, &read, &s->err),
            DBK_DAMAGED);
        assert_int_equal(
            dbk_log_read_event(s->log, &other.subject, &batch, &read, &s->err), DBK_OK);
    }
    dbk_log_close(s->log);
    misplace_event(s, &event.subject, 0);
    scratch_open(s);
    assert_int_equal(submit(s, &deleted).code, DBK_DAMAGED);
    dbk_batch_finish(&batch);
}

static void the_checksum_of_a_record_is_had_by_its_sequence(void **state)
{
    struct scratch *s = *state;
    struct dbk_batch batch = {0};
    uint32_t checksum;

    assert_int_equal(dbk_log_checksum(s->log, 1, &checksum, NULL), DBK_NOT_FOUND);
    add_person(s, "kate@x.mock");
    add_person(s, "tom@x.mock");
    assert_int_equal(dbk_log_read(s->log, 0, 10, 1 << 20, &batch, NULL), DBK_OK);
    assert_int_equal(batch.count, 2);
    for (size_t i = 0; i < batch.count; i++) {
        assert_int_equal(dbk_log_checksum(s->log, i + 1, &checksum, NULL), DBK_OK);
        assert_int_equal(checksum, batch.entries[i].checksum);
    }
    assert_int_not_equal(batch.entries[0].checksum, batch.entries[1].checksum);
    assert_int_equal(dbk_log_checksum(s->log, 0, &checksum, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_log_checksum(s->log, 3, &checksum, &s->err), DBK_NOT_FOUND);
    assert_string_equal(s->err.text, "there is no record 3");
    assert_int_equal(dbk_log_checksum(s->log, UINT64_MAX, &checksum, NULL),
                     DBK_NOT_FOUND);
    dbk_batch_finish(&batch);
}

static void who_follows_is_told_where_the_log_is_another(void **state)
{
    struct scratch *s = *state;
    char command[400];
    uint32_t checksum;

    add_person(s, "kate@x.mock");
    assert_int_equal(dbk_log_checksum(s->log, 1, &checksum, NULL), DBK_OK);
    assert_int_equal(dbk_log_check_history(s->log, 0, 0, NULL), DBK_OK);
    assert_int_equal(dbk_log_check_history(s->log, 1, checksum, NULL), DBK_OK);
    assert_int_equal(dbk_log_check_history(s->log, 1, checksum ^ 1, &s->err),
                     DBK_MOVED);
    assert_non_null(strstr(s->err.text, "record 1 is another now"));
    assert_int_equal(dbk_log_check_history(s->log, 2, checksum, &s->err), DBK_MOVED);
    assert_non_null(strstr(s->err.text, "record 2 is not there"));
    snprintf(command, sizeof command,
             "cp %s/data.mdb %s/copy && mv %s/copy %s/data.mdb", s->dir, s->dir, s->dir,
             s->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(dbk_log_check_history(s->log, 1, checksum, &s->err), DBK_MOVED);
    assert_non_null(strstr(s->err.text, "replaced"));
}

static void stats_count_what_is_there(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_stats stats;

    add_person(s, "a@x.mock");
    assert_int_equal(dbk_log_stats(s->log, &stats, NULL), DBK_OK);
    assert_int_equal(stats.head, 1);
    assert_int_equal(stats.persons, 1);
    assert_int_equal(stats.events, 0);
    assert_true(stats.file_bytes >= 8192 && stats.free_bytes > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_read_back_in_order),
        TEST(a_read_is_bounded_by_bytes_but_gives_one),
        TEST(a_byte_changed_on_disk_is_noticed),
        TEST(a_wait_ends_when_another_process_appends),
        TEST(the_head_is_known_anew_when_another_process_appends),
        TEST(an_interrupt_ends_a_wait),
        TEST(states_can_be_looked_up),
        TEST(only_a_live_event_is_read_by_its_id),
        TEST(a_misplaced_event_is_damaged_and_not_another),
        TEST(the_checksum_of_a_record_is_had_by_its_sequence),
        TEST(who_follows_is_told_where_the_log_is_another),
        TEST(stats_count_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
