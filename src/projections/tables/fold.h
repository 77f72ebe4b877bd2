/* fold.h - what a run of records comes to: rows to insert, update and delete.
 *
 * Pure: knows nothing of PostgreSQL or of what the tables hold. Each person and each
 * event ends in at most one of the sets, whatever happened to it in between, so that
 * the sets can be applied in bulk, in the order delete, update, insert. Rows of anonymous
 * ids that change hands are told by the crowd (fold_crowd.h), not one by one.
 */
#ifndef DBK_PROJECTIONS_FOLD_H
#define DBK_PROJECTIONS_FOLD_H

#include "fold_crowd.h"
#include "fold_index.h"
#include "store/error.h"
#include "store/record.h"

enum fold_fate {
    FOLD_NOTHING, /* came and went */
    FOLD_INSERT,
    FOLD_UPDATE, /* persons only */
    FOLD_DELETE,
};

struct fold_person {
    struct dbk_uuid id;
    enum fold_fate fate;
    bool deleted;                   /* its last record is person.deleted or .erased */
    bool may_lack;                  /* FOLD_DELETE: of who was erased; perhaps no row */
    uint64_t sequence;              /* of its last record */
    uint64_t created_sequence;      /* FOLD_INSERT */
    dbk_timestamp datetime_created; /* FOLD_INSERT */
    dbk_timestamp datetime_modified; /* FOLD_INSERT, FOLD_UPDATE */
    struct dbk_person_fields fields; /* FOLD_INSERT: all; FOLD_UPDATE: those changed */
};

struct fold_event {
    struct dbk_uuid id;
    enum fold_fate fate;       /* ask fold_event_fate */
    struct dbk_uuid person_id; /* ask fold_event_owner */
    size_t crowd;      /* where it has an anonymous_id, and was recorded in this run */
    uint64_t sequence; /* of its last record */
    uint64_t row;      /* FOLD_DELETE: the sequence of its row; 0: nobody knows */
    bool may_lack;     /* FOLD_DELETE: of who was erased; perhaps it has no row */
    struct dbk_slice anonymous_id; /* length 0: none */
    struct dbk_slice event_type;
    struct dbk_slice properties;
    dbk_timestamp datetime_created;
    dbk_timestamp received; /* when it was appended */
};

struct fold {
    struct fold_person *persons;
    size_t person_count, persons_size;
    struct fold_event *events;
    size_t event_count, events_size;
    struct fold_index person_index, event_index;
    struct fold_crowds crowds;
};

void fold_init(struct fold *fold);
void fold_finish(struct fold *fold);
/* Begin a new run; the memory stays. */
void fold_clear(struct fold *fold);

/* Add the next record. Its slices are kept, so its bytes must outlive the fold.
 *
 * DBK_CONFLICT   no log that was decided well has this record after those before it
 * DBK_NO_MEMORY
 */
enum dbk_code fold_add(struct fold *fold, const struct dbk_record *record,
                       struct dbk_error *err);

/* In a fold that is empty: the rows of a person go, if there are any, whatever records follow
 * that are not sealed. False when out of memory. */
bool fold_forget(struct fold *fold, const struct dbk_uuid *id);

/* Tell which row an event has that was not recorded in this run and is deleted in it: that of
 * this sequence. Of others it does nothing. */
void fold_locate(struct fold *fold, const struct dbk_uuid *event, uint64_t row);

/* Tell of a person who is deleted in this run that nobody can read the records any more: there
 * may be no row, for what was read after the erasure has made none. */
void fold_lacks_person(struct fold *fold, const struct dbk_uuid *id);

/* An event.recorded that says nothing any more, for its person was erased: its
 * row goes, if it has one. DBK_NO_MEMORY. */
enum dbk_code fold_lacks_event(struct fold *fold, const struct dbk_record *record,
                               struct dbk_error *err);

/* What becomes of the event at the end of the run: the events of a person go with it.
 */
enum fold_fate fold_event_fate(const struct fold *fold, const struct fold_event *event);

/* Whose the event, of fate FOLD_INSERT, is at the end of the run; nil: nobody's. */
struct dbk_uuid fold_event_owner(const struct fold *fold,
                                 const struct fold_event *event);

/* What becomes of the rows that a crowd had before the run: FOLD_UPDATE, they are another
 * one's; FOLD_DELETE, they went with one who came by them in the run; FOLD_NOTHING, none
 * of this. */
enum fold_fate fold_rows_fate(const struct fold *fold, const struct fold_crowd *crowd);

/* Whether the person's last record in the run is person.deleted. */
bool fold_deleted(const struct fold *fold, const struct dbk_uuid *person);

#endif
