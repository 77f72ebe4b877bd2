/* post_aside.h - who is set aside, and since which record: persons, and anonymous ids.
 *
 * The poster's thread alone changes it, and may look without the lock; other threads ask
 * with it (projections/projector.h). */
#ifndef DBK_PROJECTIONS_POST_ASIDE_H
#define DBK_PROJECTIONS_POST_ASIDE_H

#include "anonymous_key.h"
#include "fold_index.h"
#include "post_party.h"
#include "projections/projector.h"

#include <pthread.h>
#include <stdatomic.h>

struct post_aside {
    pthread_mutex_t lock; /* guards what follows from others than the poster's thread */
    /* The place in the list, from 0: of persons; of anonymous ids, by their keys. */
    struct fold_index index, anonymous;
    struct anonymous_secret secret; /* of the keys */
    struct dbk_set_aside *list;
    size_t size;
    _Atomic size_t count; /* to be had without the lock */
    _Atomic uint64_t
        healed; /* the same: how often it was replaced, with somebody in it */
};

void post_aside_init(struct post_aside *aside);
void post_aside_finish(struct post_aside *aside);

/* Of the poster's thread. Whether it is set aside; then `sequence`, of a record that is left
 * out for it, is noted. */
bool post_aside_skips(struct post_aside *aside, const struct post_party *party,
                      uint64_t sequence);
/* Add one, unless it is there. False when out of memory. */
bool post_aside_add(struct post_aside *aside, const struct dbk_set_aside *one);
/* Let it be what `other` is, which is empty then. What was noted of those who are in both,
 * since the same record, stays. */
void post_aside_replace(struct post_aside *aside, struct post_aside *other);

/* Of any thread. The first anonymous id that is set aside at or behind the place *i, which
 * moves behind it. */
bool post_aside_anonymous(struct post_aside *aside, size_t *i,
                          struct dbk_set_aside *out);
/* Of any thread, as projections/projector.h says. */
bool post_aside_person(struct post_aside *aside, const struct dbk_uuid *person,
                       struct dbk_set_aside *out);
bool post_aside_between(struct post_aside *aside, enum dbk_set_aside_of of,
                        uint64_t after, uint64_t to, struct dbk_set_aside *out);

#endif
