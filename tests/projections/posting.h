/* posting.h - a poster of a world, which must do what it is asked for. Whoever opens one ends it
 * with poster_finish. */
#ifndef DBK_TESTS_POSTING_H
#define DBK_TESTS_POSTING_H

#include "poster.h"

#include "log_world.h"
#include "projections/migrate.h"

/* A session of it, at tables that are there. */
static inline void posting_begin(struct poster *poster, struct world *world)
{
    const struct pg_options options = {.application = "test",
                                       .connect_timeout_ms = 10000};
    struct dbk_error err = {0};

    if (pg_open(&world->database, &options, &poster->pg, &err) != DBK_OK ||
        poster_begin(poster, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

/* calls: NULL, or copied. */
static inline void posting_open(struct poster *poster, struct world *world,
                                const struct poster_calls *calls)
{
    struct dbk_error err = {0};

    poster_init(poster, world->log, &world->database, calls);
    if (dbk_migrate_up(&world->database, NULL, NULL, &err) != DBK_OK)
        fail_msg("%s", err.text);
    posting_begin(poster, world);
}

/* No further than the record `to`. */
static inline void posting_step(struct poster *poster, uint64_t to)
{
    struct dbk_error err = {0};

    if (poster_step(poster, to, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

#endif
