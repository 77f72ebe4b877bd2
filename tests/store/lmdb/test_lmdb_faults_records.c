/* Every error path of LMDB where records are appended and read. */
#include "lmdb_sweep.h"
#include "replicated/members.h"

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

/* Two copies: one of the log that is swept over, and another. */
static struct copies {
    struct stream stream;
    struct node here, there;
    uint64_t sequence;
} copies;

static void copies_begin(struct scratch *s)
{
    struct dbk_uuid id = dbk_log_store_id(s->log);

    memset(&copies, 0, sizeof copies);
    stream_init(&copies.stream);
    node_open(&copies.there, &copies.stream, &id, 0);
    dbk_log_close(s->log);
    s->log = NULL;
    {
        const struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                                .held_ms = 1};

        assert_int_equal(dbk_log_open(s->dir, &options, &s->log, &s->err), DBK_OK);
    }
    assert_int_equal(dbk_log_put_place(s->log, &at_the_beginning, &s->err), DBK_OK);
    copies.here.s.log = s->log;
    copies.here.stream = &copies.stream;
}

static void copies_end(struct scratch *s)
{
    node_catch_up(&copies.there);
    node_catch_up(&copies.here);
    assert_int_equal(node_head(&copies.here), node_head(&copies.there));
    node_close(&copies.there);
    stream_finish(&copies.stream);
    dbk_log_close(s->log);
    assert_sound(s);
    scratch_open(s);
}

static void lead_there(struct sweep *sweep)
{
    (void)sweep;
    node_catch_up(&copies.here);
    add_person(&copies.there.s, new_email());
}

static enum dbk_code apply_here(struct sweep *sweep)
{
    return node_follow(&copies.here, stream_end(&copies.stream), 10, &sweep->s->err);
}

static void records_and_place_are_of_one_moment(struct sweep *sweep, enum dbk_code told)
{
    struct dbk_place place;

    if (told != DBK_OK && dbk_log_place(sweep->s->log, &place, NULL) != DBK_OK)
        return; /* it is opened again by the next one */
    place = place_of(&copies.here);
    assert_int_equal(place.next, (int64_t)node_head(&copies.here) + 1);
    if (told == DBK_OK)
        assert_int_equal(place.next, stream_end(&copies.stream));
}

static void whatever_fails_an_apply_is_whole_or_not_at_all(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    copies_begin(*state);
    node_lead(&copies.there);
    sweep_over(&sweep, lead_there, apply_here, records_and_place_are_of_one_moment);
    copies_end(*state);
}

/* Whoever leads follows after a failure that leaves a doubt; here it leads again at once. */
static void lead_here(struct sweep *sweep)
{
    (void)sweep;
    dbk_log_follow(copies.here.s.log);
    node_catch_up(&copies.here);
    node_lead_on(&copies.here);
}

static enum dbk_code ship_one(struct sweep *sweep)
{
    struct dbk_record draft = draft_person(new_email());
    struct dbk_command *command = command_of(&draft);
    enum dbk_code code =
        dbk_log_submit(sweep->s->log, &command, 1, NULL, NULL, &sweep->s->err);

    if (code == DBK_OK && dbk_command_verdict(command)->code != DBK_OK) {
        sweep->s->err = dbk_command_verdict(command)->error;
        code = sweep->s->err.code;
    }
    copies.sequence = dbk_command_verdict(command)->sequence;
    dbk_command_destroy(command);
    return code;
}

static void what_was_told_is_there(struct sweep *sweep, enum dbk_code told)
{
    (void)sweep;
    lead_here(sweep);
    if (told == DBK_OK)
        assert_int_equal(node_head(&copies.here), copies.sequence);
    node_catch_up(&copies.there);
    assert_int_equal(node_head(&copies.here), node_head(&copies.there));
}

static void whatever_fails_a_leader_the_copies_are_equal(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    copies_begin(*state);
    node_lead(&copies.here);
    sweep_over(&sweep, lead_here, ship_one, what_was_told_is_there);
    copies_end(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whatever_fails_an_append_is_whole_and_told_or_not_at_all),
        TEST(whatever_fails_a_read_says_so_and_the_next_one_works),
        TEST(whatever_fails_an_apply_is_whole_or_not_at_all),
        TEST(whatever_fails_a_leader_the_copies_are_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
