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

enum record_kind {
    RECORD_TEXT,
    RECORD_ROLE,
    RECORD_ID,
    RECORD_TIME,
    RECORD_NUMBER,
    RECORD_BYTES
};

/* An entry of data: the key, and where its value stands in struct dbk_record; record_value
 * tells it for every type. */
struct record_field {
    unsigned bit; /* DBK_HAS_... */
    enum record_kind kind;
    struct dbk_slice key;
    size_t offset;
    size_t bound; /* of a text or bytes */
};

#define RECORD_FIELDS 19

/* What is said of a log: of nobody, and so in the clear. */
#define RECORD_OF_A_LOG                                                                \
    (DBK_HAS_SIZE | DBK_HAS_ROOT | DBK_HAS_CHECKPOINT | DBK_HAS_THROUGH |              \
     DBK_HAS_BEFORE)

/* The key that fills a person's record up to a multiple of so many bytes, where it is sealed;
 * and what there is of that entry at least. */
enum { RECORD_PADDED = 32, RECORD_PAD_HEAD = 3 };

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

/* What stays in the clear of a record that is sealed, of a type of which that can be: which
 * fields its data then has. 0: there is nothing to seal. */
unsigned record_sealed_fields(const struct record_type *type);

/* Whether records of the type say who may be shown: those of RECORD_FORMAT_RESTRICTED. */
bool record_type_restricts(enum dbk_type type);

/* Whether they are numbers of 8 bytes each, and one at least. */
static inline bool record_keys_fit(struct dbk_slice keys)
{
    return keys.length > 0 && keys.length % sizeof(uint64_t) == 0;
}

/* Whether it is sealed, and what is in it not known. */
static inline bool record_is_shut(const struct dbk_record *record)
{
    return record->sealed.length > 0 && !record->opened;
}

/* The oldest format that can say what the record does, whose data has the fields `there`. */
unsigned record_format(const struct dbk_record *record, unsigned there);

#endif
