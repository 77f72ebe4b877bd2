/* load_fold.h - the first walk over the log: what becomes of whom, without the data.
 *
 * Kept are 88 bytes a person (which records made it what it is), 40 bytes an anonymous id
 * that ever was a person's, and 16 bytes an event that was deleted, each and 5 to 11 bytes
 * in a hash table; nothing for the events that live. The second walk (load_rows.h) turns
 * this and the log into final rows.
 */
#ifndef DBK_PROJECTIONS_LOAD_FOLD_H
#define DBK_PROJECTIONS_LOAD_FOLD_H

#include "anonymous_key.h"
#include "load_scan.h"
#include "load_table.h"

#include <stdbool.h>

enum load_field {
    LOAD_EMAIL,
    LOAD_FIRST_NAME,
    LOAD_LAST_NAME,
    LOAD_ROLE,
    LOAD_EXTERNAL_ID,
    LOAD_PROPERTIES,
    LOAD_FIELDS
};

struct load_person {
    struct dbk_uuid id;
    uint64_t created;             /* sequence of its first record */
    uint64_t last;                /* and of its last */
    uint64_t set_by[LOAD_FIELDS]; /* of the record that last set the field */
    bool deleted;
    bool aliased; /* an anonymous id was tied to the person, or untied, once */
};

struct load_alias {
    struct dbk_uuid key;   /* anonymous_key.h */
    struct dbk_uuid owner; /* in the end, or until deleted; nil: nobody */
    uint64_t gone; /* events up to this sequence went with one who had it before */
};

struct load_fold {
    struct load_table persons;        /* of load_person */
    struct load_table aliases;        /* of load_alias */
    struct load_table deleted_events; /* of their ids */
    struct anonymous_secret secret;
    bool
        missed; /* somebody was erased while it was walked, of whom the half is known */
};

void load_fold_init(struct load_fold *fold);
void load_fold_finish(struct load_fold *fold);

/* Walk over the log. DBK_CONFLICT: a record contradicts those before it, as none does in
 * a log that was decided well; else as load_scan. */
enum dbk_code load_fold(struct load_fold *fold, const struct load_source *source,
                        struct dbk_error *err);

/* Whether there is such a person, as far as the walk has come. */
bool load_fold_lives(const struct load_fold *fold, const struct dbk_uuid *person);

/* Whose an event with an anonymous id, recorded by this record, is in the end (nil:
 * nobody's). False: it went with a person. */
bool load_fold_owner(const struct load_fold *fold, const struct dbk_record *record,
                     struct dbk_uuid *owner);

/* err says that the record contradicts those before it. Returns DBK_CONFLICT. */
enum dbk_code load_contradicts(const struct dbk_record *record, struct dbk_error *err);

#endif
