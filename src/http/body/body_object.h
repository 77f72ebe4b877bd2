/* body_object.h - reads an object of a body by a table of the fields it may have.
 *
 * Private to the body_*.c files. A draft is what has been read so far and where
 * complaints go. Its strings are copied into one block, as long as the text of the
 * body: no string is longer than its JSON.
 */
#ifndef DBK_HTTP_BODY_OBJECT_H
#define DBK_HTTP_BODY_OBJECT_H

#include "http/body.h"

struct body_draft {
    struct dbk_record *record; /* being filled */
    bool has_id, has_person_id;
    const struct dbk_uuid *id;        /* what `id` must equal; NULL: any */
    struct dbk_slice external_id;     /* what `external_id` must equal; length 0: any */
    const struct dbk_uuid *person_id; /* what `person_id` must equal; NULL: any */
    const struct dbk_body_rules *rules;
    size_t room; /* bytes that the block has besides, for what is no string */
    bool nobody; /* person_id was null */
    void (*finish)(struct body_draft *draft); /* behind all fields; or NULL */

    /* The person is known by an external id or an anonymous id, so that e-mail and names
     * may be missing, and be null. body_object finds it where the object itself has one. Of
     * an event: it has an anonymous_id, and needs no person_id. */
    bool known;
    /* What null says of a person: a field that is taken away (of what is there already), or
     * one that was left out. */
    bool removes;
    bool merges; /* properties are a patch */

    /* A PUT's events: where they go, and how many there are. */
    struct dbk_record *events;
    size_t event_count;

    char *copy, *end;   /* where the next string goes, and the end of the block */
    const char *prefix; /* before the names of the fields: "" or "events[3]." */
    const char *name;   /* of the field being read */
    const struct body_field *table; /* that it is in */
    struct dbk_field_errors *fields;
    size_t complaints; /* also those that fields had no room for */
    bool no_memory;
};

/* One field: how it is called, whether it must be there, and what reads it. value is
 * its JSON text. A reader that is not content calls body_complain. */
struct body_field {
    const char *name;
    enum {
        BODY_FIELD_OPTIONAL,
        BODY_FIELD_REQUIRED,
        BODY_FIELD_UNLESS_KNOWN, /* required, unless the person is known (body_draft) */
        BODY_FIELD_UNLESS_BY_EXTERNAL_ID, /* required, unless draft has its external_id */
        BODY_FIELD_MAKES_KNOWN, /* optional; but for null it makes the person known */
        BODY_FIELD_STANDS_IN,   /* optional; its reader makes the person known */
        BODY_FIELD_READ_ONLY,   /* refused; has no reader */
    } use;
    void (*read)(struct body_draft *draft, struct dbk_slice value);
};

/* Note that the field being read is `wrong` as long as the person is not known, and what of
 * the table being read would make it so. */
void body_complain_unknown(struct body_draft *draft, const char *wrong);

/* Note what is wrong with the field being read. */
void body_complain(struct body_draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Read the members of object. table ends with a field without a name. At most 32
 * fields. */
void body_object(struct body_draft *draft, const struct body_field *table,
                 struct dbk_slice object);

/* A whole body: parse text, which must be an object, read it by table, and put into
 * *memory the block that the strings of draft are in (the caller frees it).
 * draft->record and draft->fields must be set. Errors as in http/body.h; on failure
 * *memory is NULL. */
enum dbk_code body_read(const char *text, size_t length, const struct body_field *table,
                        struct body_draft *draft, void **memory, struct dbk_error *err);

#endif
