/* visitors.h - who comes to a made-up product without saying who it is: anonymous ids, whose
 * they are, and their events that can be deleted. */
#ifndef GENERATE_VISITORS_H
#define GENERATE_VISITORS_H

#include "random.h"

#include <stdbool.h>
#include <stddef.h>

#define VISITORS 64
#define VISITORS_RECENT 256 /* events that are remembered */

struct visitor {
    char anonymous_id[32];
    struct dbk_uuid owner; /* nil: nobody */
};

/* Zero it before first use. */
struct visitors {
    struct visitor list[VISITORS];
    uint64_t made;
    struct {
        struct dbk_uuid event; /* nil: nothing, or gone */
        struct visitor *visitor;
    } recent[VISITORS_RECENT]; /* a ring */
    size_t recorded;
};

/* Any; now and then somebody who was never there before. */
struct visitor *visitors_pick(struct visitors *visitors, struct random *random);

void visitors_recorded(struct visitors *visitors, const struct dbk_uuid *event,
                       struct visitor *visitor);

/* Take a recent event, which is whose its visitor is now; false where none was hit upon. */
bool visitors_take_event(struct visitors *visitors, struct random *random,
                         struct dbk_uuid *event, struct dbk_uuid *owner);

/* A person was deleted: what was the person's is nobody's, and the events are gone. */
void visitors_end(struct visitors *visitors, const struct dbk_uuid *person);

#endif
