/* A log whose records are sealed: what is where in its file, who can read it, and what is left
 * of who was erased. */
#include "sealed_log.h"

#include "identity_log.h"
#include "log_builder_private.h"
#include "scripted_commits.h"
#include "store/history.h"
#include "store/log_builder.h"
#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, sealed_setup, sealed_teardown)

/* Nothing like it is anywhere unless somebody wrote it. */
#define MARKER "zanzibar"

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

static char *read_file(const char *path, size_t *length)
{
    struct stat status;
    char *bytes;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    *length = (size_t)status.st_size;
    bytes = malloc(*length + 1);
    assert_int_equal(read(fd, bytes, *length), (ssize_t)*length);
    close(fd);
    return bytes;
}

static void assert_not_in(const char *path, const char *text)
{
    size_t length;
    char *bytes = read_file(path, &length);

    if (memmem(bytes, length, text, strlen(text)))
        fail_msg("%s has \"%s\"", path, text);
    free(bytes);
}

static void assert_not_in_log(const struct scratch *s, const char *text)
{
    char path[160];

    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    assert_not_in(path, text);
}

static struct dbk_record marked_person(void)
{
    struct dbk_record draft = draft_person("a-" MARKER "@x.mock");

    draft.person.has = DBK_HAS_PERSON;
    draft.person.first_name = dbk_slice("F-" MARKER);
    draft.person.last_name = dbk_slice("L-" MARKER);
    draft.person.external_id = dbk_slice("X-" MARKER);
    draft.person.properties = dbk_slice("{\"p\": \"" MARKER "\"}");
    return draft;
}

static struct dbk_record marked_event(const struct dbk_uuid *person)
{
    struct dbk_record draft = draft_event(person);

    draft.event_type = dbk_slice("T-" MARKER);
    draft.properties = dbk_slice("{\"e\": \"" MARKER "\"}");
    return draft;
}

/* A person with all there can be, and an event of each kind. */
struct kate {
    struct dbk_record person, event, visit;
};

static struct kate add_kate(struct scratch *s)
{
    struct kate kate = {.person = marked_person(), .visit = marked_event(&nobody)};

    kate.event = marked_event(&kate.person.subject);
    kate.visit.anonymous_id = dbk_slice("A-" MARKER);
    assert_int_equal(submit(s, &kate.visit).code, DBK_OK);
    assert_int_equal(submit(s, &kate.person).code, DBK_OK);
    assert_int_equal(submit(s, &kate.event).code, DBK_OK);
    assert_int_equal(alias(s, &kate.person.subject, "A-" MARKER).code, DBK_OK);
    return kate;
}

static void change_kate(struct scratch *s, const struct kate *kate)
{
    struct dbk_record changed = kate->person;
    bool replayed;

    changed.type = DBK_PERSON_UPDATED;
    changed.person.email = dbk_slice("b-" MARKER "@x.mock");
    changed.person.properties = dbk_slice("{\"q\": \"" MARKER "\"}");
    assert_int_equal(submit(s, &changed).code, DBK_OK);
    assert_int_equal(unalias(s, &kate->person.subject, "A-" MARKER).code, DBK_OK);
    assert_int_equal(alias(s, &kate->person.subject, "A-" MARKER).code, DBK_OK);
    submit_keyed(s, &kate->person.subject, 7, &replayed);
    submit_keyed(s, &kate->person.subject, 7, &replayed);
    assert_true(replayed);
}

static void no_text_is_in_the_file(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);

    assert_not_in_log(s, MARKER);
    change_kate(s, &kate);
    assert_not_in_log(s, MARKER);
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    assert_not_in_log(s, MARKER);
    assert_verifies(s);
    assert_not_in_log(s, MARKER);
}

