#include "batch_item.h"

#include "ingest.h"
#include "logged.h"
#include "status.h"
#include "submit.h"

#include <ctype.h>

#define FIELD_ERRORS_SHOWN 4 /* of an item: an answer must not outgrow its request */

static enum dbk_code read_item(const struct request *rq, const struct batch_item *item,
                               struct dbk_body *body, struct dbk_field_errors *fields,
                               struct dbk_error *err)
{
    return dbk_body_event(item->text.data, item->text.length, DBK_BODY_CREATE,
                          &rq->service->rules, body, fields, err);
}

enum dbk_code batch_item_draft(const struct request *rq, const struct submit_ids *ids,
                               size_t index, struct batch_item *item,
                               struct dbk_error *err)
{
    struct dbk_field_errors fields;
    struct dbk_body body;
    enum dbk_code code;

    fields.count = 0; /* the rest is large, and need not be zeroed for each item */
    code = read_item(rq, item, &body, &fields, err);
    if (code != DBK_OK)
        return code == DBK_NO_MEMORY ? code : DBK_OK;
    if (!body.has_id)
        submit_ids_make(ids, index, &body.record.subject);
    submit_meta(rq, &body.record);
    item->id = body.record.subject;
    item->has_id = body.has_id;
    item->command = submit_drafts(&body.record, 1, err);
    dbk_body_finish(&body);
    return item->command || err->code == DBK_TOO_LARGE ? DBK_OK : err->code;
}

static void render_fields(const struct dbk_field_errors *fields, struct dbk_render *out)
{
    for (size_t i = 0; i < fields->count && i < FIELD_ERRORS_SHOWN; i++) {
        dbk_render_text(out, i ? ",{\"field\":" : ",\"errors\":[{\"field\":");
        dbk_render_string(out, dbk_slice(fields->list[i].field));
        dbk_render_text(out, ",\"message\":");
        dbk_render_string(out, dbk_slice(fields->list[i].message));
        dbk_render_text(out, "}");
    }
    if (fields->count > 0)
        dbk_render_text(out, "]");
}

static void begin(size_t index, int status, const struct dbk_uuid *id,
                  struct dbk_render *out)
{
    dbk_render_text(out, "{\"index\":");
    dbk_render_number(out, index);
    dbk_render_text(out, ",\"status\":");
    dbk_render_number(out, (uint64_t)status);
    if (!id)
        return;
    dbk_render_text(out, ",\"id\":");
    dbk_render_uuid(out, id);
}

static void render_refused(size_t index, const struct dbk_uuid *id,
                           struct dbk_error *err, const struct dbk_field_errors *fields,
                           struct dbk_render *out, struct batch_counts *counts)
{
    const char *sentence = status_sentence(err->code);

    if (!fields || fields->count == 0) /* else it begins with a field's name */
        err->text[0] = (char)toupper((unsigned char)err->text[0]);
    begin(index, status_of(err->code), id, out);
    dbk_render_text(out, ",\"details\":");
    dbk_render_string(out, dbk_slice(sentence ? sentence : err->text));
    if (fields)
        render_fields(fields, out);
    dbk_render_text(out, "}");
    counts->refused++;
    counts->failed += status_of(err->code) >= 500;
}

static void render_sequence(size_t index, int status, const struct dbk_uuid *id,
                            uint64_t sequence, struct dbk_render *out)
{
    begin(index, status, id, out);
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, sequence);
    dbk_render_text(out, "}");
}

/* The log has the id: the same event again, or another. */
static enum dbk_code compare(const struct request *rq, const struct batch_item *item,
                             uint64_t sequence, struct dbk_error *err)
{
    struct dbk_field_errors fields = {0};
    struct dbk_body body = {0};
    struct dbk_record logged;
    enum dbk_code code = read_item(rq, item, &body, &fields, err);

    if (code != DBK_OK)
        return code;
    code = logged_compare(rq, &body.record, sequence, &logged, err);
    dbk_body_finish(&body);
    return code;
}

/* All that who only ingests is told of what was no mistake of its own. */
static void render_accepted(size_t index, const struct batch_item *item,
                            struct dbk_render *out, struct batch_counts *counts)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);

    begin(index, 202, &item->id, out);
    dbk_render_text(out, "}");
    counts->accepted++;
    if (verdict->code == DBK_OK && verdict->sequence > counts->last_sequence)
        counts->last_sequence = verdict->sequence;
}

static void render_recorded(const struct request *rq, size_t index,
                            const struct batch_item *item, bool replayed,
                            struct dbk_render *out, struct batch_counts *counts)
{
    uint64_t sequence = dbk_command_verdict(item->command)->sequence;
    struct dbk_record logged;
    struct dbk_error err;

    if (request_only_ingests(rq)) {
        render_accepted(index, item, out, counts);
        return;
    }
    logged.subject = item->id;
    if (replayed && logged_read(rq, sequence, &logged, 1, &err) != DBK_OK) {
        render_refused(index, NULL, &err, NULL, out, counts);
        return;
    }
    render_sequence(index, 201, &logged.subject, sequence, out);
    counts->recorded++;
    if (sequence > counts->last_sequence)
        counts->last_sequence = sequence;
}

static void render_invalid(const struct request *rq, const struct batch_item *item,
                           size_t index, struct dbk_render *out,
                           struct batch_counts *counts)
{
    struct dbk_error err = {DBK_TOO_LARGE, "A field is larger than a record can hold"};
    struct dbk_field_errors fields = {0};
    struct dbk_body body = {0};

    read_item(rq, item, &body, &fields, &err);
    dbk_body_finish(&body);
    render_refused(index, NULL, &err, &fields, out, counts);
}

/* Of a verdict that is replayed only the code is known, so the words are ours. */
static void say_why(enum dbk_code code, struct dbk_error *err)
{
    if (code == DBK_NOT_FOUND)
        dbk_fail(err, code, "There is no person with this person_id");
    else if (code == DBK_CONFLICT)
        dbk_fail(err, code, "An event with this id was deleted");
}

/* It was not recorded now: the log has it already, or it may not be there. */
static void render_verdict(const struct request *rq, size_t index,
                           const struct batch_item *item, struct dbk_render *out,
                           struct batch_counts *counts)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);
    struct dbk_error err = verdict->error;
    enum dbk_code code = verdict->code;

    if (code == DBK_EXISTS)
        code = compare(rq, item, verdict->sequence, &err);
    else
        say_why(code, &err);
    if (request_only_ingests(rq) && (code == DBK_OK || ingest_hides(rq, &err))) {
        render_accepted(index, item, out, counts);
        return;
    }
    if (code != DBK_OK) {
        render_refused(index, item->has_id ? &item->id : NULL, &err, NULL, out, counts);
        return;
    }
    render_sequence(index, 200, &item->id, verdict->sequence, out);
    counts->known++;
}

void batch_item_render(const struct request *rq, size_t index,
                       const struct batch_item *item, bool replayed,
                       struct dbk_render *out, struct batch_counts *counts)
{
    if (!item->command)
        render_invalid(rq, item, index, out, counts);
    else if (dbk_command_verdict(item->command)->code == DBK_OK)
        render_recorded(rq, index, item, replayed, out, counts);
    else
        render_verdict(rq, index, item, out, counts);
}
