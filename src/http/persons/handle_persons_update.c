/* PUT and PATCH /persons/{id}, and /persons/by/external_id/{value} once that is known. */
#include "person_update.h"

#include "expect.h"
#include "handlers.h"
#include "json_merge.h"
#include "json_stored.h"
#include "logged.h"
#include "person_answer.h"
#include "person_change.h"
#include "submit.h"
#include "worker.h"

#define RACES_MAX 100
#define GUESSES_MAX 4

/* Leave those events out that the log has. They must be equal: what happened is not
 * overwritten. Once they are known to be, nobody need look again. */
static enum dbk_code drop_known_events(const struct request *rq,
                                       struct body_update *update,
                                       struct dbk_error *err)
{
    size_t left = 0;

    for (size_t i = 0; i < update->event_count; i++) {
        enum dbk_code code = logged_check(rq, &update->events[i], err);
        if (code == DBK_NOT_FOUND)
            update->events[left++] = update->events[i];
        else if (code != DBK_OK)
            return code;
    }
    update->event_count = left;
    return DBK_OK;
}

/* One that is new and has an anonymous id cannot come with its person. */
static enum dbk_code refuse_anonymous(const struct dbk_record *event,
                                      struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&event->subject, id);
    return dbk_fail(
        err, DBK_INVALID,
        "The event %s has an anonymous_id and is not there yet; POST /events "
        "records it",
        id);
}

static enum dbk_code add_events(const struct request *rq, struct dbk_command *command,
                                struct body_update *update, struct dbk_error *err)
{
    for (size_t i = 0; i < update->event_count; i++) {
        if (update->events[i].anonymous_id.length > 0)
            return refuse_anonymous(&update->events[i], err);
        submit_meta(rq, &update->events[i]);
        if (dbk_command_add(command, &update->events[i], err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

/* Whether the properties are, as values, those that the person has. */
static bool same_properties(const struct request *rq, const struct body_update *update,
                            const struct dbk_person_state *person)
{
    const struct dbk_person_fields *fields = &update->record.person;
    struct dbk_slice logged;

    if (!(fields->has & DBK_HAS_PROPERTIES))
        return false;
    if (fields->properties.length == 0 || person->properties_sequence == 0)
        return fields->properties.length == 0 && person->properties_sequence == 0;
    return !update->merges &&
           dbk_log_person_properties(rq->service->log, person, &rq->worker->batch,
                                     &logged, NULL) == DBK_OK &&
           json_same(fields->properties, logged);
}

/* The record says what changes, not what stays. That is right for the version that was
 * looked at only, so the writer is told to expect it. *guessed: the client did not ask
 * for that, so where the person has moved it is ours to look again. Who has done so in vain
 * for often enough, as many change the person at once, says all that was sent: that is right
 * for any version. */
static enum dbk_code add_change(const struct request *rq, struct dbk_command *command,
                                const struct body_update *update, bool may_guess,
                                bool *guessed, struct dbk_error *err)
{
    struct dbk_record change = update->record;
    struct dbk_person_state person;
    bool asked, less = false;

    *guessed = false;
    if (dbk_log_person(rq->service->log, &change.subject, &person, err) != DBK_OK)
        return err->code;
    if (person.deleted)
        return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this id");
    if (expect_version(rq, person.version, &asked, err) != DBK_OK)
        return err->code;
    if (may_guess || asked)
        less = person_change(&change.person, &person,
                             same_properties(rq, update, &person));
    *guessed = less && !asked;
    if (less || asked)
        dbk_command_expect(command, person.version);
    if (update->merges && (change.person.has & DBK_HAS_PROPERTIES) &&
        change.person.properties.length > 0)
        dbk_command_merge(command, json_merge);
    return dbk_command_add(command, &change, err);
}

/* How often it was tried, and how that went. */
struct attempt {
    int turn;
    bool guessed;
    bool looked; /* those of the events that are left are not in the log */
    bool raced;  /* another request was first */
};

static enum dbk_code submit_once(struct request *rq, struct response *rs,
                                 struct dbk_command *command,
                                 struct body_update *update, struct attempt *attempt,
                                 struct dbk_error *err)
{
    enum dbk_code code;

    attempt->raced = false;
    if (add_change(rq, command, update, attempt->turn < GUESSES_MAX, &attempt->guessed,
                   err) != DBK_OK)
        return err->code;
    if (!attempt->looked && drop_known_events(rq, update, err) != DBK_OK)
        return err->code;
    if (add_events(rq, command, update, err) != DBK_OK)
        return err->code;
    code = submit_plain(rq, rs, command, err);
    attempt->looked = code != DBK_EXISTS;
    attempt->raced = code == DBK_EXISTS || (code == DBK_MOVED && attempt->guessed);
    return code;
}

static enum dbk_code answer_updated(struct request *rq, struct response *rs,
                                    const struct dbk_command *command,
                                    const struct dbk_person_fields *named,
                                    struct dbk_error *err)
{
    const struct dbk_person_state *person = dbk_command_person(command);
    const struct dbk_verdict *verdict = dbk_command_verdict(command);

    if (!person)
        return dbk_fail(err, DBK_INTERNAL, "an accepted update without its person");
    return person_answer(rq, rs, person, named,
                         verdict->first_sequence ? verdict->sequence : 0, err);
}

/* What we looked at may have moved when the writer decides: an event that was not there
 * is, or the person has changed. Then look again; each time another request was first,
 * so this ends. */
enum dbk_code person_update(struct request *rq, struct response *rs,
                            struct body_update *update, struct dbk_error *err)
{
    struct attempt attempt = {.turn = 0};
    enum dbk_code code;

    submit_meta(rq, &update->record);
    for (; attempt.turn < RACES_MAX; attempt.turn++) {
        struct dbk_command *command = dbk_command_create();
        if (!command)
            return dbk_fail(err, DBK_NO_MEMORY, "no memory for a command");
        code = submit_once(rq, rs, command, update, &attempt, err);
        if (code == DBK_OK)
            code = answer_updated(rq, rs, command, &update->record.person, err);
        dbk_command_destroy(command);
        if (!attempt.raced)
            return code;
    }
    return dbk_fail(err, DBK_BUSY, "the person is being changed by many at once");
}

/* Whether the person is known by something else than e-mail and names. The writer knows for
 * sure; this is for whom the first API's answer is due. */
static enum dbk_code look_up_known(const struct request *rq, bool *known,
                                   struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = dbk_log_person(rq->service->log, &rq->match.id, &person, err);

    *known = code == DBK_OK && !person.deleted &&
             (person.external_id[0] || person.aliases > 0);
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

enum dbk_code handle_put_person(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    struct body_update update = {0};
    enum dbk_code code;
    bool known;

    if (look_up_known(rq, &known, err) != DBK_OK ||
        body_put_person(rq->body.data, rq->body.length, &rq->match.id, known,
                        &rq->service->rules, &update, &rq->fields, err) != DBK_OK)
        return err->code;
    code = person_update(rq, rs, &update, err);
    body_update_finish(&update);
    return code;
}

enum dbk_code handle_patch_person(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct body_update update = {0};
    enum dbk_code code;
    bool known;

    if (look_up_known(rq, &known, err) != DBK_OK ||
        body_patch_person(rq->body.data, rq->body.length, &rq->match.id, known, &update,
                          &rq->fields, err) != DBK_OK)
        return err->code;
    code = person_update(rq, rs, &update, err);
    body_update_finish(&update);
    return code;
}