static void who_has_the_ring_reads_all_of_it(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_person_state person;
    struct dbk_aliases aliases = {0};
    struct dbk_batch batch = {0};
    struct dbk_slice properties;
    struct dbk_record record;
    struct dbk_uuid whose;

    for (int i = 0; i < 2; i++) {
        assert_true(dbk_log_is_sealed(s->log));
        record = record_at(s, 1, &batch);
        assert_true(dbk_slice_equal(record.anonymous_id, kate.visit.anonymous_id));
        assert_true(dbk_slice_equal(record.properties, kate.visit.properties));
        record = record_at(s, 2, &batch);
        assert_true(dbk_slice_equal(record.person.email, kate.person.person.email));
        assert_int_equal(record.format, 4);
        assert_int_equal(dbk_log_person(s->log, &kate.person.subject, &person, NULL),
                         DBK_OK);
        assert_string_equal(person.last_name, "L-" MARKER);
        assert_int_equal(person.aliases, 1);
        assert_int_equal(
            dbk_log_person_properties(s->log, &person, &batch, &properties, NULL),
            DBK_OK);
        assert_true(dbk_slice_equal(properties, kate.person.person.properties));
        assert_int_equal(dbk_log_whose(s->log, DBK_IDENTITY_EMAIL,
                                       dbk_slice("A-" MARKER "@X.mock"), &whose, NULL),
                         DBK_OK);
        assert_memory_equal(&whose, &kate.person.subject, sizeof whose);
        assert_int_equal(dbk_log_aliases(s->log, &kate.person.subject, &aliases, NULL),
                         DBK_OK);
        assert_true(
            dbk_slice_equal(aliases.list[0].anonymous_id, kate.visit.anonymous_id));
        assert_owner(s, &kate.visit.subject, &kate.person.subject);
        sealed_reopen(s);
    }
    dbk_aliases_finish(&aliases);
    dbk_batch_finish(&batch);
}

/* Open the log anew, reading, with other keys or none. */
static enum dbk_code open_with(struct scratch *s, struct dbk_keys *keys, bool read_only)
{
    struct dbk_log_options options = {
        .map_size = (size_t)1 << 30, .keys = keys, .read_only = read_only};

    dbk_log_close(s->log);
    return dbk_log_open(s->dir, &options, &s->log, &s->err);
}

static void without_the_ring_what_is_in_the_clear_is_read(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_command *command = command_of(&kate.event);
    struct dbk_batch batch = {0};
    struct dbk_record record;

    assert_int_equal(open_with(s, NULL, false), DBK_OK);
    record = record_at(s, 2, &batch);
    assert_memory_equal(&record.subject, &kate.person.subject, sizeof record.subject);
    assert_true(record.sealed.length > 0 && !record.opened && !record.erased);
    assert_int_equal(record.person.has, 0);
    assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err),
                     DBK_UNSUPPORTED);
    assert_non_null(strstr(s->err.text, "without its ring"));
    dbk_command_destroy(command);
    dbk_batch_finish(&batch);
}

static void a_log_that_is_not_sealed_stays_so(void **state)
{
    struct scratch *s = *state, plain = {.log = NULL};
    struct dbk_record gone;

    strcpy(plain.dir, "/tmp/daybook-store-XXXXXX");
    assert_non_null(mkdtemp(plain.dir));
    scratch_open(&plain);
    assert_int_equal(open_with(&plain, s->keys, false), DBK_OK);
    assert_false(dbk_log_is_sealed(plain.log));
    gone = draft_of(DBK_PERSON_ERASED, &(struct dbk_uuid){{1}});
    gone.subject = add_person(&plain, MARKER "@x.mock");
    assert_int_equal(submit(&plain, &gone).code, DBK_CONFLICT);
    dbk_log_close(plain.log);
    assert_verified(plain.dir);
    scratch_remove(plain.dir);
}

static void assert_erased(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, sequence, &batch);

    assert_true(record.erased);
    assert_int_equal(record.person.has, 0);
    assert_int_equal(record.properties.length + record.anonymous_id.length, 0);
    dbk_batch_finish(&batch);
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

