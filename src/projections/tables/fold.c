#include "fold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

void fold_init(struct fold *fold)
{
    memset(fold, 0, sizeof *fold);
    fold_index_init(&fold->person_index);
    fold_index_init(&fold->event_index);
    fold_crowds_init(&fold->crowds);
}

void fold_finish(struct fold *fold)
{
    free(fold->persons);
    free(fold->events);
    fold_index_finish(&fold->person_index);
    fold_index_finish(&fold->event_index);
    fold_crowds_finish(&fold->crowds);
    memset(fold, 0, sizeof *fold);
}

void fold_clear(struct fold *fold)
{
    fold->person_count = 0;
    fold->event_count = 0;
    fold_index_clear(&fold->person_index);
    fold_index_clear(&fold->event_index);
    fold_crowds_clear(&fold->crowds);
}

static enum dbk_code no_memory(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

static enum dbk_code contradicts(const struct dbk_record *record, struct dbk_error *err)
{
    return dbk_fail(err, DBK_CONFLICT, "record %llu contradicts the records before it",
                    (unsigned long long)record->sequence);
}

static struct fold_person *find_person(const struct fold *fold,
                                       const struct dbk_uuid *id)
{
    size_t at;

    if (!fold_index_find(&fold->person_index, id, &at))
        return NULL;
    assert(at < fold->person_count); /* both are cleared at once */
    return &fold->persons[at];
}

static struct fold_person *new_person(struct fold *fold, const struct dbk_uuid *id,
                                      enum fold_fate fate)
{
    struct fold_person *person;

    if (fold->person_count == fold->persons_size) {
        size_t size = fold->persons_size ? fold->persons_size * 2 : FIRST_SIZE;

        person = realloc(fold->persons, size * sizeof *person);
        if (!person)
            return NULL;
        fold->persons = person;
        fold->persons_size = size;
    }
    if (!fold_index_add(&fold->person_index, id, fold->person_count))
        return NULL;
    person = &fold->persons[fold->person_count++];
    *person = (struct fold_person){.id = *id, .fate = fate};
    return person;
}

static struct fold_event *find_event(const struct fold *fold, const struct dbk_uuid *id)
{
    size_t at;

    if (!fold_index_find(&fold->event_index, id, &at))
        return NULL;
    assert(at < fold->event_count);
    return &fold->events[at];
}

static struct fold_event *new_event(struct fold *fold, const struct dbk_record *record,
                                    enum fold_fate fate)
{
    struct fold_event *event;

    if (fold->event_count == fold->events_size) {
        size_t size = fold->events_size ? fold->events_size * 2 : FIRST_SIZE;

        event = realloc(fold->events, size * sizeof *event);
        if (!event)
            return NULL;
        fold->events = event;
        fold->events_size = size;
    }
    if (!fold_index_add(&fold->event_index, &record->subject, fold->event_count))
        return NULL;
    event = &fold->events[fold->event_count++];
    *event = (struct fold_event){.id = record->subject,
                                 .fate = fate,
                                 .person_id = record->person_id,
                                 .sequence = record->sequence};
    return event;
}

static void merge_fields(struct dbk_person_fields *into,
                         const struct dbk_person_fields *changed)
{
    into->has |= changed->has;
    if (changed->has & DBK_HAS_EMAIL)
        into->email = changed->email;
    if (changed->has & DBK_HAS_FIRST_NAME)
        into->first_name = changed->first_name;
    if (changed->has & DBK_HAS_LAST_NAME)
        into->last_name = changed->last_name;
    if (changed->has & DBK_HAS_ROLE)
        into->role = changed->role;
    if (changed->has & DBK_HAS_EXTERNAL_ID)
        into->external_id = changed->external_id;
    if (changed->has & DBK_HAS_PROPERTIES)
        into->properties = changed->properties;
}

static enum dbk_code add_person_created(struct fold *fold,
                                        const struct dbk_record *record,
                                        struct dbk_error *err)
{
    struct fold_person *person = find_person(fold, &record->subject);

    if (person)
        return contradicts(record, err);
    person = new_person(fold, &record->subject, FOLD_INSERT);
    if (!person)
        return no_memory(err);
    person->sequence = record->sequence;
    person->created_sequence = record->sequence;
    person->datetime_created = record->datetime_created;
    person->datetime_modified = record->datetime_created;
    person->fields = record->person;
    return DBK_OK;
}

static enum dbk_code add_person_updated(struct fold *fold,
                                        const struct dbk_record *record,
                                        struct dbk_error *err)
{
    struct fold_person *person = find_person(fold, &record->subject);

    if (person && person->deleted)
        return contradicts(record, err);
    if (!person)
        person = new_person(fold, &record->subject, FOLD_UPDATE);
    if (!person)
        return no_memory(err);
    person->sequence = record->sequence;
    person->datetime_modified = record->recorded_at;
    merge_fields(&person->fields, &record->person);
    return DBK_OK;
}

static enum dbk_code add_person_deleted(struct fold *fold,
                                        const struct dbk_record *record,
                                        struct dbk_error *err)
{
    struct fold_person *person = find_person(fold, &record->subject);

    if (person && person->deleted &&
        (person->may_lack || record->type == DBK_PERSON_ERASED))
        return DBK_OK; /* deleted before */
    if (person && person->deleted)
        return contradicts(record, err);
    if (!person)
        person = new_person(fold, &record->subject, FOLD_DELETE);
    if (!person)
        return no_memory(err);
    /* Who was deleted before is erased, too, and one who came when it could not be read. */
    person->may_lack = record->type == DBK_PERSON_ERASED;
    person->fate = person->fate == FOLD_INSERT ? FOLD_NOTHING : FOLD_DELETE;
    person->deleted = true;
    person->sequence = record->sequence;
    return DBK_OK;
}

bool fold_forget(struct fold *fold, const struct dbk_uuid *id)
{
    struct fold_person *person = new_person(fold, id, FOLD_DELETE);

    if (person)
        person->deleted = person->may_lack = true;
    return person != NULL;
}

static enum dbk_code add_event_recorded(struct fold *fold,
                                        const struct dbk_record *record,
                                        struct dbk_error *err)
{
    struct fold_event *event = find_event(fold, &record->subject);

    if (event)
        return contradicts(record, err);
    event = new_event(fold, record, FOLD_INSERT);
    if (!event)
        return no_memory(err);
    if (record->anonymous_id.length > 0 &&
        !fold_crowd_join(fold, record->anonymous_id, &record->person_id, &event->crowd))
        return no_memory(err);
    event->anonymous_id = record->anonymous_id;
    event->event_type = record->event_type;
    event->properties = record->properties;
    event->datetime_created = record->datetime_created;
    event->received = record->recorded_at;
    return DBK_OK;
}

static enum dbk_code add_event_deleted(struct fold *fold,
                                       const struct dbk_record *record,
                                       struct dbk_error *err)
{
    struct fold_event *event = find_event(fold, &record->subject);

    if (event && event->fate != FOLD_INSERT)
        return contradicts(record, err);
    if (!event)
        return new_event(fold, record, FOLD_DELETE) ? DBK_OK : no_memory(err);
    event->fate = FOLD_NOTHING;
    event->sequence = record->sequence;
    return DBK_OK;
}

static enum dbk_code add_alias(struct fold *fold, const struct dbk_record *record,
                               struct dbk_error *err)
{
    static const struct dbk_uuid nobody = {0};
    bool aliased = record->type == DBK_PERSON_ALIASED;

    if (fold_deleted(fold, &record->subject))
        return contradicts(record, err);
    if (!fold_crowd_move(fold, record->anonymous_id,
                         aliased ? &nobody : &record->subject,
                         aliased ? &record->subject : &nobody))
        return no_memory(err);
    return DBK_OK;
}

/* It changes no row: who may be shown is asked of the log. */
static enum dbk_code add_restriction(struct fold *fold, const struct dbk_record *record,
                                     struct dbk_error *err)
{
    const struct fold_person *person = find_person(fold, &record->subject);

    return person && person->deleted && !person->may_lack ? contradicts(record, err)
                                                          : DBK_OK;
}

enum dbk_code fold_add(struct fold *fold, const struct dbk_record *record,
                       struct dbk_error *err)
{
    if (record->erased)
        return DBK_OK; /* the person.erased behind it says what becomes of the rows */
    if (record->sealed.length > 0 && !record->opened)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "record %llu is sealed, and the ring of keys is not here",
                        (unsigned long long)record->sequence);
    switch (record->type) {
    case DBK_PERSON_CREATED:
        return add_person_created(fold, record, err);
    case DBK_PERSON_UPDATED:
        return add_person_updated(fold, record, err);
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
        return add_person_deleted(fold, record, err);
    case DBK_EVENT_RECORDED:
        return add_event_recorded(fold, record, err);
    case DBK_EVENT_DELETED:
        return add_event_deleted(fold, record, err);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        return add_alias(fold, record, err);
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
        return add_restriction(fold, record, err);
    case DBK_LOG_RESEALED:
    case DBK_EVENTS_EXPIRED:
        return DBK_OK; /* of nobody */
    }
    return dbk_fail(err, DBK_UNSUPPORTED, "record %llu is of an unknown type",
                    (unsigned long long)record->sequence);
}

