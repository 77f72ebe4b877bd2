#include "load_rows.h"

#include <string.h>

/* Records that were looked up for one person: of each field, and the last of all. */
enum { LOOKED_UP = LOAD_FIELDS + 1 };

struct walk {
    const struct load_fold *fold;
    const struct load_source *source;
    struct copy_rows *copies; /* one a table */
    uint64_t expired;         /* events up to here are left out */
    uint64_t deleted;         /* events passed over because they are deleted */
    struct load_erased *erased;
    struct dbk_batch batches[LOOKED_UP];
    struct dbk_record records[LOOKED_UP]; /* decoded from the batches */
};

/* *found: the record, which is `created` where that is the one; else from slot i, and
 * valid until that is used again. */
static enum dbk_code find(struct walk *walk, size_t i, uint64_t sequence,
                          const struct dbk_record *created,
                          const struct dbk_record **found, struct dbk_error *err)
{
    *found = created;
    if (sequence == created->sequence)
        return DBK_OK;
    *found = &walk->records[i];
    return dbk_log_record(walk->source->log, sequence, &walk->batches[i],
                          &walk->records[i], err);
}

static void take_field(struct dbk_person_fields *fields, enum load_field field,
                       const struct dbk_person_fields *from)
{
    switch (field) {
    case LOAD_EMAIL:
        fields->email = from->email;
        break;
    case LOAD_FIRST_NAME:
        fields->first_name = from->first_name;
        break;
    case LOAD_LAST_NAME:
        fields->last_name = from->last_name;
        break;
    case LOAD_ROLE:
        fields->role = from->role;
        break;
    case LOAD_EXTERNAL_ID:
        fields->external_id = from->external_id;
        break;
    case LOAD_PROPERTIES:
        fields->properties = from->properties;
        break;
    case LOAD_FIELDS:
        break;
    }
}

/* The person as it was in the end: fields as they were set last, and when the last change
 * was. */
static enum dbk_code final_state(struct walk *walk, const struct load_person *person,
                                 const struct dbk_record *created,
                                 struct fold_person *out, struct dbk_error *err)
{
    const struct dbk_record *record;

    *out = (struct fold_person){.id = person->id,
                                .fate = FOLD_INSERT,
                                .sequence = person->last,
                                .created_sequence = person->created,
                                .datetime_created = created->datetime_created,
                                .datetime_modified = created->datetime_created};
    for (size_t i = 0; i < LOAD_FIELDS; i++) {
        if (find(walk, i, person->set_by[i], created, &record, err) != DBK_OK)
            return err->code;
        take_field(&out->fields, (enum load_field)i, &record->person);
    }
    if (find(walk, LOAD_FIELDS, person->last, created, &record, err) != DBK_OK)
        return err->code;
    if (record != created)
        out->datetime_modified = record->recorded_at;
    return DBK_OK;
}

static enum dbk_code add_person(struct walk *walk, const struct dbk_record *record,
                                struct dbk_error *err)
{
    const struct load_person *person =
        load_table_find(&walk->fold->persons, &record->subject);
    struct fold_person final;
    enum dbk_code code = DBK_OK;

    if (!person || person->created != record->sequence)
        return load_contradicts(record, err);
    walk->erased->persons += record->erased;
    if (person->deleted || record->erased)
        return DBK_OK;
    if (final_state(walk, person, record, &final, err) != DBK_OK)
        return err->code;
    for (size_t t = 0; t < TABLES && code == DBK_OK; t++) {
        if (tables[t]->copy_person)
            code = tables[t]->copy_person(&walk->copies[t], &final, err);
    }
    return code;
}

static enum dbk_code send_event(struct walk *walk, const struct dbk_record *record,
                                const struct dbk_uuid *owner, struct dbk_error *err)
{
    const struct fold_event event = {.id = record->subject,
                                     .fate = FOLD_INSERT,
                                     .person_id = *owner,
                                     .sequence = record->sequence,
                                     .anonymous_id = record->anonymous_id,
                                     .event_type = record->event_type,
                                     .properties = record->properties,
                                     .datetime_created = record->datetime_created,
                                     .received = record->recorded_at};
    enum dbk_code code = DBK_OK;

    for (size_t t = 0; t < TABLES && code == DBK_OK; t++) {
        if (tables[t]->copy_event)
            code = tables[t]->copy_event(&walk->copies[t], &event, err);
    }
    return code;
}

/* Whoever was not there yet, or no longer, has no events; only those of anonymous ids may
 * be nobody's. */
static bool has_whom_it_says(const struct load_fold *fold,
                             const struct dbk_record *record)
{
    const struct load_person *person =
        load_table_find(&fold->persons, &record->person_id);

    if (record->anonymous_id.length > 0 && dbk_uuid_is_nil(&record->person_id))
        return true;
    return person && person->created < record->sequence &&
           !(person->deleted && person->last < record->sequence);
}

static enum dbk_code add_event(struct walk *walk, const struct dbk_record *record,
                               struct dbk_error *err)
{
    struct dbk_uuid owner = record->person_id;
    bool lives;

    if (!record->erased && !has_whom_it_says(walk->fold, record))
        return load_contradicts(record, err);
    if (load_table_find(&walk->fold->deleted_events, &record->subject)) {
        walk->deleted++;
        return DBK_OK;
    }
    if (record->sequence < walk->source->from)
        return DBK_OK;
    if (record->sequence <= walk->expired || record->expired) {
        walk->erased->expired++;
        return DBK_OK;
    }
    walk->erased->events += record->erased;
    if (record->erased)
        return DBK_OK;
    if (record->anonymous_id.length > 0)
        lives = load_fold_owner(walk->fold, record, &owner);
    else
        lives = load_fold_lives(walk->fold, &owner);
    return lives ? send_event(walk, record, &owner, err) : DBK_OK;
}

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    switch (record->type) {
    case DBK_PERSON_CREATED:
        return add_person(context, record, err);
    case DBK_EVENT_RECORDED:
        return add_event(context, record, err);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
    case DBK_EVENT_DELETED:
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
    case DBK_PERSON_RESTRICTED:
    case DBK_PERSON_UNRESTRICTED:
    case DBK_LOG_RESEALED:
    case DBK_EVENTS_EXPIRED:
        break;
    }
    return DBK_OK;
}

enum dbk_code load_rows(const struct load_fold *fold, const struct load_source *source,
                        struct copy_rows copies[TABLES], struct load_erased *erased,
                        struct dbk_error *err)
{
    struct walk walk = {
        .fold = fold, .source = source, .copies = copies, .erased = erased};
    enum dbk_code code = dbk_log_expired(source->log, &walk.expired, err);

    *erased = (struct load_erased){.persons = 0};
    if (code == DBK_OK)
        code = load_scan(source, "loading the tables", visit, &walk, err);
    if (code == DBK_OK && walk.deleted != fold->deleted_events.count)
        code =
            dbk_fail(err, DBK_CONFLICT, "an event was deleted that is not in the log");
    for (size_t i = 0; i < LOOKED_UP; i++)
        dbk_batch_finish(&walk.batches[i]);
    return code;
}
