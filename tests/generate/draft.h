/* draft.h - what happens next in a made-up log. */
#ifndef GENERATE_DRAFT_H
#define GENERATE_DRAFT_H

#include "population.h"
#include "properties.h"
#include "visitors.h"

/* A history being made. Zero it, set random's seed; history_finish frees it. */
struct history {
    struct random random;
    struct population population;
    bool identities; /* with aliases, external ids and properties of persons, too */
    struct visitors visitors;
    dbk_timestamp now;
    uint64_t emails; /* made so far */
    uint64_t persons, updates, deletes, event_deletes, events;
    struct dbk_uuid restricted; /* who is; nil: nobody */
    struct dbk_uuid newcomer;   /* whose signup comes next, where `signup` */
    bool signup;

    /* What the slices of the last draft point to. */
    char email[64], last_name[32], request_id[DBK_UUID_TEXT + 1];
    char traceparent[64];
    char properties[PROPERTIES_TEXT], external_id[32];
};
void history_finish(struct history *history);

/* Draft the next record but for its sequence; its slices are valid until the next call.
 * Every record can follow those before it. False where memory runs out. */
bool history_next(struct history *history, struct dbk_record *record);

#endif