void fold_locate(struct fold *fold, const struct dbk_uuid *event, uint64_t row)
{
    struct fold_event *found = find_event(fold, event);

    if (found && found->fate == FOLD_DELETE)
        found->row = row;
}

void fold_lacks_person(struct fold *fold, const struct dbk_uuid *id)
{
    struct fold_person *found = find_person(fold, id);

    if (found)
        found->may_lack = true;
}

enum dbk_code fold_lacks_event(struct fold *fold, const struct dbk_record *record,
                               struct dbk_error *err)
{
    struct fold_event *event = find_event(fold, &record->subject);

    if (!event)
        event = new_event(fold, record, FOLD_DELETE);
    if (!event)
        return no_memory(err);
    event->fate = event->fate == FOLD_INSERT ? FOLD_NOTHING : event->fate;
    event->row = record->sequence;
    event->may_lack = true;
    return DBK_OK;
}

bool fold_deleted(const struct fold *fold, const struct dbk_uuid *person)
{
    const struct fold_person *found = find_person(fold, person);

    return found && found->deleted;
}

static const struct fold_crowd *crowd_of(const struct fold *fold,
                                         const struct fold_event *event)
{
    assert(event->crowd < fold->crowds.count);
    return &fold->crowds.list[event->crowd];
}

enum fold_fate fold_event_fate(const struct fold *fold, const struct fold_event *event)
{
    if (event->fate == FOLD_INSERT && event->anonymous_id.length > 0)
        return fold_crowd_gone(fold, crowd_of(fold, event)) ? FOLD_NOTHING
                                                            : FOLD_INSERT;
    if (event->fate == FOLD_INSERT && fold_deleted(fold, &event->person_id))
        return FOLD_NOTHING;
    return event->fate;
}

struct dbk_uuid fold_event_owner(const struct fold *fold,
                                 const struct fold_event *event)
{
    return event->anonymous_id.length > 0 ? crowd_of(fold, event)->owner
                                          : event->person_id;
}

enum fold_fate fold_rows_fate(const struct fold *fold, const struct fold_crowd *crowd)
{
    /* Rows that were the owner's before the run go with the owner's. */
    if (!crowd->has_rows || dbk_uuid_equal(&crowd->before, &crowd->owner))
        return FOLD_NOTHING;
    return fold_crowd_gone(fold, crowd) ? FOLD_DELETE : FOLD_UPDATE;
}
