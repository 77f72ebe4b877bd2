/* Random commands of few persons who share few external and anonymous ids: each verdict is
 * the one that a simple model foretells, each event is whose the model says, and the indexes
 * are those that the records imply. In some logs months pass, and are forgotten. */
#include "scratch_log.h"

#include "sealed_log.h"
#include "store/log_builder.h"
#include "verified_log.h"

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define SEALED_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, sealed_setup, sealed_teardown)

/* What the system clock says. */
static dbk_timestamp now = INT64_C(1768046400000000); /* 2026-01-10T12:00:00 */
dbk_timestamp __wrap_dbk_timestamp_now(void);
dbk_timestamp __wrap_dbk_timestamp_now(void)
{
    return now;
}

static int setup_by_month(void **state)
{
    struct scratch *s;
    int rc = sealed_setup(state);

    if (rc == 0) {
        s = *state;
        s->by_month = true;
        scratch_reopen(s);
    }
    return rc;
}

#define MONTHS_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(name, setup_by_month, sealed_teardown)

enum { PERSONS = 6, EXTERNALS = 4, ANONYMOUS = 5, EVENTS = 4000, STEPS = 3000 };

struct person {
    struct dbk_uuid id;
    bool lives, has_names;
    bool known, erased; /* was there ever; of a sealed log */
    int external;       /* -1: none */
    int aliases;
};

struct event {
    struct dbk_uuid id;
    int anonymous; /* -1: it is of a person */
    int person;    /* where it is */
    int month;
    bool gone; /* deleted, or with its person or month */
};

struct model {
    struct scratch *s;
    uint64_t random;
    struct person persons[PERSONS];
    int owners[ANONYMOUS]; /* -1: nobody */
    struct event events[EVENTS];
    int event_count;
    int month, kept; /* months that have passed; the first that is not forgotten */
    unsigned accepted, refused, forgotten;
};

static const struct dbk_uuid nobody;

static int chance(struct model *model, int bound)
{
    model->random = model->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((model->random >> 33) % (uint64_t)bound);
}

static const char *anonymous_id(int i)
{
    static const char *const ids[ANONYMOUS] = {"a", "b", "\xC3\xA9", "d 4", "|"};

    return ids[i];
}

static const char *external_id(int i)
{
    static const char *const ids[EXTERNALS] = {"1", "2", "A", "a"};

    return ids[i];
}

static int holder_of(const struct model *model, int external)
{
    for (int i = 0; external >= 0 && i < PERSONS; i++)
        if (model->persons[i].lives && model->persons[i].external == external)
            return i;
    return -1;
}

static bool is_known(const struct person *person)
{
    return person->has_names || person->external >= 0 || person->aliases > 0;
}

static struct dbk_verdict submit_as(struct model *model, struct dbk_command *command,
                                    enum dbk_code foretold)
{
    struct dbk_verdict verdict = submit_command(model->s, command);

    if (verdict.code != foretold)
        fail_msg("%d (%s), and not %d", verdict.code, verdict.error.text, foretold);
    if (foretold == DBK_OK)
        model->accepted++;
    else
        model->refused++;
    return verdict;
}

static struct dbk_verdict submit_draft(struct model *model,
                                       const struct dbk_record *draft,
                                       enum dbk_code foretold)
{
    struct dbk_command *command = command_of(draft);
    struct dbk_verdict verdict = submit_as(model, command, foretold);

    dbk_command_destroy(command);
    return verdict;
}

static struct dbk_record draft_person_of(struct model *model, int i, int external,
                                         bool has_names)
{
    static char email[16];
    struct dbk_record draft = draft_person(email);

    snprintf(email, sizeof email, "p%d@x.mock", i);
    draft.subject = model->persons[i].id;
    draft.person.email = dbk_slice(email);
    if (!has_names)
        draft.person.has = DBK_HAS_ROLE;
    if (external >= 0) {
        draft.person.has |= DBK_HAS_EXTERNAL_ID | DBK_HAS_PROPERTIES;
        draft.person.external_id = dbk_slice(external_id(external));
        draft.person.properties = dbk_slice("{}");
    }
    return draft;
}

