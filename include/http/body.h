/* body.h - reads persons and events from JSON, strictly.
 *
 * For request bodies and for the lines of an import. JSON is read per RFC 8259 with these
 * refused: duplicate keys, bytes that are not UTF-8, \u0000, lone surrogates, anything
 * behind the value, more than 32 levels or 400,000 values, numbers of more than 1,000
 * digits written out or past what a double holds, unknown fields, wrong types. Properties
 * nest at most 28 levels, so that they fit also in a batch and in the events of a person.
 */
#ifndef DBK_HTTP_BODY_H
#define DBK_HTTP_BODY_H

#include "http/fields.h"
#include "store/error.h"
#include "store/record.h"

/* Where the body comes from decides which fields it may have. */
enum dbk_body_kind {
    DBK_BODY_CREATE, /* POST: the four fields, id, external_id, anonymous_id, properties;
                        events: id, event_type, person_id or anonymous_id,
                        datetime_created, properties */
    DBK_BODY_IMPORT, /* a line of an import: as above, with datetime_created and id
                        required, also for persons; but one may have an external_id
                        instead of the id */
};

/* A draft read from a body, and the memory its slices point to. */
struct dbk_body {
    struct dbk_record record; /* type, the fields; subject: a new id unless has_id */
    bool has_id;
    bool has_role; /* of a person: it was brought; else it is "user" */
    void *memory;  /* private */
};
/* Frees the memory; a zeroed one is fine. */
void dbk_body_finish(struct dbk_body *body);

/* What events are read by. All borrowed. */
struct dbk_body_rules {
    /* Restricts their types: NULL or an array that ends with NULL. */
    const char *const *event_types;
    /* The context of a batch: an object, checked as properties are, whose members the
     * properties of each event have besides their own. Where both have one of a name,
     * objects are merged and else the event's own stays. Length 0: none. */
    struct dbk_slice context;
    /* What is added to a datetime_created that is brought, in microseconds, and the same as
     * text, for the record's clock_offset; where it is 0 the text may be of length 0. */
    int64_t clock_offset;
    struct dbk_slice clock_offset_text;
};

/* Read a person.created or an event.recorded. text is borrowed for the call only.
 *
 * A person that brings an external_id or an anonymous_id needs neither e-mail nor names. Of
 * its fields null is as if it were not there. Its anonymous_id is that of the record, which
 * a person.created does not have: it is for the person.aliased to come with it.
 *
 * DBK_INVALID    err says what and where (JSON errors with line and column); fields, where
 *                the JSON was fine and its content was not. On failure body is zeroed.
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_body_person(const char *text, size_t length, enum dbk_body_kind kind,
                              struct dbk_body *body, struct dbk_field_errors *fields,
                              struct dbk_error *err);
enum dbk_code dbk_body_event(const char *text, size_t length, enum dbk_body_kind kind,
                             const struct dbk_body_rules *rules, struct dbk_body *body,
                             struct dbk_field_errors *fields, struct dbk_error *err);

/* Read a person.aliased: anonymous_id, and whose it is to be, by a person_id (the record's
 * subject), or an external_id (of record.person; for dbk_command_by_external_id). Errors as
 * above. */
enum dbk_code dbk_body_alias(const char *text, size_t length, struct dbk_body *body,
                             struct dbk_field_errors *fields, struct dbk_error *err);

/* Whether an event that a client brings again is the one in the log: type, person (or
 * anonymous id, whoever's it is), time (where brought has one; without what was added to it
 * for the client's clock), and properties as JSON values, whatever their key order, white
 * space or spelling of numbers. */
bool dbk_body_same_event(const struct dbk_record *brought,
                         const struct dbk_record *logged);

#endif
