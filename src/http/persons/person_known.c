#include "person_known.h"

#include "json_stored.h"
#include "logged.h"
#include "worker.h"

static bool same_json(struct dbk_slice brought, struct dbk_slice logged)
{
    if (brought.length == 0 || logged.length == 0)
        return brought.length == logged.length;
    return json_same(brought, logged);
}

/* The properties that the log has of a person are of these bytes, or mean the same. */
static bool same_properties(const struct request *rq,
                            const struct dbk_person_state *person,
                            struct dbk_slice brought)
{
    struct dbk_slice logged;

    if (dbk_log_person_properties(rq->service->log, person, &rq->worker->batch, &logged,
                                  NULL) != DBK_OK)
        return false;
    return same_json(brought, logged);
}

static bool same_alias(const struct request *rq, const struct dbk_record *brought)
{
    struct dbk_uuid owner;

    return brought->anonymous_id.length == 0 ||
           (dbk_log_whose(rq->service->log, DBK_IDENTITY_ANONYMOUS_ID,
                          brought->anonymous_id, &owner, NULL) == DBK_OK &&
            dbk_uuid_equal(&owner, &brought->subject));
}

static bool same_person(const struct request *rq, const struct dbk_record *brought,
                        const struct dbk_person_state *person)
{
    const struct dbk_person_fields *fields = &brought->person;

    return dbk_slice_equal(fields->email, dbk_slice(person->email)) &&
           dbk_slice_equal(fields->first_name, dbk_slice(person->first_name)) &&
           dbk_slice_equal(fields->last_name, dbk_slice(person->last_name)) &&
           dbk_slice_equal(fields->external_id, dbk_slice(person->external_id)) &&
           fields->role == person->role &&
           same_properties(rq, person, fields->properties) && same_alias(rq, brought);
}

enum dbk_code person_known(const struct request *rq, const struct dbk_record *brought,
                           struct dbk_person_state *person, struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];

    if (dbk_log_person(rq->service->log, &brought->subject, person, err) != DBK_OK)
        return err->code;
    if (same_person(rq, brought, person))
        return DBK_OK;
    dbk_uuid_format(&brought->subject, id);
    return dbk_fail(err, DBK_EXISTS,
                    "The person %s is there already, with other content; PUT or PATCH "
                    "changes a person",
                    id);
}

static bool is_made_by(const struct dbk_record *record, const struct dbk_uuid *id)
{
    return record->type == DBK_PERSON_CREATED && dbk_uuid_equal(&record->subject, id);
}

/* Of who was changed since only the read tables know which record made the person. */
static enum dbk_code read_first(const struct request *rq,
                                const struct dbk_person_state *person, bool ask,
                                struct dbk_record *first)
{
    struct dbk_rows *rows = &rq->worker->rows;
    struct dbk_error ignored;
    enum dbk_code code;

    if (logged_read(rq, person->version, first, 1, &ignored) == DBK_OK &&
        is_made_by(first, &person->id))
        return DBK_OK;
    if (!ask || !rq->service->model)
        return DBK_UNAVAILABLE;
    code = dbk_read_person(rq->service->model, &person->id, 0, rows, &ignored);
    if (code != DBK_OK)
        return code == DBK_NOT_FOUND ? DBK_EXISTS : DBK_UNAVAILABLE;
    if (logged_read(rq, rows->rows[0].cursor, first, 1, &ignored) != DBK_OK)
        return DBK_UNAVAILABLE;
    return is_made_by(first, &person->id) ? DBK_OK : DBK_EXISTS;
}

enum dbk_code person_known_first(const struct request *rq,
                                 const struct dbk_record *brought,
                                 const struct dbk_person_state *person, bool ask)
{
    const struct dbk_person_fields *fields = &brought->person;
    struct dbk_record first;
    enum dbk_code code = read_first(rq, person, ask, &first);

    if (code != DBK_OK)
        return code;
    return dbk_slice_equal(fields->email, first.person.email) &&
                   dbk_slice_equal(fields->first_name, first.person.first_name) &&
                   dbk_slice_equal(fields->last_name, first.person.last_name) &&
                   dbk_slice_equal(fields->external_id, first.person.external_id) &&
                   fields->role == first.person.role &&
                   same_json(fields->properties, first.person.properties) &&
                   same_alias(rq, brought)
               ? DBK_OK
               : DBK_EXISTS;
}