static void record_event(struct model *model, int person, int anonymous)
{
    struct dbk_record draft =
        draft_event(person < 0 ? &nobody : &model->persons[person].id);
    bool fine = anonymous >= 0 || model->persons[person].lives;

    if (anonymous >= 0)
        draft.anonymous_id = dbk_slice(anonymous_id(anonymous));
    submit_draft(model, &draft, fine ? DBK_OK : DBK_NOT_FOUND);
    if (!fine)
        return;
    assert_true(model->event_count < EVENTS);
    model->events[model->event_count++] = (struct event){.id = draft.subject,
                                                         .anonymous = anonymous,
                                                         .person = person,
                                                         .month = model->month};
}

static void delete_event(struct model *model)
{
    struct event *event;
    struct dbk_record draft;

    if (model->event_count == 0)
        return;
    event = &model->events[chance(model, model->event_count)];
    draft = draft_of(DBK_EVENT_DELETED, &event->id);
    submit_draft(model, &draft, event->gone ? DBK_NOT_FOUND : DBK_OK);
    event->gone = true;
}

/* With an alias in the same command, sometimes. */
static void create(struct model *model)
{
    int i = chance(model, PERSONS), external = chance(model, EXTERNALS + 2) - 2;
    int claimed = chance(model, 2) ? chance(model, ANONYMOUS) : -1;
    bool has_names = chance(model, 2);
    struct person *person = &model->persons[i], made = {.lives = true, .known = true};
    struct dbk_record draft, alias;
    struct dbk_command *command;
    enum dbk_code foretold = DBK_OK;

    if (external < 0)
        external = -1;
    if (!person->lives) {
        person->id = dbk_uuid_new();
        person->known = person->erased = false;
    }
    made.id = person->id;
    made.external = external;
    made.has_names = has_names;
    made.aliases = claimed >= 0;
    draft = draft_person_of(model, i, external, has_names);
    command = command_of(&draft);
    if (claimed >= 0) {
        alias = draft_of(DBK_PERSON_ALIASED, &person->id);
        alias.anonymous_id = dbk_slice(anonymous_id(claimed));
        assert_int_equal(dbk_command_add(command, &alias, NULL), DBK_OK);
    }
    if (person->lives)
        foretold = DBK_EXISTS;
    else if (!is_known(&made) || holder_of(model, external) >= 0 ||
             (claimed >= 0 && model->owners[claimed] >= 0))
        foretold = DBK_CONFLICT;
    submit_as(model, command, foretold);
    dbk_command_destroy(command);
    if (foretold != DBK_OK)
        return;
    *person = made;
    if (claimed >= 0)
        model->owners[claimed] = i;
}

static void update(struct model *model)
{
    int i = chance(model, PERSONS), external = chance(model, EXTERNALS + 1) - 1, holder;
    struct person *person = &model->persons[i], changed = *person;
    struct dbk_record draft = draft_person_of(model, i, -1, true);
    enum dbk_code foretold = DBK_OK;

    draft.type = DBK_PERSON_UPDATED;
    changed.has_names = chance(model, 2);
    if (!changed.has_names)
        draft.person.email.length = draft.person.first_name.length = 0;
    if (chance(model, 2)) {
        draft.person.has |= DBK_HAS_EXTERNAL_ID;
        if (external >= 0)
            draft.person.external_id = dbk_slice(external_id(external));
        changed.external = external;
    }
    holder = holder_of(model, changed.external);
    if (!person->lives)
        foretold = DBK_NOT_FOUND;
    else if (!is_known(&changed) || (holder >= 0 && holder != i))
        foretold = DBK_CONFLICT;
    submit_draft(model, &draft, foretold);
    if (foretold == DBK_OK)
        *person = changed;
}

static void upsert(struct model *model)
{
    int i = chance(model, PERSONS), external = chance(model, EXTERNALS);
    int holder = holder_of(model, external);
    struct person *person = &model->persons[i];
    struct dbk_record draft, updated, event;
    struct dbk_command *command;

    if (person->lives)
        return;
    person->id = dbk_uuid_new();
    person->known = person->erased = false;
    draft = draft_person_of(model, i, external, false);
    updated = draft_of(DBK_PERSON_UPDATED, &nobody);
    updated.person = draft.person;
    event = draft_event(&person->id);
    command = command_of(&draft);
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    assert_int_equal(dbk_command_otherwise(command, &updated, NULL), DBK_OK);
    assert_int_equal(submit_as(model, command, DBK_OK).otherwise, holder >= 0);
    assert_memory_equal(&dbk_command_person(command)->id,
                        &model->persons[holder >= 0 ? holder : i].id, 16);
    dbk_command_destroy(command);
    if (holder >= 0)
        return;
    *person = (struct person){
        .id = person->id, .lives = true, .known = true, .external = external};
    model->events[model->event_count++] = (struct event){
        .id = event.subject, .anonymous = -1, .person = i, .month = model->month};
}

