#include "draft.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_DAY INT64_C(1704067200000000) /* 2024-01-01T00:00:00 */

static const char *const first_names[] = {"Kate",
                                          "Zo\xC3\xAB",
                                          "\xE6\x9D\x8E",
                                          "Ororo",
                                          "Jean-Luc",
                                          "Ana Mar\xC3\xAD"
                                          "a"};
static const char *const event_types[] = {"click", "view", "page_edit", "purchase",
                                          "a:b.c-d_1"};

void history_finish(struct history *history)
{
    population_finish(&history->population);
}

static uint64_t chance(struct history *history, uint64_t bound)
{
    return random_below(&history->random, bound);
}

/* Time goes on, by milliseconds; and once in a while the clock is set back. */
static void tick(struct history *history)
{
    if (history->now == 0)
        history->now = FIRST_DAY;
    history->now += (dbk_timestamp)chance(history, 400000);
    if (chance(history, 50000) == 0)
        history->now -= 2000000;
}

/* Some clients are traced. */
static void trace(struct history *history, struct dbk_record *record)
{
    if (!history->identities || chance(history, 8) != 0)
        return;
    snprintf(history->traceparent, sizeof history->traceparent,
             "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-01", history->random.state,
             history->persons + 1, history->events + 1);
    record->traceparent = dbk_slice(history->traceparent);
}

static void stamp(struct history *history, struct dbk_record *record)
{
    struct dbk_uuid request = random_uuid7(&history->random, history->now / 1000);

    record->recorded_at = history->now;
    record->source = dbk_slice("rest");
    if (chance(history, 5) == 0) {
        record->source = dbk_slice("import");
        return;
    }
    dbk_uuid_format(&request, history->request_id);
    record->request_id = dbk_slice(history->request_id);
    if (chance(history, 20) == 0)
        record->actor = dbk_slice("support");
    trace(history, record);
}

static struct dbk_uuid new_id(struct history *history)
{
    if (chance(history, 50) == 0) /* a client's own */
        return random_uuid4(&history->random);
    return random_uuid7(&history->random, history->now / 1000);
}

static void new_email(struct history *history, struct dbk_person_fields *person)
{
    snprintf(history->email, sizeof history->email, "%s%" PRIu64 "@example.org",
             chance(history, 4) ? "person" : "P.Erson+", history->emails++);
    person->email = dbk_slice(history->email);
}

static void new_last_name(struct history *history, struct dbk_person_fields *person)
{
    snprintf(history->last_name, sizeof history->last_name, "Pryde-%" PRIx64,
             chance(history, UINT64_C(1) << 40));
    person->last_name = dbk_slice(history->last_name);
}

static void maybe_time(struct history *history, struct dbk_record *record)
{
    if (chance(history, 3) != 0)
        return;
    record->has_datetime_created = true;
    record->datetime_created =
        history->now - (dbk_timestamp)chance(history, UINT64_C(100000000000000));
}

static void give_external_id(struct history *history, struct dbk_record *record)
{
    snprintf(history->external_id, sizeof history->external_id, "crm|%" PRIu64,
             history->persons + history->updates);
    record->person.has |= DBK_HAS_EXTERNAL_ID;
    record->person.external_id = dbk_slice(history->external_id);
}

static void give_properties(struct history *history, struct dbk_record *record)
{
    record->person.has |= DBK_HAS_PROPERTIES;
    record->person.properties.data = history->properties;
    record->person.properties.length =
        properties_write(&history->random, history->properties);
}

/* One who is known by something else, and may lack a name. */
static void identify(struct history *history, struct dbk_record *record)
{
    if (!history->identities || chance(history, 3) != 0)
        return;
    give_external_id(history, record);
    if (chance(history, 2) == 0)
        give_properties(history, record);
    if (chance(history, 2) == 0)
        record->person.has &= ~(unsigned)DBK_HAS_FIRST_NAME;
    if (chance(history, 4) == 0)
        record->person.has &= ~(unsigned)DBK_HAS_EMAIL;
}

/* Who keeps names and e-mail may lose everything else. */
static void change_identity(struct history *history, struct dbk_record *record)
{
    if (!history->identities || chance(history, 2) != 0)
        return;
    give_properties(history, record);
    if (chance(history, 3) == 0)
        record->person.properties.length = 0;
    if (chance(history, 4) == 0)
        give_external_id(history, record);
}

static bool create_person(struct history *history, struct dbk_record *record)
{
    struct inhabitant person = {.id = new_id(history), .role = DBK_ROLE_USER};

    if (chance(history, 10) == 0)
        person.role = DBK_ROLE_ADMIN;
    record->type = DBK_PERSON_CREATED;
    record->subject = person.id;
    record->person.has = DBK_HAS_ALL;
    record->person.role = person.role;
    record->person.first_name = dbk_slice(
        first_names[chance(history, sizeof first_names / sizeof *first_names)]);
    new_last_name(history, &record->person);
    new_email(history, &record->person);
    identify(history, record);
    maybe_time(history, record);
    history->persons++;
    history->newcomer = person.id;
    history->signup = true;
    return population_add(&history->population, &person);
}

static void update_person(struct history *history, struct dbk_record *record)
{
    struct inhabitant *person = population_pick(&history->population, &history->random);

    record->type = DBK_PERSON_UPDATED;
    record->subject = person->id;
    record->person.has = 1U + (unsigned)chance(history, DBK_HAS_ALL);
    record->person.has &= ~(unsigned)DBK_HAS_FIRST_NAME; /* it might be the same */
    if (record->person.has == 0)
        record->person.has = DBK_HAS_LAST_NAME;
    if (record->person.has & DBK_HAS_LAST_NAME)
        new_last_name(history, &record->person);
    if (record->person.has & DBK_HAS_EMAIL)
        new_email(history, &record->person);
    if (record->person.has & DBK_HAS_ROLE) {
        person->role = person->role == DBK_ROLE_USER ? DBK_ROLE_ADMIN : DBK_ROLE_USER;
        record->person.role = person->role;
    }
    change_identity(history, record);
    history->updates++;
}

