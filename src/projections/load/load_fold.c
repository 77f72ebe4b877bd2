#include "load_fold.h"

#include <string.h>

_Static_assert(sizeof(struct load_person) == 88,
               "the memory for each is told to users");
_Static_assert(sizeof(struct load_alias) == 40, "so is that for each of these");

static const unsigned has_bit[LOAD_FIELDS] = {
    [LOAD_EMAIL] = DBK_HAS_EMAIL,
    [LOAD_FIRST_NAME] = DBK_HAS_FIRST_NAME,
    [LOAD_LAST_NAME] = DBK_HAS_LAST_NAME,
    [LOAD_ROLE] = DBK_HAS_ROLE,
    [LOAD_EXTERNAL_ID] = DBK_HAS_EXTERNAL_ID,
    [LOAD_PROPERTIES] = DBK_HAS_PROPERTIES,
};

void load_fold_init(struct load_fold *fold)
{
    load_table_init(&fold->persons, sizeof(struct load_person));
    load_table_init(&fold->aliases, sizeof(struct load_alias));
    load_table_init(&fold->deleted_events, sizeof(struct dbk_uuid));
    anonymous_secret_init(&fold->secret);
    fold->missed = false;
}

void load_fold_finish(struct load_fold *fold)
{
    load_table_finish(&fold->persons);
    load_table_finish(&fold->aliases);
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

    if (person && person->deleted && record->type == DBK_PERSON_ERASED)
        return DBK_OK; /* its events went before */
    if (!person || person->deleted)
        return load_contradicts(record, err);
    person->last = record->sequence;
    person->deleted = record->type != DBK_PERSON_UPDATED;
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

bool load_fold_lives(const struct load_fold *fold, const struct dbk_uuid *id)
{
    const struct load_person *person = load_table_find(&fold->persons, id);

    return person && !person->deleted;
}

static const struct load_person *deleted_owner(const struct load_fold *fold,
                                               const struct load_alias *alias)
{
    const struct load_person *owner = load_table_find(&fold->persons, &alias->owner);

    return owner && owner->deleted ? owner : NULL;
}

/* Without the rest, what was read of the person's anonymous ids would be wrong. */
static void note_erased(struct load_fold *fold, const struct dbk_record *record)
{
    const struct load_person *person =
        load_table_find(&fold->persons, &record->subject);

    if (record->type == DBK_PERSON_ALIASED || record->type == DBK_PERSON_UNALIASED)
        fold->missed |= person && person->aliased;
}

static enum dbk_code find_or_add(struct load_fold *fold,
                                 const struct dbk_record *record,
                                 struct load_alias **alias, struct dbk_error *err)
{
    struct load_person *person = load_table_find(&fold->persons, &record->subject);
    struct dbk_uuid key = anonymous_key(&fold->secret, record->anonymous_id);
    void *entry = load_table_find(&fold->aliases, &key);
    enum dbk_code code = DBK_OK;

    if (person)
        person->aliased = true;
    if (!entry)
        code = load_table_add(&fold->aliases, &key, &entry, err);
    *alias = entry;
    return code;
}

/* Whoever had it before has given it up, or was deleted, and took the events along. */
static enum dbk_code add_aliased(struct load_fold *fold,
                                 const struct dbk_record *record, struct dbk_error *err)
{
    const struct load_person *before;
    struct load_alias *alias;
    enum dbk_code code = find_or_add(fold, record, &alias, err);

    if (code != DBK_OK)
        return code;
    before = deleted_owner(fold, alias);
    if (before)
        alias->gone = before->last;
    if ((!before && !dbk_uuid_is_nil(&alias->owner)) ||
        !load_fold_lives(fold, &record->subject))
        return load_contradicts(record, err);
    alias->owner = record->subject;
    return DBK_OK;
}

static enum dbk_code add_unaliased(struct load_fold *fold,
                                   const struct dbk_record *record,
                                   struct dbk_error *err)
{
    struct load_alias *alias;
    enum dbk_code code = find_or_add(fold, record, &alias, err);

    if (code != DBK_OK)
        return code;
    if (!dbk_uuid_equal(&alias->owner, &record->subject) ||
        !load_fold_lives(fold, &record->subject))
        return load_contradicts(record, err);
    memset(&alias->owner, 0, sizeof alias->owner);
    return DBK_OK;
}

bool load_fold_owner(const struct load_fold *fold, const struct dbk_record *record,
                     struct dbk_uuid *owner)
{
    struct dbk_uuid key = anonymous_key(&fold->secret, record->anonymous_id);
    const struct load_alias *alias = load_table_find(&fold->aliases, &key);
    const struct load_person *deleted = alias ? deleted_owner(fold, alias) : NULL;

    memset(owner, 0, sizeof *owner);
    if (alias && !deleted)
        *owner = alias->owner;
    return !alias || record->sequence > (deleted ? deleted->last : alias->gone);
}

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    struct load_fold *fold = context;

    if (record->erased && record->type != DBK_PERSON_CREATED) {
        note_erased(fold, record);
        return DBK_OK; /* the person's row is left out, and nothing was anybody's */
    }
    switch (record->type) {
    case DBK_PERSON_CREATED:
        return add_created(fold, record, err);
    case DBK_PERSON_UPDATED:
    case DBK_PERSON_DELETED:
    case DBK_PERSON_ERASED:
        return add_change(fold, record, err);
    case DBK_EVENT_RECORDED:
        return DBK_OK; /* the second walk's */
    case DBK_EVENT_DELETED:
        return add_event_deleted(fold, record, err);
    case DBK_PERSON_ALIASED:
        return add_aliased(fold, record, err);
    case DBK_PERSON_UNALIASED:
        return add_unaliased(fold, record, err);
    case DBK_PERSON_RESTRICTED: /* who may be shown is asked of the log */
    case DBK_PERSON_UNRESTRICTED:
        return load_fold_lives(fold, &record->subject) ? DBK_OK
                                                       : load_contradicts(record, err);
    case DBK_LOG_RESEALED:
    case DBK_EVENTS_EXPIRED:
        return DBK_OK; /* of nobody */
    }
    return dbk_fail(err, DBK_UNSUPPORTED, "record %llu is of an unknown type",
                    (unsigned long long)record->sequence);
}

enum dbk_code load_fold(struct load_fold *fold, const struct load_source *source,
                        struct dbk_error *err)
{
    enum dbk_code code;

    do {
        load_fold_finish(fold);
        load_fold_init(fold);
        code = load_scan(source, "reading the log", visit, fold, err);
    } while (fold->missed && (code == DBK_OK || code == DBK_CONFLICT));
    return code;
}
