/* record_types.h - what each type of record has, and how each field of data is kept.
 *
 * Private to the store. Both tables are constant: thread-safe.
 */
#ifndef DBK_STORE_RECORD_TYPES_H
#define DBK_STORE_RECORD_TYPES_H

#include "store/record.h"

struct record_type {
    struct dbk_slice name;
    enum dbk_subject subject;
    unsigned must, may; /* fields, DBK_HAS_... */
};

/* NULL for what is no type. */
const struct record_type *record_type(enum dbk_type type);

enum record_kind { RECORD_TEXT, RECORD_ROLE, RECORD_ID, RECORD_TIME };

/* An entry of data: the key, and where its value stands in struct dbk_record; record_value
 * tells it for every type. */
struct record_field {
    unsigned bit; /* DBK_HAS_... */
    enum record_kind kind;
    struct dbk_slice key;
    size_t offset;
    size_t bound; /* of a text, in bytes */
};

#define RECORD_FIELDS 10

/* In the order in which data has them. */
extern const struct record_field record_fields[RECORD_FIELDS];

/* Where the field's value stands in a record of a type. Persons have properties of their
 * own. Borrowed from record. */
static inline const void *record_value(const struct dbk_record *record,
                                       const struct record_field *field,
                                       const struct record_type *type)
{
    if (field->bit == DBK_HAS_PROPERTIES && type->subject == DBK_SUBJECT_PERSON)
        return &record->person.properties;
    return (const char *)record + field->offset;
}

/* The oldest format that can say what the record does, whose data has the fields `there`. */
unsigned record_format(const struct dbk_record *record, unsigned there);

#endif
