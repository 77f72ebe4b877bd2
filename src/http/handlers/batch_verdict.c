/* What became of the items of a batch, in the answer. */
#include "batch_read.h"
#include "holder.h"
#include "ingest.h"
#include "logged.h"
#include "person_known.h"
#include "status.h"

#include <ctype.h>
#include <stdio.h>

#define FIELD_ERRORS_SHOWN 4 /* of an item: an answer must not outgrow its request */

static void render_fields(const struct dbk_field_errors *fields, struct dbk_render *out)
{
    for (size_t i = 0; i < fields->count && i < FIELD_ERRORS_SHOWN; i++) {
        dbk_render_text(out, i ? ",{\"field\":" : ",\"errors\":[{\"field\":");
        dbk_render_string(out, dbk_slice(fields->list[i].field));
        dbk_render_text(out, ",\"message\":");
        dbk_render_string(out, dbk_slice(fields->list[i].message));
        if (fields->list[i].has_person_id) {
            dbk_render_text(out, ",\"person_id\":");
            dbk_render_uuid(out, &fields->list[i].person_id);
        }
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

static void render_refused_as(int status, size_t index, const struct dbk_uuid *id,
                              struct dbk_error *err,
                              const struct dbk_field_errors *fields,
                              struct dbk_render *out, struct batch_counts *counts)
{
    const char *sentence = status_sentence(err->code);

    if (!fields || fields->count == 0) /* else it begins with a field's name */
        err->text[0] = (char)toupper((unsigned char)err->text[0]);
    begin(index, status, id, out);
    dbk_render_text(out, ",\"details\":");
    dbk_render_string(out, dbk_slice(sentence ? sentence : err->text));
    if (fields)
        render_fields(fields, out);
    dbk_render_text(out, "}");
    counts->refused++;
    counts->failed += status >= 500;
}

static void render_refused(size_t index, const struct dbk_uuid *id,
                           struct dbk_error *err, const struct dbk_field_errors *fields,
                           struct dbk_render *out, struct batch_counts *counts)
{
    render_refused_as(status_of(err->code), index, id, err, fields, out, counts);
}

static void render_sequence(size_t index, int status, const struct dbk_uuid *id,
                            uint64_t sequence, struct dbk_render *out)
{
    begin(index, status, id, out);
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, sequence);
    dbk_render_text(out, "}");
}

static void count_recorded(uint64_t sequence, struct batch_counts *counts)
{
    counts->recorded++;
    if (sequence > counts->last_sequence)
        counts->last_sequence = sequence;
}

/* All that who only ingests is told of what was no mistake of its own. */
static void render_accepted(size_t index, const struct batch_item *item,
                            struct dbk_render *out, struct batch_counts *counts)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);

    begin(index, 202, dbk_uuid_is_nil(&item->id) ? NULL : &item->id, out);
    dbk_render_text(out, "}");
    counts->accepted++;
    if (verdict->code == DBK_OK && verdict->sequence > counts->last_sequence)
        counts->last_sequence = verdict->sequence;
}

/* Of whom or what the record at a sequence is. */
static enum dbk_code read_id(const struct batch_frame *frame,
                             const struct batch_item *item, uint64_t sequence,
                             struct dbk_uuid *id, struct dbk_error *err)
{
    struct dbk_record logged;

    if (logged_read(frame->rq, sequence, &logged, 1, err) != DBK_OK)
        return err->code;
    *id = item->kind == BODY_ITEM_EVENT ? logged.subject : *dbk_record_person(&logged);
    return DBK_OK;
}

/* The id of what was done: as it was drafted, unless the log knows better. */
static enum dbk_code find_id(const struct batch_frame *frame,
                             const struct batch_item *item, struct dbk_uuid *id,
                             struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);

    *id = item->id;
    if (frame->replayed)
        return read_id(frame, item,
                       verdict->first_sequence ? verdict->first_sequence
                                               : verdict->sequence,
                       id, err);
    if (item->kind != BODY_ITEM_EVENT)
        *id = dbk_command_person(item->command)->id;
    return DBK_OK;
}

/* A person that was there is updated, and where that changed nothing it was known. */
static void render_done(const struct batch_frame *frame, size_t index,
                        const struct batch_item *item, struct dbk_render *out,
                        struct batch_counts *counts)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);
    struct dbk_uuid id;
    struct dbk_error err;

    if (request_only_ingests(frame->rq)) {
        render_accepted(index, item, out, counts);
        return;
    }
    if (find_id(frame, item, &id, &err) != DBK_OK) {
        render_refused(index, NULL, &err, NULL, out, counts);
        return;
    }
    render_sequence(index, verdict->otherwise ? 200 : 201, &id, verdict->sequence, out);
    if (verdict->first_sequence > 0)
        count_recorded(verdict->sequence, counts);
    else
        counts->known++;
}

static void render_invalid(const struct batch_frame *frame,
                           const struct batch_item *item, size_t index,
                           struct dbk_render *out, struct batch_counts *counts)
{
    struct dbk_error err = {DBK_TOO_LARGE, "A field is larger than a record can hold"};
    struct dbk_field_errors fields = {0};
    struct dbk_body body = {0};

