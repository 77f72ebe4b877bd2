/* untold.h - what was refused and not told.
 *
 * Whoever brings a token that only ingests is answered the same whatever the log knows
 * (http/tokens.h). So that not nobody learns of it, refusals are counted and told to the
 * operator: at once, and then once a minute at most. */
#ifndef DBK_HTTP_UNTOLD_H
#define DBK_HTTP_UNTOLD_H

#include <pthread.h>
#include <stdint.h>

#define UNTOLD_EVERY_MS 60000

struct untold {
    void (*report)(void *context, const char *line); /* may be NULL */
    void *report_context;
    pthread_mutex_t mutex;
    uint64_t count;  /* since it was told */
    int64_t told_at; /* of clock.h; 0: never */
};

void untold_init(struct untold *untold, void (*report)(void *context, const char *line),
                 void *report_context);
/* What was counted and not told is told. */
void untold_finish(struct untold *untold);

/* One refusal: of what this token sent in this request, and why. */
void untold_add(struct untold *untold, const char *token, const char *request_id,
                const char *why, int64_t now_ms);

#endif
