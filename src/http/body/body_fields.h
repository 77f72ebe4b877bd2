/* body_fields.h - the bodies that only the REST API has: replacing, patching and
 * deleting, events under a path with an id, and batches. http/body.h has the others.
 *
 * Failures are those of http/body.h: DBK_INVALID with one sentence in err and, where
 * the JSON was fine, each wrong field in fields; DBK_NO_MEMORY. On failure what was to
 * be filled is zeroed. text is borrowed for the call.
 */
#ifndef DBK_HTTP_BODY_FIELDS_H
#define DBK_HTTP_BODY_FIELDS_H

#include "http/body.h"
#include "json_loose.h"

/* A draft of person.updated, and the events that came with it. */
struct body_update {
    struct dbk_record record;  /* subject is the person; record.person.has tells which
                                  fields came: all of them for a PUT, any for a PATCH */
    bool merges;               /* its properties, where there are some, are a patch */
    struct dbk_record *events; /* event.recorded, each with the client's id; PUT only */
    size_t event_count;
    void *memory; /* private */
};
void body_update_finish(struct body_update *update); /* a zeroed one is fine */

/* PUT /persons/{id}. The four fields are required; but where the person is known by
 * something else (`known`, or an external_id in the body) e-mail and names may be missing,
 * or null, and are then taken away. May be there: `external_id` and `properties`, which null
 * takes away and which stay as they are where they are missing; `id`, equal to id; `events`,
 * each as for POST /events with its `id` required and `person_id` equal to id, no id twice;
 * `datetime_created` and `datetime_modified`, which must be timestamps and are ignored, as
 * are `events_total` and `events_next`, so that a person as GET gave it can be sent back. */
enum dbk_code body_put_person(const char *text, size_t length,
                              const struct dbk_uuid *id, bool known,
                              const struct dbk_body_rules *rules,
                              struct body_update *update,
                              struct dbk_field_errors *fields, struct dbk_error *err);

/* PUT /persons/by/external_id/{value}: as above for who has this external id, which one in
 * the body must equal; id: of who has it now, NULL where nobody. `role` may be missing: it
 * stays as it is. `anonymous_id` may be there, and is that of the record. Where nobody has
 * it, `id` may be any, which the new person gets (the record's subject; else a new one), and
 * `events` may not be there. The external id itself is not in the record. */
enum dbk_code
body_put_person_by(const char *text, size_t length, struct dbk_slice external_id,
                   const struct dbk_uuid *id, const struct dbk_body_rules *rules,
                   struct body_update *update, struct dbk_field_errors *fields,
                   struct dbk_error *err);

/* PATCH /persons/{id}: a JSON merge patch (RFC 7396) of the person's fields. null removes
 * e-mail and names where the person is known by something else (as above), external_id and
 * properties; properties that are there are a patch, too: json_merge.h makes the whole of
 * it. {} changes nothing and is fine. `id` may be there, equal to id. */
enum dbk_code body_patch_person(const char *text, size_t length,
                                const struct dbk_uuid *id, bool known,
                                struct body_update *update,
                                struct dbk_field_errors *fields, struct dbk_error *err);

/* POST /persons/{id}/aliases: anonymous_id; `person_id` may be there, equal to id. Frees
 * with dbk_body_finish. */
enum dbk_code body_alias_at(const char *text, size_t length, const struct dbk_uuid *id,
                            struct dbk_body *body, struct dbk_field_errors *fields,
                            struct dbk_error *err);

/* POST /persons/by/external_id/{value}/aliases: the same; `external_id` may be there, equal
 * to external_id, which becomes that of record.person, and is borrowed. */
enum dbk_code body_alias_by(const char *text, size_t length,
                            struct dbk_slice external_id, struct dbk_body *body,
                            struct dbk_field_errors *fields, struct dbk_error *err);

/* POST /events/{id}: as POST /events with that id; one in the body must be equal. Frees
 * with dbk_body_finish. */
enum dbk_code body_event_at(const char *text, size_t length, const struct dbk_uuid *id,
                            const struct dbk_body_rules *rules, struct dbk_body *body,
                            struct dbk_field_errors *fields, struct dbk_error *err);

/* Whether an optional body is left out: it is empty, or white space, or null, which some
 * clients send in its place. */
bool body_says_nothing(const char *text, size_t length);

/* The body of a DELETE /persons/{id}: empty (length 0, or white space), null, or an object
 * that may hold `id`, equal to id. */
enum dbk_code body_delete_person(const char *text, size_t length,
                                 const struct dbk_uuid *id,
                                 struct dbk_field_errors *fields,
                                 struct dbk_error *err);

/* The body of a DELETE /events/{id}: as above, and it may hold `person_id`, which the
 * store compares (dbk_command_expect_person). */
struct body_delete {
    bool has_person_id;
    struct dbk_uuid person_id;
};
enum dbk_code body_delete_event(const char *text, size_t length,
                                const struct dbk_uuid *id, struct body_delete *out,
                                struct dbk_field_errors *fields, struct dbk_error *err);

/* The items of a batch, one after the other. They point into the text, which must stay as
 * long as it is walked. */
struct body_items {
    size_t count; /* how many items there are */
    bool lines;
    struct dbk_slice context; /* that of all: an object with members, or length 0 */
    bool has_sent_at;
    dbk_timestamp sent_at; /* when the client sent it, by its own clock */

    struct dbk_slice *list;  /* private: where they are, so that a text is cut once */
    size_t next, size;       /* private */
    const char *at, *end;    /* private */
    struct json_loose array; /* private */
};
void body_items_finish(struct body_items *items); /* a zeroed one is fine */

/* Make items ready to walk.
 *
 * Without lines it is an array, or an object {"items": [...]} that may have a `context`,
 * which is bounded as properties are, and `sent_at` (body_time.h). An array is cut into its
 * items as json_loose.h says, NDJSON (lines true) at each line feed; blank lines are no
 * items. What is wrong with an item is found when it is read.
 *
 * DBK_INVALID    none of that, or not to be followed (with line and column), or no items;
 *                fields, where it is a member of the object
 * DBK_TOO_LARGE  more than max items
 * DBK_NO_MEMORY
 */
enum dbk_code body_items_open(const char *text, size_t length, bool lines, size_t max,
                              struct body_items *items, struct dbk_field_errors *fields,
                              struct dbk_error *err);

/* Its part for an object, which stands in text: context and sent_at are read into items,
 * whose array then stands before the first of its items. Errors as above. */
enum dbk_code body_envelope(const char *text, struct dbk_slice object,
                            struct body_items *items, struct dbk_field_errors *fields,
                            struct dbk_error *err);

/* Whether a text begins as such an object, not as an item a line does. */
bool body_items_shared(struct dbk_slice text);

/* The next item; false behind the last. */
bool body_items_next(struct body_items *items, struct dbk_slice *item);

/* What an item is. An object {"event": ...}, {"person": ...} or {"alias": ...} says so, and
 * *item becomes what is in it; all else is an event, or nothing. */
enum body_item { BODY_ITEM_EVENT, BODY_ITEM_PERSON, BODY_ITEM_ALIAS };
enum body_item body_item_kind(struct dbk_slice *item);

/* Whether an item that is read as an event has an object by one of these keys, beside
 * whatever else. */
bool body_item_mixed(struct dbk_slice item);

/* Whether a key, with its quotes, is one of these. */
bool body_item_names_kind(struct dbk_slice key);

#endif
