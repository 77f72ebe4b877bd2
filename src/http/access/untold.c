#include "untold.h"

#include <inttypes.h>
#include <stdio.h>

#define LINE_MAX_TEXT 512

void untold_init(struct untold *untold, void (*report)(void *context, const char *line),
                 void *report_context)
{
    *untold = (struct untold){.report = report, .report_context = report_context};
    pthread_mutex_init(&untold->mutex, NULL);
}

void untold_finish(struct untold *untold)
{
    char line[LINE_MAX_TEXT];

    if (untold->count > 0 && untold->report) {
        snprintf(line, sizeof line,
                 "%" PRIu64 " more events or aliases of tokens that only ingest were "
                 "refused, which these are not told",
                 untold->count);
        untold->report(untold->report_context, line);
    }
    pthread_mutex_destroy(&untold->mutex);
}

/* Told outside of the lock: whoever writes it may wait. */
void untold_add(struct untold *untold, const char *token, const char *request_id,
                const char *why, int64_t now_ms)
{
    char line[LINE_MAX_TEXT];
    uint64_t count = 0;

    pthread_mutex_lock(&untold->mutex);
    untold->count++;
    if (untold->told_at == 0 || now_ms - untold->told_at >= UNTOLD_EVERY_MS) {
        count = untold->count;
        untold->count = 0;
        untold->told_at = now_ms;
    }
    pthread_mutex_unlock(&untold->mutex);
    if (count == 0 || !untold->report)
        return;
    snprintf(line, sizeof line,
             "%" PRIu64 " events or aliases of tokens that only ingest were refused, "
             "which these are not told; the last of %s in request %s: %s",
             count, token, request_id, why);
    untold->report(untold->report_context, line);
}
