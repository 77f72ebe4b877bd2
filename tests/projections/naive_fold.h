/* naive_fold.h - what the read tables must hold, worked out the slow and obvious way, and
 * what they do hold, both as lines of text. */
#ifndef TEST_NAIVE_FOLD_H
#define TEST_NAIVE_FOLD_H

#include "log_world.h"

enum { NAIVE_MAX = 16384, LINES_SIZE = 4 << 20 };

struct naive_person {
    struct dbk_uuid id;
    uint64_t sequence, created_sequence;
    dbk_timestamp created, modified;
    char email[DBK_EMAIL_MAX + 1], first_name[DBK_NAME_MAX + 1],
        last_name[DBK_NAME_MAX + 1], external_id[DBK_EXTERNAL_ID_MAX + 1],
        properties[256];
    enum dbk_role role;
    bool gone;
};

struct naive_event {
    struct dbk_uuid id, person_id; /* nil: nobody's */
    uint64_t sequence;
    char anonymous_id[64]; /* "": none */
    char type[DBK_EVENT_TYPE_MAX + 1], properties[256];
    dbk_timestamp created, received;
    bool gone;
};

/* Whose an anonymous id is. */
struct naive_alias {
    char anonymous_id[64];
    struct dbk_uuid owner; /* nil: nobody */
};

struct naive {
    struct naive_person persons[NAIVE_MAX];
    struct naive_event events[NAIVE_MAX];
    struct naive_alias aliases[NAIVE_MAX];
    size_t person_count, event_count, alias_count;
};

static inline void naive_copy(char *out, struct dbk_slice slice)
{
    if (slice.length)
        memcpy(out, slice.data, slice.length);
    out[slice.length] = '\0';
}

static inline struct naive_person *naive_find(struct naive *naive,
                                              const struct dbk_uuid *id)
{
    for (size_t i = 0; i < naive->person_count; i++)
        if (dbk_uuid_equal(&naive->persons[i].id, id))
            return &naive->persons[i];
    fail_msg("the log names a person that it has not created");
    return NULL;
}

static inline struct naive_alias *naive_alias(struct naive *naive,
                                              struct dbk_slice anonymous_id)
{
    for (size_t i = 0; i < naive->alias_count; i++)
        if (dbk_slice_equal(dbk_slice(naive->aliases[i].anonymous_id), anonymous_id))
            return &naive->aliases[i];
    assert_true(naive->alias_count < NAIVE_MAX);
    naive_copy(naive->aliases[naive->alias_count].anonymous_id, anonymous_id);
    return &naive->aliases[naive->alias_count++];
}

static inline void naive_change(struct naive_person *person,
                                const struct dbk_person_fields *fields)
{
    if (fields->has & DBK_HAS_EMAIL)
        naive_copy(person->email, fields->email);
    if (fields->has & DBK_HAS_FIRST_NAME)
        naive_copy(person->first_name, fields->first_name);
    if (fields->has & DBK_HAS_LAST_NAME)
        naive_copy(person->last_name, fields->last_name);
    if (fields->has & DBK_HAS_ROLE)
        person->role = fields->role;
    if (fields->has & DBK_HAS_EXTERNAL_ID)
        naive_copy(person->external_id, fields->external_id);
    if (fields->has & DBK_HAS_PROPERTIES)
        naive_copy(person->properties, fields->properties);
}

static inline void naive_delete(struct naive *naive, const struct dbk_uuid *id)
{
    naive_find(naive, id)->gone = true;
    for (size_t i = 0; i < naive->event_count; i++)
        if (dbk_uuid_equal(&naive->events[i].person_id, id))
            naive->events[i].gone = true;
    for (size_t i = 0; i < naive->alias_count; i++)
        if (dbk_uuid_equal(&naive->aliases[i].owner, id))
            naive->aliases[i].owner = (struct dbk_uuid){{0}};
}

