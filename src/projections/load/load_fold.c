#include "load_fold.h"

_Static_assert(sizeof(struct load_person) == 72,
               "the memory for each is told to users");

static const unsigned has_bit[LOAD_FIELDS] = {
    [LOAD_EMAIL] = DBK_HAS_EMAIL,
    [LOAD_FIRST_NAME] = DBK_HAS_FIRST_NAME,
    [LOAD_LAST_NAME] = DBK_HAS_LAST_NAME,
    [LOAD_ROLE] = DBK_HAS_ROLE,
};

void load_fold_init(struct load_fold *fold)
{
    load_table_init(&fold->persons, sizeof(struct load_person));
    load_table_init(&fold->deleted_events, sizeof(struct dbk_uuid));
}

void load_fold_finish(struct load_fold *fold)
{
    load_table_finish(&fold->persons);
    load_table_finish(&fold->deleted_events);
}

enum dbk_code load_contradicts(const struct dbk_record *record, struct dbk_error *err)
{
    return dbk_fail(err, DBK_CONFLICT, "record %llu contradicts the records before it",
                    (unsigned long long)record->sequence);
}

static enum dbk_code add_created(struct load_fold *fold,
                                 const struct dbk_record *record, struct dbk_error *err)
{
    struct load_person *person;
    void *entry;

    if (load_table_find(&fold->persons, &record->subject))
        return load_contradicts(record, err);
    if (load_table_add(&fold->persons, &record->subject, &entry, err) != DBK_OK)
        return err->code;
    person = entry;
    person->created = person->last = record->sequence;
    for (size_t i = 0; i < LOAD_FIELDS; i++)
        person->set_by[i] = record->sequence;
    return DBK_OK;
}

static enum dbk_code add_change(struct load_fold *fold, const struct dbk_record *record,
                                struct dbk_error *err)
{
    struct load_person *person = load_table_find(&fold->persons, &record->subject);

    if (!person || person->deleted)
        return load_contradicts(record, err);
    person->last = record->sequence;
    person->deleted = record->type == DBK_PERSON_DELETED;
    for (size_t i = 0; i < LOAD_FIELDS; i++) {
        if (record->person.has & has_bit[i])
            person->set_by[i] = record->sequence;
    }
    return DBK_OK;
}

static enum dbk_code add_event_deleted(struct load_fold *fold,
                                       const struct dbk_record *record,
                                       struct dbk_error *err)
{
    void *entry;

    if (load_table_find(&fold->deleted_events, &record->subject))
        return load_contradicts(record, err);
    return load_table_add(&fold->deleted_events, &record->subject, &entry, err);
}

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    struct load_fold *fold = context;

    switch (record->type) {
    case DBK_PERSON_CREATED:
        return add_created(fold, record, err);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
        return add_change(fold, record, err);
    case DBK_EVENT_RECORDED:
        return DBK_OK; /* the second walk's */
    case DBK_EVENT_DELETED:
        return add_event_deleted(fold, record, err);
    case DBK_PERSON_ALIASED:
    case DBK_PERSON_UNALIASED:
        break;
    }
    return dbk_fail(err, DBK_UNSUPPORTED, "record %llu is of an unknown type",
                    (unsigned long long)record->sequence);
}

enum dbk_code load_fold(struct load_fold *fold, const struct load_source *source,
                        struct dbk_error *err)
{
    return load_scan(source, "reading the log", visit, fold, err);
}
