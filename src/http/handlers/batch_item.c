#include "batch_item.h"

#include "batch_read.h"
#include "person_draft.h"
#include "submit.h"

bool batch_is_forbidden(const struct batch_frame *frame, const struct batch_item *item)
{
    return item->kind == BODY_ITEM_PERSON && request_only_ingests(frame->rq);
}

static enum dbk_code read_event(const struct batch_frame *frame,
                                const struct batch_item *item, struct dbk_body *body,
                                struct dbk_field_errors *fields, struct dbk_error *err)
{
    enum dbk_code code =
        dbk_body_event(item->text.data, item->text.length, DBK_BODY_CREATE,
                       &frame->rules, body, fields, err);

    if (code != DBK_INVALID || fields->count == 0 || !body_item_mixed(item->text))
        return code;
    fields->count = 0;
    return dbk_fail(err, code,
                    "An item is an event, or an object with nothing but one of event, "
                    "person and alias in it: send each as an item of its own");
}

enum dbk_code batch_read(const struct batch_frame *frame, const struct batch_item *item,
                         struct dbk_body *body, struct dbk_field_errors *fields,
                         struct dbk_error *err)
{
    const char *text = item->text.data;
    size_t length = item->text.length;

    switch (item->kind) {
    case BODY_ITEM_EVENT:
        break;
    case BODY_ITEM_PERSON:
        if (batch_is_forbidden(frame, item))
            return dbk_fail(err, DBK_INVALID,
                            "This token records events and aliases, no persons");
        return dbk_body_person(text, length, DBK_BODY_CREATE, body, fields, err);
    case BODY_ITEM_ALIAS:
        return dbk_body_alias(text, length, body, fields, err);
    }
    return read_event(frame, item, body, fields, err);
}

static struct dbk_command *draft_event(const struct batch_frame *frame, size_t index,
                                       struct dbk_body *body, struct batch_item *item,
                                       struct dbk_error *err)
{
    if (!body->has_id)
        submit_ids_make(&frame->ids, index, &body->record.subject);
    submit_meta(frame->rq, &body->record);
    item->id = body->record.subject;
    item->has_id = body->has_id;
    return submit_draft_in(frame->block, &body->record, err);
}

static struct dbk_command *draft_person(const struct batch_frame *frame,
                                        const struct dbk_body *body,
                                        struct batch_item *item, struct dbk_error *err)
{
    item->has_id = body->has_id;
    if (body->has_id)
        item->id = body->record.subject;
    return person_draft_upsert(frame->rq, body, err);
}

static struct dbk_command *draft_alias(const struct batch_frame *frame,
                                       struct dbk_body *body, struct batch_item *item,
                                       struct dbk_error *err)
{
    struct dbk_slice external_id = body->record.person.external_id;
    struct dbk_command *command;

    item->has_id = external_id.length == 0;
    if (item->has_id)
        item->id = body->record.subject;
    submit_meta(frame->rq, &body->record);
    command = submit_drafts(&body->record, 1, err);
    if (command && !item->has_id)
        dbk_command_by_external_id(command, external_id);
    return command;
}

static struct dbk_command *draft(const struct batch_frame *frame, size_t index,
                                 struct dbk_body *body, struct batch_item *item,
                                 struct dbk_error *err)
{
    switch (item->kind) {
    case BODY_ITEM_EVENT:
        break;
    case BODY_ITEM_PERSON:
        return draft_person(frame, body, item, err);
    case BODY_ITEM_ALIAS:
        return draft_alias(frame, body, item, err);
    }
    return draft_event(frame, index, body, item, err);
}

enum dbk_code batch_item_draft(const struct batch_frame *frame, size_t index,
                               struct batch_item *item, struct dbk_error *err)
{
    struct dbk_field_errors fields;
    struct dbk_body body;
    enum dbk_code code;

    fields.count = 0; /* the rest is large, and need not be zeroed for each item */
    code = batch_read(frame, item, &body, &fields, err);
    if (code != DBK_OK)
        return code == DBK_NO_MEMORY ? code : DBK_OK;
    item->command = draft(frame, index, &body, item, err);
    dbk_body_finish(&body);
    return item->command || err->code == DBK_TOO_LARGE ? DBK_OK : err->code;
}
