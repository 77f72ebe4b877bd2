/* watched.h - a dbk_watch that remembers, and says stop when it is to. */
#ifndef TEST_WATCHED_H
#define TEST_WATCHED_H

#include "log_world.h"
#include "store/watch.h"

/* What the watch saw, and when it says stop. */
struct watched {
    int calls, stop_after;            /* 0: never */
    void (*meanwhile)(void *context); /* done at each call; may be NULL */
    void *context;
    const char *phase; /* the last one */
    char lines[4096];
};

static inline void on_progress(void *context, const char *phase, const char *unit,
                               uint64_t done, uint64_t total)
{
    struct watched *watched = context;

    assert_non_null(phase);
    assert_non_null(unit);
    assert_true(total == 0 || done <= total);
    watched->phase = phase;
    watched->calls++;
    if (watched->meanwhile)
        watched->meanwhile(watched->context);
}

static inline bool on_stop(void *context)
{
    const struct watched *watched = context;

    return watched->stop_after > 0 && watched->calls >= watched->stop_after;
}

static inline void on_report(void *context, const char *line)
{
    struct watched *watched = context;
    size_t used = strlen(watched->lines);

    snprintf(watched->lines + used, sizeof watched->lines - used, "%s\n", line);
}

static inline struct dbk_watch watch_with(struct watched *watched)
{
    return (struct dbk_watch){on_progress, on_report, on_stop, watched};
}

#endif
