/* fold_crowd.h - whose the events of anonymous ids come to be in a run of records.
 *
 * A crowd is events of one anonymous id that have the same owner all along: those that
 * were in the tables before the run, and those of the run that joined them. Mostly an
 * anonymous id has one; another begins where its owner was deleted, for what comes after
 * that is somebody else's.
 */
#ifndef DBK_PROJECTIONS_FOLD_CROWD_H
#define DBK_PROJECTIONS_FOLD_CROWD_H

#include "anonymous_key.h"
#include "fold_index.h"

struct fold_crowd {
    struct dbk_slice anonymous_id;
    bool has_rows;          /* it has those that were in the tables before, */
    struct dbk_uuid before; /* and were this person's; nil: nobody's */
    struct dbk_uuid owner;  /* whose it is now; nil: nobody's */
    size_t next; /* of the same anonymous id: one more than its place; 0: none */
};

struct fold_crowds {
    struct fold_crowd *list;
    size_t count, size;
    struct fold_index index; /* from the key of an anonymous id to its first crowd */
    struct anonymous_secret secret;
};

struct fold; /* it knows who was deleted */

void fold_crowds_init(struct fold_crowds *crowds);
void fold_crowds_finish(struct fold_crowds *crowds);
void fold_crowds_clear(struct fold_crowds *crowds); /* the memory stays */

/* An event of the anonymous id was recorded when that was this person's (nil: nobody's):
 * *place receives its crowd. False when out of memory. anonymous_id is kept. */
bool fold_crowd_join(struct fold *fold, struct dbk_slice anonymous_id,
                     const struct dbk_uuid *owner, size_t *place);

/* All events of the anonymous id that are the one's (nil: nobody's) come to be the other's.
 * False when out of memory. anonymous_id is kept. */
bool fold_crowd_move(struct fold *fold, struct dbk_slice anonymous_id,
                     const struct dbk_uuid *from, const struct dbk_uuid *to);

/* Whether they went with their owner. */
bool fold_crowd_gone(const struct fold *fold, const struct fold_crowd *crowd);

#endif
