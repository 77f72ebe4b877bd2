#include "person_answer.h"

#include "fresh.h"
#include "json_stored.h"
#include "logged.h"
#include "render_logged.h"
#include "withheld.h"
#include "worker.h"

#include <string.h>

#define EVENTS_SHOWN 100

/* The person as it is read, once the read tables show what was written (0: all that was
 * before this request), and where they show just this version. Returns NULL, or what to
 * say instead. */
static const char *render_read(struct request *rq, struct response *rs,
                               const struct dbk_person_state *person, uint64_t written)
{
    struct dbk_rows *rows = &rq->worker->rows;
    struct dbk_set_aside aside;
    struct dbk_error ignored;
    struct fresh fresh;

    if (fresh_wait(rq, rs, written, &fresh, &ignored) != DBK_OK ||
        fresh.projected < fresh.wanted)
        return "The request was successful; events are not shown, as the read tables "
               "are not available or behind";
    if (dbk_projector_set_aside(rq->service->projector, &person->id, &aside))
        return "The request was successful; events are not shown, as the person is "
               "quarantined: daybook status on the server tells why";
    if (dbk_read_person(rq->service->model, &person->id, EVENTS_SHOWN, rows,
                        &ignored) != DBK_OK)
        return "The request was successful; events are not shown, as the read tables "
               "are not available or behind";
    if (rows->rows[0].version != person->version)
        return "The request was successful; events are not shown, as the person has "
               "been changed again since";
    response_row(rs, (struct dbk_slice){rows->json.text + rows->rows[0].offset,
                                        rows->rows[0].length});
    return NULL;
}

/* As the log has it, without events. */
static enum dbk_code render_logged(const struct request *rq, struct response *rs,
                                   const struct dbk_person_state *person,
                                   struct dbk_error *err)
{
    struct dbk_render properties = {0};
    struct dbk_slice json;
    bool good = true;

    if (dbk_log_person_properties(rq->service->log, person, &rq->worker->batch, &json,
                                  err) != DBK_OK)
        return err->code;
    if (json.length > 0)
        good = json_stored_render(&properties, json) &&
               dbk_render_code(&properties) == DBK_OK;
    if (good)
        render_logged_person(&rs->body, person,
                             (struct dbk_slice){properties.text, properties.length},
                             dbk_slice("null"));
    dbk_render_finish(&properties);
    return good ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "no memory for a person");
}

/* The fields that a request has named, in the order of a person's. False: no memory. */
static bool render_named(struct dbk_render *out, const struct dbk_uuid *id,
                         const struct dbk_person_fields *named)
{
    bool good = true;

    dbk_render_text(out, "{\"id\":");
    dbk_render_uuid(out, id);
    if (named->has & DBK_HAS_EMAIL)
        dbk_render_named(out, ",\"email\":", named->email);
    if (named->has & DBK_HAS_FIRST_NAME)
        dbk_render_named(out, ",\"first_name\":", named->first_name);
    if (named->has & DBK_HAS_LAST_NAME)
        dbk_render_named(out, ",\"last_name\":", named->last_name);
    if (named->has & DBK_HAS_ROLE)
        dbk_render_named(out, ",\"role\":", dbk_slice(dbk_role_name(named->role)));
    if (named->has & DBK_HAS_EXTERNAL_ID)
        dbk_render_named(out, ",\"external_id\":", named->external_id);
    if (named->has & DBK_HAS_PROPERTIES) {
        dbk_render_text(out, ",\"properties\":");
        if (named->properties.length > 0)
            good = json_stored_render(out, named->properties);
        else
            dbk_render_text(out, "null");
    }
    dbk_render_text(out, "}");
    return good;
}

enum dbk_code person_answer(struct request *rq, struct response *rs,
                            const struct dbk_person_state *person,
                            const struct dbk_person_fields *named, uint64_t written,
                            struct dbk_error *err)
{
    char tag[ETAG_MAX];
    const char *not_shown;

    if (logged_person_tag(rq, person->version, (struct dbk_slice){NULL, 0}, tag, err) !=
        DBK_OK)
        return err->code;
    response_header_text(rs, "ETag", tag);
    response_begin(rs);
    if (!request_may_read(rq) || withheld_is(rq, &person->id))
        return render_named(&rs->body, &person->id, named)
                   ? response_end(rs, 200, DETAILS_OK, err)
                   : dbk_fail(err, DBK_NO_MEMORY, "no memory for a person");
    not_shown = render_read(rq, rs, person, written);
    if (not_shown && render_logged(rq, rs, person, err) != DBK_OK)
        return err->code;
    return response_end(rs, 200, not_shown ? not_shown : DETAILS_OK, err);
}

static void copy(char *to, struct dbk_slice from)
{
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

/* The person as person.created says it. Lengths are bounded: the record was encoded. */
static void person_of(const struct dbk_record *created, dbk_timestamp recorded_at,
                      struct dbk_person_state *person)
{
    *person = (struct dbk_person_state){.id = created->subject,
                                        .datetime_created = recorded_at,
                                        .datetime_modified = recorded_at,
                                        .role = created->person.role};
    copy(person->email, created->person.email);
    copy(person->first_name, created->person.first_name);
    copy(person->last_name, created->person.last_name);
    copy(person->external_id, created->person.external_id);
}

/* Nobody is told of an event that was forgotten by age. */
static bool is_forgotten(const struct request *rq, const struct dbk_record *event)
{
    uint64_t through;

    return event->erased ||
           dbk_log_expired(rq->service->log, &through, NULL) != DBK_OK ||
           event->sequence <= through;
}

enum dbk_code person_answer_created(const struct request *rq, struct response *rs,
                                    const struct dbk_record pair[2],
                                    const struct dbk_person_fields *named,
                                    const struct dbk_verdict *verdict,
                                    struct dbk_error *err)
{
    struct dbk_person_state person;
    char id[DBK_UUID_TEXT + 1], tag[ETAG_MAX];
    struct dbk_render events;

    person_of(&pair[0], verdict->recorded_at, &person);
    dbk_uuid_format(&person.id, id);
    if (logged_person_tag(rq, verdict->first_sequence, (struct dbk_slice){NULL, 0}, tag,
                          err) != DBK_OK)
        return err->code;
    response_header(rs, "Location", "/persons/%s", id);
    response_header_text(rs, "ETag", tag);
    /* Of who was restricted since then, as in person_answer: what was sent, and no more. */
    if (named && withheld_is(rq, &person.id)) {
        response_begin(rs);
        return render_named(&rs->body, &person.id, named)
                   ? response_end(rs, 201, DETAILS_OK, err)
                   : dbk_fail(err, DBK_NO_MEMORY, "no memory for a person");
    }

    dbk_render_init(&events, 1024);
    events.zone = rs->body.zone;
    dbk_render_text(&events, "[");
    if (!named || !is_forgotten(rq, &pair[1]))
        render_logged_event(&events, &pair[1], verdict->recorded_at, 0);
    dbk_render_text(&events, "]");
    response_begin(rs);
    render_logged_person(&rs->body, &person, pair[0].person.properties,
                         (struct dbk_slice){events.text, events.length});
    dbk_render_finish(&events);
    return response_end(rs, 201, DETAILS_OK, err);
}
