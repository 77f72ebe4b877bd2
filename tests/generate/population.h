/* population.h - who lives in a made-up log, and which of their events can be deleted. */
#ifndef GENERATE_POPULATION_H
#define GENERATE_POPULATION_H

#include "random.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>

#define POPULATION_RECENT 4096 /* events that are remembered */

struct inhabitant {
    struct dbk_uuid id;
    enum dbk_role role;
};

/* Zero it before first use; population_finish frees it. */
struct population {
    struct inhabitant *living;
    size_t count, size;
    struct {
        struct dbk_uuid event, person;
    } recent[POPULATION_RECENT]; /* a ring; a zero id: nothing, or deleted */
    size_t recorded;             /* events ever */
};
void population_finish(struct population *population);

/* False where memory runs out. */
bool population_add(struct population *population, const struct inhabitant *person);

/* One who lives: some far more often than others. There must be one. */
struct inhabitant *population_pick(struct population *population,
                                   struct random *random);

/* Forget a person who was picked, and the events. */
void population_remove(struct population *population, struct inhabitant *person);

void population_recorded(struct population *population, const struct dbk_uuid *event,
                         const struct dbk_uuid *person);

/* Take a recent event whose person lives; false where none was hit upon. */
bool population_take_event(struct population *population, struct random *random,
                           struct dbk_uuid *event, struct dbk_uuid *person);

#endif