static void delete_person(struct model *model)
{
    int i = chance(model, PERSONS);
    struct person *person = &model->persons[i];
    bool erases = model->s->keys && chance(model, 2);
    struct dbk_record draft =
        draft_of(erases ? DBK_PERSON_ERASED : DBK_PERSON_DELETED, &person->id);
    enum dbk_code foretold = person->lives ? DBK_OK : DBK_NOT_FOUND;

    if (erases && person->known)
        foretold = person->erased ? DBK_EXISTS : DBK_OK;
    submit_draft(model, &draft, foretold);
    if (foretold != DBK_OK)
        return;
    for (int e = 0; e < model->event_count; e++) {
        struct event *event = &model->events[e];

        if (event->anonymous >= 0 ? model->owners[event->anonymous] == i
                                  : event->person == i)
            event->gone = true;
    }
    for (int a = 0; a < ANONYMOUS; a++)
        if (model->owners[a] == i)
            model->owners[a] = -1;
    *person = (struct person){
        .id = person->id, .external = -1, .known = true, .erased = erases};
}

static void claim(struct model *model)
{
    int i = chance(model, PERSONS), a = chance(model, ANONYMOUS),
        owner = model->owners[a];
    struct person *person = &model->persons[i];
    struct dbk_record draft = draft_of(DBK_PERSON_ALIASED, &person->id);
    enum dbk_code foretold = DBK_OK;
    struct dbk_verdict verdict;

    draft.anonymous_id = dbk_slice(anonymous_id(a));
    if (!person->lives)
        foretold = DBK_NOT_FOUND;
    else if (owner == i)
        foretold = DBK_EXISTS;
    else if (owner >= 0)
        foretold = DBK_CONFLICT;
    verdict = submit_draft(model, &draft, foretold);
    if (foretold == DBK_CONFLICT)
        assert_memory_equal(&verdict.holder, &model->persons[owner].id, 16);
    if (foretold != DBK_OK)
        return;
    model->owners[a] = i;
    person->aliases++;
}

static void release(struct model *model)
{
    int i = chance(model, PERSONS), a = chance(model, ANONYMOUS);
    struct person *person = &model->persons[i], changed = *person;
    struct dbk_record draft = draft_of(DBK_PERSON_UNALIASED, &person->id);
    enum dbk_code foretold = DBK_OK;

    draft.anonymous_id = dbk_slice(anonymous_id(a));
    changed.aliases--;
    if (!person->lives || model->owners[a] != i)
        foretold = DBK_NOT_FOUND;
    else if (!is_known(&changed))
        foretold = DBK_CONFLICT;
    submit_draft(model, &draft, foretold);
    if (foretold != DBK_OK)
        return;
    *person = changed;
    model->owners[a] = -1;
}

/* Days enough that each is in the next one. */
#define MONTH (INT64_C(31) * 86400 * 1000000)

/* Whose they were, and whether they had been deleted, is no matter. */
static void forget(struct model *model)
{
    int kept = model->month - chance(model, 3);
    dbk_timestamp before = now - (model->month - kept) * MONTH;
    struct dbk_log_expiry expiry;
    bool due = false;

    for (int e = 0; e < model->event_count; e++) {
        struct event *event = &model->events[e];

        due |= event->month >= model->kept && event->month < kept;
        event->gone |= event->month < kept;
    }
    if (kept > model->kept)
        model->kept = kept;
    assert_int_equal(
        dbk_log_expire(model->s->log, before, "test", &expiry, &model->s->err), DBK_OK);
    assert_int_equal(expiry.sequence > 0, due);
    model->forgotten += due;
}

