/* A log whose records are sealed: what is where in its file, and who can read it. */
#include "kate_log.h"

#include "log_builder_private.h"
#include "store/log_builder.h"
#include "store/restore.h"

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

/* As `daybook keys init` makes one where a log's own is lost. */
static void a_new_ring_is_not_bound_to_a_log_that_it_does_not_open(void **state)
{
    struct scratch *s = *state, other = {.log = NULL};
    struct dbk_keys_state ring;
    char dir[120];

    add_person(s, "kate@x.mock");
    snprintf(other.dir, sizeof other.dir, "%.60s.other", s->dir);
    sealed_keys_dir(&other, dir);
    assert_int_equal(dbk_keys_make(dir, NULL, NULL), DBK_OK);
    sealed_open_keys(&other);
    for (int read_only = 0; read_only < 2; read_only++) {
        assert_int_equal(open_with(s, other.keys, read_only), DBK_CONFLICT);
        assert_non_null(strstr(s->err.text, "does not open this log"));
        assert_int_equal(dbk_keys_state(other.keys, &ring, NULL), DBK_OK);
        assert_false(ring.bound);
    }
    /* Whose key is gone says nothing; who comes behind does. */
    assert_int_equal(dbk_keys_erase(other.keys, &(uint64_t){1}, 1, 0, NULL), DBK_OK);
    assert_int_equal(open_with(s, s->keys, false), DBK_OK);
    add_person(s, "erik@x.mock");
    assert_int_equal(open_with(s, other.keys, false), DBK_CONFLICT);
    dbk_keys_close(other.keys);
    sealed_remove_keys(&other);
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
    assert_non_null(
        strstr(s->err.text, "put the ring that was kept apart, and its master key"));
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
    enum { COMMANDS = 15, ERIKS = 12 }; /* the last three are one person's */
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock"),
                    erik = add_person(s, "e@x.mock");
    struct dbk_uuid unknown = dbk_uuid_new();
    struct dbk_record drafts[COMMANDS];
    struct dbk_command *commands[COMMANDS];
    struct dbk_batch batch = {0};
    struct dbk_record record;

    for (int i = 0; i < COMMANDS; i++)
        drafts[i] = marked_event(i % 2 && i < ERIKS ? &kate : &erik);
    drafts[3] = draft_of(DBK_PERSON_ERASED, &kate);
    drafts[6] = draft_anonymous("A-" MARKER);
    drafts[8] = draft_event(&unknown);
    for (int i = 0; i < COMMANDS; i++)
        commands[i] = command_of(&drafts[i]);
    assert_int_equal(dbk_log_submit(s->log, commands, COMMANDS, NULL, NULL, &s->err),
                     DBK_OK);
    for (int i = 0; i < COMMANDS; i++) {
        const struct dbk_verdict *verdict = dbk_command_verdict(commands[i]);
        bool living = i % 2 == 0 || i >= ERIKS, fine = i != 8 && (i <= 3 || living);

        assert_int_equal(verdict->code, fine ? DBK_OK : DBK_NOT_FOUND);
        if (fine && living) {
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
    assert_int_equal(dbk_log_builder_open_sealed(dir, s->keys, &builder, &s->err),
                     DBK_OK);
    assert_int_not_equal(dbk_log_builder_add(builder, bytes, length, &s->err), DBK_OK);
    assert_non_null(strstr(s->err.text, "it is not sealed"));
    dbk_log_builder_abandon(builder);
    dbk_log_builder_remove(dir);
}

/* A ring of its own in dir, none of whose first keys is there any more. */
static struct dbk_keys *open_emptied_ring(struct scratch *s, const char *dir)
{
    uint64_t numbers[100];
    struct dbk_keys *keys;

    for (size_t i = 0; i < 100; i++)
        numbers[i] = i + 1;
    assert_int_equal(dbk_keys_make(dir, NULL, &s->err), DBK_OK);
    assert_int_equal(dbk_keys_open(dir, NULL, &keys, &s->err), DBK_OK);
    assert_int_equal(dbk_keys_erase(keys, numbers, 100, 0, &s->err), DBK_OK);
    return keys;
}

/* The log in s, in copy, by these keys. */
static void make_again(struct scratch *s, struct scratch *copy, struct dbk_keys *keys)
{
    struct dbk_batch batch = {0};
    struct dbk_log_builder *builder;

    snprintf(copy->dir, sizeof copy->dir, "%.60s.new", s->dir);
    assert_int_equal(dbk_log_builder_open_sealed(copy->dir, keys, &builder, &s->err),
                     DBK_OK);
    assert_int_equal(dbk_log_read(s->log, 0, 1000, SIZE_MAX, &batch, &s->err), DBK_OK);
    for (size_t i = 0; i < batch.count; i++) {
        if (dbk_log_builder_add(builder, batch.bytes + batch.entries[i].offset,
                                batch.entries[i].length, &s->err) != DBK_OK)
            fail_msg("%s", s->err.text);
    }
    dbk_batch_finish(&batch);
    assert_int_equal(dbk_log_builder_finish(builder, &s->err), DBK_OK);
    copy->keys = keys;
    scratch_open(copy);
}

/* Whoever has lost the ring has a log without names, which goes on. */
static void made_again_by_a_ring_without_keys_all_are_gone(void **state)
{
    struct scratch *s = *state, copy = {.log = NULL};
    struct kate kate = add_kate(s);
    struct dbk_record again = marked_person(), event, update = kate.person;
    struct dbk_batch batch = {0};
    struct dbk_person_state person;
    char dir[120];

    update.type = DBK_PERSON_UPDATED;
    update.person.last_name = dbk_slice("M");
    assert_int_equal(submit(s, &update).code, DBK_OK);
    snprintf(dir, sizeof dir, "%.60s.empty", s->dir);
    make_again(s, &copy, open_emptied_ring(s, dir));
    assert_verifies(&copy);
    assert_int_equal(dbk_log_person(copy.log, &kate.person.subject, &person, NULL),
                     DBK_OK);
    assert_true(person.deleted && person.erased && !*person.email);
    assert_int_equal(
        dbk_log_read_event(copy.log, &kate.event.subject, &batch, &event, NULL),
        DBK_NOT_FOUND);
    assert_erased(&copy, 1);
    assert_erased(&copy, 2);
    event = marked_event(&kate.person.subject);
    assert_int_equal(submit(&copy, &event).code, DBK_NOT_FOUND);
    assert_int_equal(submit(&copy, &update).code, DBK_NOT_FOUND);
    assert_int_equal(submit(&copy, &kate.person).code, DBK_CONFLICT);
    assert_int_equal(delete_it(&copy, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_NOT_FOUND);
    assert_int_equal(submit(&copy, &again).code, DBK_OK); /* their e-mail is free */
    assert_int_equal(alias(&copy, &again.subject, "A-" MARKER).code, DBK_OK);
    assert_verifies(&copy);
    dbk_log_close(copy.log);
    dbk_keys_close(copy.keys);
    scratch_remove(copy.dir);
    sealed_remove_ring(dir);
    dbk_batch_finish(&batch);
}

static void the_ring_of_another_log_makes_none(void **state)
{
    struct scratch *s = *state;
    struct dbk_log_builder *builder;
    struct dbk_batch batch = {0};
    struct dbk_keys *keys;
    char dir[120], ring[120];

    add_kate(s);
    snprintf(dir, sizeof dir, "%.60s.new", s->dir);
    snprintf(ring, sizeof ring, "%.60s.other", s->dir);
    keys = open_emptied_ring(s, ring);
    assert_int_equal(
        dbk_keys_bind(keys, (const uint8_t[DBK_KEYS_FIRST_BYTES]){9}, &s->err), DBK_OK);
    assert_int_equal(dbk_log_builder_open_sealed(dir, keys, &builder, &s->err), DBK_OK);
    assert_int_equal(dbk_log_read(s->log, 0, 1, SIZE_MAX, &batch, &s->err), DBK_OK);
    assert_int_equal(
        dbk_log_builder_add(builder, batch.bytes, batch.entries[0].length, &s->err),
        DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "another log's"));
    dbk_log_builder_abandon(builder);
    dbk_log_builder_remove(dir);
    dbk_batch_finish(&batch);
    dbk_keys_close(keys);
    sealed_remove_ring(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_text_is_in_the_file),
        TEST(who_has_the_ring_reads_all_of_it),
        TEST(without_the_ring_what_is_in_the_clear_is_read),
        TEST(a_log_that_is_not_sealed_stays_so),
        TEST(the_ring_of_another_log_is_refused),
        TEST(a_new_ring_is_not_bound_to_a_log_that_it_does_not_open),
        TEST(a_log_is_restored_by_its_ring),
        TEST(a_damaged_record_does_not_keep_the_log_shut),
        TEST(a_torn_slot_concerns_its_person_only),
        TEST(a_batch_says_what_each_alone_would_have_said),
        TEST(a_log_that_is_not_sealed_takes_none_of_its_records),
        TEST(a_sealed_log_takes_no_record_that_is_not),
        TEST(made_again_by_a_ring_without_keys_all_are_gone),
        TEST(the_ring_of_another_log_makes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