    batch_read(frame, item, &body, &fields, &err);
    dbk_body_finish(&body);
    render_refused_as(batch_is_forbidden(frame, item) ? 403 : status_of(err.code),
                      index, NULL, &err, &fields, out, counts);
}

/* A PostgreSQL that does not answer is not asked again for each item. */
static enum dbk_code compare_person(const struct batch_frame *frame,
                                    const struct dbk_record *brought,
                                    struct batch_counts *counts, struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = person_known(frame->rq, brought, &person, err), first;

    if (code != DBK_EXISTS)
        return code;
    first = person_known_first(frame->rq, brought, &person, !counts->unread);
    if (first == DBK_UNAVAILABLE) {
        counts->unread = true;
        dbk_fail(err, DBK_EXISTS, "%s", PERSON_UNTOLD);
    }
    return first;
}

/* The log has the id: the same event or person again, or another. */
static enum dbk_code compare(const struct batch_frame *frame,
                             const struct batch_item *item, uint64_t sequence,
                             struct batch_counts *counts, struct dbk_error *err)
{
    struct dbk_field_errors fields = {0};
    struct dbk_body body = {0};
    struct dbk_record logged;
    enum dbk_code code = batch_read(frame, item, &body, &fields, err);

    if (code != DBK_OK)
        return code;
    if (item->kind == BODY_ITEM_EVENT)
        code = logged_compare(frame->rq, &body.record, sequence, &logged, err);
    else
        code = compare_person(frame, &body.record, counts, err);
    dbk_body_finish(&body);
    return code;
}

static const char *not_found(const struct batch_item *item)
{
    return item->kind == BODY_ITEM_ALIAS && !item->has_id
               ? "There is no person with this external_id"
               : "There is no person with this person_id";
}

static const char *conflict(const struct batch_item *item)
{
    switch (item->kind) {
    case BODY_ITEM_EVENT:
        break;
    case BODY_ITEM_PERSON:
        return "A deleted person had this id, or the person has as many anonymous ids "
               "as "
               "there may be";
    case BODY_ITEM_ALIAS:
        return "The person has as many anonymous ids as there may be";
    }
    return "An event that was deleted, or is forgotten by now, had this id";
}

/* Of a verdict that is replayed only the code is known, so the words are ours. */
static void say_why(const struct batch_item *item, enum dbk_code code,
                    struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);

    if (code == DBK_NOT_FOUND)
        dbk_fail(err, code, "%s", not_found(item));
    else if (code == DBK_CONFLICT && verdict->has_holder)
        dbk_fail(err, code, "Another person has this %s", holder_field(verdict->held));
    else if (code == DBK_CONFLICT)
        dbk_fail(err, code, "%s", conflict(item));
    else if (code == DBK_INVALID)
        dbk_fail(err, code,
                 "Merged with those of the person the properties are more "
                 "than a record can hold");
}

static void render_known(const struct batch_frame *frame, size_t index,
                         const struct batch_item *item, struct dbk_render *out,
                         struct batch_counts *counts)
{
    uint64_t sequence = dbk_command_verdict(item->command)->sequence;
    struct dbk_uuid id = item->id;
    struct dbk_error err;

    if (dbk_uuid_is_nil(&id) && read_id(frame, item, sequence, &id, &err) != DBK_OK) {
        render_refused(index, NULL, &err, NULL, out, counts);
        return;
    }
    render_sequence(index, 200, &id, sequence, out);
    counts->known++;
}

/* It was not recorded now: the log has it already, or it may not be there. */
static void render_verdict(const struct batch_frame *frame, size_t index,
                           const struct batch_item *item, struct dbk_render *out,
                           struct batch_counts *counts)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(item->command);
    struct dbk_field_errors fields;
    struct dbk_error err = verdict->error;
    enum dbk_code code = verdict->code;

    fields.count = 0;
    if (code == DBK_EXISTS && item->kind == BODY_ITEM_ALIAS)
        code = DBK_OK; /* it is that person's */
    else if (code == DBK_EXISTS)
        code = compare(frame, item, verdict->sequence, counts, &err);
    else
        say_why(item, code, &err);
    if (request_only_ingests(frame->rq) &&
        (code == DBK_OK || ingest_hides(frame->rq, &err))) {
        render_accepted(index, item, out, counts);
    } else if (code == DBK_OK) {
        render_known(frame, index, item, out, counts);
    } else if (code == DBK_UNAVAILABLE && err.code == DBK_EXISTS) {
        render_refused_as(503, index, &item->id, &err, NULL, out, counts);
    } else {
        holder_tell(frame->rq, item->command, &fields);
        render_refused(index, item->has_id ? &item->id : NULL, &err, &fields, out,
                       counts);
    }
}

void batch_item_render(const struct batch_frame *frame, size_t index,
                       const struct batch_item *item, struct dbk_render *out,
                       struct batch_counts *counts)
{
    if (!item->command)
        render_invalid(frame, item, index, out, counts);
    else if (dbk_command_verdict(item->command)->code == DBK_OK)
        render_done(frame, index, item, out, counts);
    else
        render_verdict(frame, index, item, out, counts);
}