/* Now and then by who has lost what the indexes had. */
static void pass_month(struct model *model)
{
    struct scratch *s = model->s;

    now += MONTH;
    model->month++;
    forget(model);
    if (chance(model, 4) > 0)
        return;
    dbk_log_close(s->log);
    if (dbk_log_repair_indexes(s->dir, s->keys, NULL, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    scratch_open(s);
}

static void step(struct model *model)
{
    if (model->s->by_month && chance(model, 60) == 0)
        pass_month(model);
    switch (chance(model, 12)) {
    case 0:
        create(model);
        return;
    case 1:
        update(model);
        return;
    case 2:
        if (chance(model, 3) == 0)
            delete_person(model);
        return;
    case 3:
        upsert(model);
        return;
    case 4:
    case 5:
        claim(model);
        return;
    case 6:
        release(model);
        return;
    case 7:
        record_event(model, chance(model, PERSONS), -1);
        return;
    case 8:
        delete_event(model);
        return;
    default:
        record_event(model, -1, chance(model, ANONYMOUS));
        return;
    }
}

static void check_event(struct model *model, const struct event *event)
{
    int owner = event->anonymous >= 0 ? model->owners[event->anonymous] : event->person;
    struct dbk_batch batch = {0};
    struct dbk_record record;
    enum dbk_code code =
        dbk_log_read_event(model->s->log, &event->id, &batch, &record, &model->s->err);

    assert_int_equal(code, event->gone ? DBK_NOT_FOUND : DBK_OK);
    if (code == DBK_OK)
        assert_memory_equal(&record.person_id,
                            owner < 0 ? &nobody : &model->persons[owner].id, 16);
    dbk_batch_finish(&batch);
}

static void check_persons(struct model *model)
{
    struct dbk_aliases aliases = {0};
    struct dbk_uuid whose;

    for (int i = 0; i < PERSONS; i++) {
        const struct person *person = &model->persons[i];

        assert_int_equal(
            dbk_log_aliases(model->s->log, &person->id, &aliases, &model->s->err),
            DBK_OK);
        assert_int_equal(aliases.count, person->aliases);
        if (!person->lives || person->external < 0)
            continue;
        assert_int_equal(dbk_log_whose(model->s->log, DBK_IDENTITY_EXTERNAL_ID,
                                       dbk_slice(external_id(person->external)), &whose,
                                       NULL),
                         DBK_OK);
        assert_memory_equal(&whose, &person->id, 16);
    }
    dbk_aliases_finish(&aliases);
}

/* Whatever was decided may be taken over by another log, record by record. */
static void rebuild(struct scratch *s)
{
    struct dbk_log_builder *builder;
    struct dbk_batch batch = {0};
    uint64_t head = head_of(s);
    char dir[120];

    snprintf(dir, sizeof dir, "%s/again", s->dir);
    assert_int_equal(dbk_log_builder_open(dir, &builder, &s->err), DBK_OK);
    for (uint64_t at = 0; at < head; at++) {
        assert_int_equal(dbk_log_read(s->log, at, 1, SIZE_MAX, &batch, &s->err),
                         DBK_OK);
        if (dbk_log_builder_add(builder, batch.bytes + batch.entries[0].offset,
                                batch.entries[0].length, &s->err) != DBK_OK)
            fail_msg("%s", s->err.text);
    }
    assert_int_equal(dbk_log_builder_finish(builder, &s->err), DBK_OK);
    dbk_batch_finish(&batch);
    assert_verified(dir);
    dbk_log_builder_remove(dir);
}

static void run(struct scratch *s, uint64_t seed)
{
    struct model *model = calloc(1, sizeof *model);

    model->s = s;
    model->random = seed;
    for (int i = 0; i < PERSONS; i++)
        model->persons[i] = (struct person){.id = dbk_uuid_new(), .external = -1};
    for (int a = 0; a < ANONYMOUS; a++)
        model->owners[a] = -1;
    for (int i = 0; i < STEPS; i++)
        step(model);
    for (int e = 0; e < model->event_count; e++)
        check_event(model, &model->events[e]);
    check_persons(model);
    assert_true(model->accepted > STEPS / 4 && model->refused > STEPS / 10);
    assert_int_equal(model->forgotten > STEPS / 150, s->by_month);
    if (!s->keys)
        rebuild(s);
    dbk_log_close(s->log);
    s->log = NULL;
    assert_verified_with(s->dir, s->keys);
    scratch_open(s);
    free(model);
}

static void a_model_foretells_every_verdict(void **state)
{
    run(*state, 1);
}

static void and_another_time(void **state)
{
    run(*state, 20261128);
}

static void of_a_sealed_log_too(void **state)
{
    run(*state, 1);
}

static void and_of_another_one(void **state)
{
    run(*state, 20261129);
}

static void of_one_whose_months_are_forgotten(void **state)
{
    run(*state, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_foretells_every_verdict),
        TEST(and_another_time),
        SEALED_TEST(of_a_sealed_log_too),
        SEALED_TEST(and_of_another_one),
        MONTHS_TEST(of_one_whose_months_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