static inline void naive_record(struct naive *naive, const struct dbk_record *record)
{
    struct naive_event *event = &naive->events[naive->event_count++];

    assert_true(naive->event_count < NAIVE_MAX);
    event->id = record->subject;
    event->person_id = record->person_id;
    event->sequence = record->sequence;
    event->created = record->datetime_created;
    event->received = record->recorded_at;
    naive_copy(event->anonymous_id, record->anonymous_id);
    naive_copy(event->type, record->event_type);
    naive_copy(event->properties, record->properties);
    if (record->anonymous_id.length > 0) /* it is as the log has it */
        assert_true(dbk_uuid_equal(&event->person_id,
                                   &naive_alias(naive, record->anonymous_id)->owner));
}

/* All events of the anonymous id that there are. */
static inline void naive_claim(struct naive *naive, struct dbk_slice anonymous_id,
                               struct dbk_uuid owner)
{
    naive_alias(naive, anonymous_id)->owner = owner;
    for (size_t i = 0; i < naive->event_count; i++)
        if (anonymous_id.length > 0 && !naive->events[i].gone &&
            dbk_slice_equal(dbk_slice(naive->events[i].anonymous_id), anonymous_id))
            naive->events[i].person_id = owner;
}

static inline void naive_add(struct naive *naive, const struct dbk_record *record)
{
    struct naive_person *person;

    switch (record->type) {
    case DBK_PERSON_CREATED:
        person = &naive->persons[naive->person_count++];
        assert_true(naive->person_count < NAIVE_MAX);
        person->id = record->subject;
        person->sequence = person->created_sequence = record->sequence;
        person->created = person->modified = record->datetime_created;
        naive_change(person, &record->person);
        return;
    case DBK_PERSON_UPDATED:
        person = naive_find(naive, &record->subject);
        person->sequence = record->sequence;
        person->modified = record->recorded_at;
        naive_change(person, &record->person);
        return;
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
        naive_delete(naive, &record->subject);
        return;
    case DBK_EVENT_RECORDED:
        naive_record(naive, record);
        return;
    case DBK_EVENT_DELETED:
        for (size_t i = 0; i < naive->event_count; i++)
            if (dbk_uuid_equal(&naive->events[i].id, &record->subject))
                naive->events[i].gone = true;
        return;
    case DBK_PERSON_ALIASED:
        naive_claim(naive, record->anonymous_id, record->subject);
        return;
    case DBK_PERSON_UNALIASED:
        naive_claim(naive, record->anonymous_id, (struct dbk_uuid){{0}});
        return;
    case DBK_LOG_RESEALED:
    case DBK_EVENTS_EXPIRED:
        return;
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        assert_false(naive_find(naive, &record->subject)->gone);
        return;
    }
}

static inline void naive_person_line(const struct naive_person *person, FILE *out)
{
    char id[DBK_UUID_TEXT + 1], created[DBK_TIMESTAMP_TEXT + 1],
        modified[DBK_TIMESTAMP_TEXT + 1];

    dbk_uuid_format(&person->id, id);
    dbk_timestamp_format(person->created, created);
    dbk_timestamp_format(person->modified, modified);
    fprintf(out, "%llu|%llu|%s|%s|%s|%s|%s|%s|%s|%s|%s\n",
            (unsigned long long)person->created_sequence,
            (unsigned long long)person->sequence, id, created, modified, person->email,
            person->first_name, person->last_name, dbk_role_name(person->role),
            person->external_id, person->properties);
}

static inline void naive_event_line(const struct naive_event *event, FILE *out)
{
    char id[DBK_UUID_TEXT + 1], person[DBK_UUID_TEXT + 1] = "",
                                                       created[DBK_TIMESTAMP_TEXT + 1],
                                                       received[DBK_TIMESTAMP_TEXT + 1];

    dbk_uuid_format(&event->id, id);
    if (!dbk_uuid_is_nil(&event->person_id))
        dbk_uuid_format(&event->person_id, person);
    dbk_timestamp_format(event->created, created);
    dbk_timestamp_format(event->received, received);
    fprintf(out, "%llu|%s|%s|%s|%s|%s|%s|%s\n", (unsigned long long)event->sequence, id,
            person, event->anonymous_id, event->type, created, received,
            event->properties);
}

