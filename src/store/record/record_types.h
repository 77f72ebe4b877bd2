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

/* An entry of data: the key, and where its value stands in struct dbk_record. */
struct record_field {
    unsigned bit; /* DBK_HAS_... */
    enum record_kind kind;
    struct dbk_slice key;
    size_t offset;
    size_t bound; /* of a text, in bytes */
};

#define RECORD_FIELDS 8

/* In the order in which data has them. */
extern const struct record_field record_fields[RECORD_FIELDS];

#endif
