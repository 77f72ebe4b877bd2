#include "population.h"

#include <stdlib.h>
#include <string.h>

static const struct dbk_uuid none;

void population_finish(struct population *population)
{
    free(population->living);
    memset(population, 0, sizeof *population);
}

bool population_add(struct population *population, const struct inhabitant *person)
{
    if (population->count == population->size) {
        size_t size = population->size ? population->size * 2 : 1024;
        struct inhabitant *living =
            realloc(population->living, size * sizeof *population->living);
        if (!living)
            return false;
        population->living = living;
        population->size = size;
    }
    population->living[population->count++] = *person;
    return true;
}

struct inhabitant *population_pick(struct population *population, struct random *random)
{
    double share = random_share(random);

    /* The cube: an eighth of them are behind half of what happens. */
    return &population
                ->living[(size_t)((double)population->count * share * share * share)];
}

void population_remove(struct population *population, struct inhabitant *person)
{
    for (size_t i = 0; i < POPULATION_RECENT; i++) {
        if (dbk_uuid_equal(&population->recent[i].person, &person->id))
            population->recent[i].event = none;
    }
    *person = population->living[--population->count];
}

void population_recorded(struct population *population, const struct dbk_uuid *event,
                         const struct dbk_uuid *person)
{
    size_t at = population->recorded++ % POPULATION_RECENT;

    population->recent[at].event = *event;
    population->recent[at].person = *person;
}

bool population_take_event(struct population *population, struct random *random,
                           struct dbk_uuid *event, struct dbk_uuid *person)
{
    size_t at = (size_t)random_below(random, POPULATION_RECENT);

    if (dbk_uuid_equal(&population->recent[at].event, &none))
        return false;
    *event = population->recent[at].event;
    *person = population->recent[at].person;
    population->recent[at].event = none;
    return true;
}