/* Nobody is erased (DBK_PERSON_ERASED), and nothing expires (DBK_EVENTS_EXPIRED): these logs
 * are not sealed. Of those that are
 * tests/store/decide/test_identity_random.c makes histories. */
static void delete_person(struct history *history, struct dbk_record *record)
{
    struct inhabitant *person = population_pick(&history->population, &history->random);

    record->type = DBK_PERSON_DELETED;
    record->subject = person->id;
    if (dbk_uuid_equal(&history->restricted, &person->id))
        history->restricted = (struct dbk_uuid){{0}};
    visitors_end(&history->visitors, &person->id);
    population_remove(&history->population, person);
    history->deletes++;
}

static void record_event(struct history *history, struct dbk_record *record,
                         const struct dbk_uuid *person, const char *type)
{
    record->type = DBK_EVENT_RECORDED;
    record->subject = new_id(history);
    record->person_id = *person;
    record->event_type = dbk_slice(type);
    maybe_time(history, record);
    population_recorded(&history->population, &record->subject, person);
    history->events++;
}

static void record_any(struct history *history, struct dbk_record *record)
{
    const struct inhabitant *person =
        population_pick(&history->population, &history->random);

    record_event(
        history, record, &person->id,
        event_types[chance(history, sizeof event_types / sizeof *event_types)]);
    record->properties.data = history->properties;
    record->properties.length = properties_write(&history->random, history->properties);
}

static void visit(struct history *history, struct dbk_record *record)
{
    struct visitor *visitor = visitors_pick(&history->visitors, &history->random);

    record->type = DBK_EVENT_RECORDED;
    record->subject = new_id(history);
    record->person_id = visitor->owner;
    record->event_type = dbk_slice("Product Viewed");
    record->anonymous_id = dbk_slice(visitor->anonymous_id);
    maybe_time(history, record);
    visitors_recorded(&history->visitors, &record->subject, visitor);
    history->events++;
}

/* Somebody logs in, or out of one that was taken for another. */
static void identify_visitor(struct history *history, struct dbk_record *record)
{
    struct visitor *visitor = visitors_pick(&history->visitors, &history->random);

    record->anonymous_id = dbk_slice(visitor->anonymous_id);
    if (dbk_uuid_is_nil(&visitor->owner)) {
        record->type = DBK_PERSON_ALIASED;
        visitor->owner = population_pick(&history->population, &history->random)->id;
        record->subject = visitor->owner;
    } else {
        record->type = DBK_PERSON_UNALIASED;
        record->subject = visitor->owner;
        memset(&visitor->owner, 0, sizeof visitor->owner);
    }
}

/* One at a time. */
static void restrict_person(struct history *history, struct dbk_record *record)
{
    if (dbk_uuid_is_nil(&history->restricted)) {
        record->type = DBK_PERSON_RESTRICTED;
        record->subject = population_pick(&history->population, &history->random)->id;
        history->restricted = record->subject;
    } else {
        record->type = DBK_PERSON_UNRESTRICTED;
        record->subject = history->restricted;
        history->restricted = (struct dbk_uuid){{0}};
    }
}

/* As if all before had been another log's. */
static void reseal_log(struct history *history, struct dbk_record *record)
{
    record->type = DBK_LOG_RESEALED;
    record->subject = new_id(history);
    record->size = history->persons + history->events + 1;
    record->root = dbk_slice("a root of thirty-two bytes, or so");
    record->root.length = DBK_ROOT_BYTES;
    if (chance(history, 2))
        record->checkpoint =
            dbk_slice("log.example\n1\nroot\n\n\xE2\x80\x94 log.example a+b=\n");
}

static bool delete_event(struct history *history, struct dbk_record *record)
{
    bool anonymous = history->identities && chance(history, 2);

    if (anonymous && visitors_take_event(&history->visitors, &history->random,
                                         &record->subject, &record->person_id)) {
        record->type = DBK_EVENT_DELETED;
        history->event_deletes++;
        return true;
    }
    if (!population_take_event(&history->population, &history->random, &record->subject,
                               &record->person_id))
        return false;
    record->type = DBK_EVENT_DELETED;
    history->event_deletes++;
    return true;
}

bool history_next(struct history *history, struct dbk_record *record)
{
    uint64_t kind = chance(history, 1000);
    bool fine = true;

    *record = (struct dbk_record){.type = DBK_EVENT_RECORDED};
    if (history->signup) { /* in one transaction with its person: at the same time */
        history->signup = false;
        record_event(history, record, &history->newcomer, "signup");
        stamp(history, record);
        return true;
    }
    tick(history);
    if (kind < 50 || history->population.count == 0)
        fine = create_person(history, record);
    else if (kind < 75)
        update_person(history, record);
    else if (kind < 77)
        delete_person(history, record);
    else if (history->identities && kind >= 90 && kind < 200)
        visit(history, record);
    else if (history->identities && kind >= 200 && kind < 230)
        identify_visitor(history, record);
    else if (history->identities && kind >= 230 && kind < 233)
        restrict_person(history, record);
    else if (history->identities && kind >= 233 && kind < 237)
        reseal_log(history, record);
    else if (kind >= 90 || !delete_event(history, record))
        record_any(history, record);
    stamp(history, record);
    return fine;
}