static void copy_file(const char *from, const char *to)
{
    size_t length;
    char *bytes = read_file(from, &length);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
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

static void the_ring_of_another_log_is_refused(void **state)
{
    struct scratch *s = *state, other = {.log = NULL};
    char dir[120];

    add_person(s, "kate@x.mock");
    strcpy(other.dir, "/tmp/daybook-store-XXXXXX");
    assert_non_null(mkdtemp(other.dir));
    sealed_keys_dir(&other, dir);
    assert_int_equal(dbk_keys_make(dir, NULL, NULL), DBK_OK);
    sealed_open_keys(&other);
    scratch_open(&other);
    add_person(&other, "erik@x.mock");
    assert_int_equal(open_with(s, other.keys, false), DBK_CONFLICT);
    dbk_log_close(other.log);
    dbk_keys_close(other.keys);
    sealed_remove_keys(&other);
    scratch_remove(other.dir);
    scratch_open(s);
}

/* Also an older state of it, by the ring of now, whose keys are fewer. */
static void a_log_is_restored_by_its_ring(void **state)
{
    struct scratch *s = *state, made = {.keys = s->keys};
    struct kate kate = add_kate(s);
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    struct dbk_verdict gone = delete_it(s, DBK_PERSON_ERASED, &kate.person.subject);
    struct dbk_restore_options options = {.to = 0};
    struct dbk_record event;
    struct dbk_restored done;

    snprintf(made.dir, sizeof made.dir, "%.60s.made", s->dir);
    assert_int_equal(dbk_log_restore(s->dir, made.dir, &options, &done, &s->err),
                     DBK_UNSUPPORTED);
    assert_non_null(strstr(s->err.text, "put that, and its master key"));
    options.keys = s->keys;
    for (int i = 0; i < 2; i++) {
        options.to = i ? gone.sequence - 1 : 0;
        if (dbk_log_restore(s->dir, made.dir, &options, &done, &s->err) != DBK_OK)
            fail_msg("%s", s->err.text);
        scratch_open(&made);
        assert_true(dbk_log_is_sealed(made.log));
        event = draft_event(&erik);
        if (i) { /* at a sequence up to which the ring was done already */
            assert_int_equal(delete_it(&made, DBK_PERSON_ERASED, &erik).sequence,
                             gone.sequence);
            assert_erased(&made, 5);
        }
        assert_int_equal(submit(&made, &event).code, i ? DBK_NOT_FOUND : DBK_OK);
        assert_verifies(&made);
        dbk_log_close(made.log);
        scratch_remove(made.dir);
    }
}

/* Of the first record, too, which the ring is held against. */
static void a_damaged_record_does_not_keep_the_log_shut(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, 1, &batch);
    char path[160], *bytes, *at;
    size_t length;
    int fd;

    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    dbk_log_close(s->log);
    bytes = at = read_file(path, &length);
    fd = open(path, O_WRONLY);
    while ((at = memmem(at, length - (size_t)(at - bytes), record.sealed.data,
                        record.sealed.length)))
        assert_int_equal(pwrite(fd, (char[]){(char)(*at ^ 1)}, 1, at++ - bytes), 1);
    close(fd);
    free(bytes);
    scratch_open(s);
    assert_int_equal(dbk_log_record(s->log, 1, &batch, &record, &s->err), DBK_DAMAGED);
    record = record_at(s, 2, &batch);
    assert_true(dbk_slice_equal(record.person.email, kate.person.person.email));
    dbk_batch_finish(&batch);
}

static void a_torn_slot_concerns_its_person_only(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid erik = add_person(s, "erik@x.mock");
    struct dbk_record event = draft_event(&kate.person.subject),
                      of_erik = draft_event(&erik);
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, 2, &batch);
    char ring[120];
    off_t at;
    int fd;

    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    fd = open(ring, O_WRONLY);
    for (at = (off_t)(4096 + 64 * (record.key - 1));
         at < (off_t)(4096 + 64 * record.key); at++)
        assert_int_equal(pwrite(fd, "x", 1, at), 1);
    close(fd);
    sealed_reopen(s);
    assert_int_equal(dbk_log_record(s->log, 2, &batch, &record, &s->err), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "record 2: "));
    assert_int_equal(submit(s, &event).code, DBK_DAMAGED);
    assert_int_equal(submit(s, &of_erik).code, DBK_OK);
    dbk_batch_finish(&batch);
}