static inline void naive_read_log(struct naive *naive, struct dbk_log *log)
{
    struct dbk_batch batch = {0};
    struct dbk_record record;
    uint64_t after = 0;

    do {
        assert_int_equal(dbk_log_read(log, after, 100, 1 << 20, &batch, NULL), DBK_OK);
        for (size_t i = 0; i < batch.count; i++) {
            assert_int_equal(dbk_record_decode(batch.bytes + batch.entries[i].offset,
                                               batch.entries[i].length, &record, NULL),
                             DBK_OK);
            naive_add(naive, &record);
            after = batch.entries[i].sequence;
        }
    } while (batch.count > 0);
    dbk_batch_finish(&batch);
}

/* Free with free. */
static inline char *expected_lines(const struct world *world)
{
    struct naive *naive = calloc(1, sizeof *naive);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(naive);
    assert_non_null(out);
    naive_read_log(naive, world->log);
    for (size_t i = 0; i < naive->person_count; i++)
        if (!naive->persons[i].gone)
            naive_person_line(&naive->persons[i], out);
    for (size_t i = 0; i < naive->event_count; i++)
        if (!naive->events[i].gone)
            naive_event_line(&naive->events[i], out);
    fclose(out);
    free(naive);
    return text;
}

static inline void lines_of(struct pg *pg, const char *sql, FILE *out)
{
    const struct pg_statement statement = {NULL, sql};
    struct pg_result *result;
    struct dbk_error err = {0};

    if (pg_run(pg, &statement, NULL, 0, 60000, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < pg_rows(result); i++)
        fprintf(out, "%s\n", pg_value(result, i, 0).data);
    pg_clear(result);
}

/* What the statistics hold that is not so, and what they lack. */
static inline void assert_statistics_equal_a_recount(const struct world *world)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    lines_of(world->pg,
             "with counted as (select unit, date_trunc(unit, datetime_created) as at,"
             " event_type, count(*) as events, min(datetime_created) as first,"
             " max(datetime_created) as last"
             " from event, (values ('hour'), ('day')) units (unit) group by 1, 2, 3),"
             " kept as (select 'hour' as unit, hour as at, event_type, events, first,"
             " last from event_hour union all"
             " select 'day', day, event_type, events, first, last from event_day)"
             " select 'they hold ' || k::text from (table kept except table"
             " counted) k union all"
             " select 'they lack ' || c::text from (table counted except table"
             " kept) c",
             out);
    fclose(out);
    assert_string_equal(text, "");
    free(text);
}

/* Their statistics are looked at, too: they say nothing that these lines do not. */
static inline char *actual_lines(const struct world *world)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_statistics_equal_a_recount(world);
    assert_non_null(out);
    lines_of(world->pg,
             "select concat_ws('|', created_sequence, sequence, id,"
             " to_char(datetime_created, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
             " to_char(datetime_modified, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
             " coalesce(email, ''), coalesce(first_name, ''), coalesce(last_name, ''),"
             " role, coalesce(external_id, ''), coalesce(properties::text, ''))"
             " from person order by created_sequence",
             out);
    lines_of(world->pg,
             "select concat_ws('|', sequence, id, coalesce(person_id::text, ''),"
             " coalesce(anonymous_id, ''), event_type,"
             " to_char(datetime_created, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
             " to_char(received, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
             " coalesce(properties::text, '')) from event order by sequence",
             out);
    fclose(out);
    return text;
}

static inline void assert_tables_equal_the_log(const struct world *world)
{
    char *expected = expected_lines(world), *actual = actual_lines(world);

    assert_string_equal(actual, expected);
    assert_true(expected[0] != '\0'); /* or nothing is compared */
    assert_int_equal(scratch_number(world->pg,
                                    "select count(*) from event where properties_bytes"
                                    " is distinct from"
                                    " coalesce(octet_length(properties::text), 0)"),
                     0);
    free(expected);
    free(actual);
}

#endif