/* Many at once are sealed before their turn, where that can be known. */
static void a_batch_says_what_each_alone_would_have_said(void **state)
{
    enum { COMMANDS = 12 };
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"),
                    erik = add_person(s, "e@x.mock");
    struct dbk_uuid unknown = dbk_uuid_new();
    struct dbk_record drafts[COMMANDS];
    struct dbk_command *commands[COMMANDS];
    struct dbk_batch batch = {0};
    struct dbk_record record;

    for (int i = 0; i < COMMANDS; i++)
        drafts[i] = marked_event(i % 2 ? &kate : &erik);
    drafts[3] = draft_of(DBK_PERSON_ERASED, &kate);
    drafts[6] = draft_anonymous("A-" MARKER);
    drafts[8] = draft_event(&unknown);
    for (int i = 0; i < COMMANDS; i++)
        commands[i] = command_of(&drafts[i]);
    assert_int_equal(dbk_log_submit(s->log, commands, COMMANDS, NULL, NULL, &s->err),
                     DBK_OK);
    for (int i = 0; i < COMMANDS; i++) {
        const struct dbk_verdict *verdict = dbk_command_verdict(commands[i]);
        bool fine = i != 8 && (i <= 3 || i % 2 == 0);

        assert_int_equal(verdict->code, fine ? DBK_OK : DBK_NOT_FOUND);
        if (fine && i != 3 && i % 2 == 0) {
            record = record_at(s, verdict->sequence, &batch);
            assert_true(record.opened);
            assert_true(dbk_slice_equal(record.event_type, drafts[i].event_type));
        } else if (i == 1) {
            assert_erased(s, verdict->sequence);
        }
        dbk_command_destroy(commands[i]);
    }
    dbk_batch_finish(&batch);
    assert_not_in_log(s, MARKER);
    assert_verifies(s);
}

/* Else what only the ring can say would be missing from its indexes. */
static void a_log_that_is_not_sealed_takes_none_of_its_records(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_batch batch = {0};
    struct dbk_log_builder *builder;
    char dir[120];

    assert_int_equal(delete_it(s, DBK_PERSON_ERASED, &kate.person.subject).code,
                     DBK_OK);
    snprintf(dir, sizeof dir, "%s.again", s->dir);
    assert_int_equal(dbk_log_builder_open(dir, &builder, &s->err), DBK_OK);
    assert_int_equal(dbk_log_read(s->log, 0, 1, SIZE_MAX, &batch, &s->err), DBK_OK);
    assert_int_not_equal(
        dbk_log_builder_add(builder, batch.bytes, batch.entries[0].length, &s->err),
        DBK_OK);
    assert_non_null(strstr(s->err.text, "the ring of its keys is not here"));
    dbk_log_builder_abandon(builder);
    dbk_log_builder_remove(dir);
    dbk_batch_finish(&batch);
}

static void a_sealed_log_takes_no_record_that_is_not(void **state)
{
    struct scratch *s = *state;
    struct dbk_record draft = draft_person("kate@x.mock");
    struct dbk_log_builder *builder;
    char dir[120], bytes[1000];
    size_t length;

    draft.sequence = 1;
    draft.recorded_at = draft.datetime_created = 1;
    assert_int_equal(dbk_record_encode(&draft, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    snprintf(dir, sizeof dir, "%s.again", s->dir);
    assert_int_equal(log_builder_open(dir, s->keys, &builder, &s->err), DBK_OK);
    assert_int_not_equal(dbk_log_builder_add(builder, bytes, length, &s->err), DBK_OK);
    assert_non_null(strstr(s->err.text, "it is not sealed"));
    dbk_log_builder_abandon(builder);
    dbk_log_builder_remove(dir);
}

static void a_history_leaves_out_who_was_erased(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_person_records records;
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, 1, &batch);

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
        TEST(no_text_is_in_the_file),
        TEST(who_has_the_ring_reads_all_of_it),
        TEST(without_the_ring_what_is_in_the_clear_is_read),
        TEST(a_log_that_is_not_sealed_stays_so),
        TEST(an_erased_person_is_gone_with_events_and_aliases),
        TEST(a_deleted_person_can_be_erased_with_what_went_then),
        TEST(an_old_ring_brings_nobody_back),
        TEST(an_erasure_that_the_disk_refused_is_finished_by_the_next),
        TEST(no_key_goes_for_a_record_that_may_not_be_on_disk),
        TEST(a_commit_that_happened_after_all_is_acknowledged),
        TEST(the_ring_of_another_log_is_refused),
        TEST(a_log_is_restored_by_its_ring),
        TEST(a_damaged_record_does_not_keep_the_log_shut),
        TEST(a_torn_slot_concerns_its_person_only),
        TEST(a_batch_says_what_each_alone_would_have_said),
        TEST(a_log_that_is_not_sealed_takes_none_of_its_records),
        TEST(a_sealed_log_takes_no_record_that_is_not),
        TEST(a_history_leaves_out_who_was_erased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
