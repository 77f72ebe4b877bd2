#include "mismatches.h"

#include "store/metrics.h"

#include <stdio.h>
#include <string.h>

void mismatches_init(struct mismatches *mismatches,
                     void (*report)(void *context, const char *line),
                     void *report_context)
{
    *mismatches =
        (struct mismatches){.report = report, .report_context = report_context};
    pthread_mutex_init(&mismatches->mutex, NULL);
}

void mismatches_finish(struct mismatches *mismatches)
{
    pthread_mutex_destroy(&mismatches->mutex);
}

/* Told outside of the lock: whoever writes it may wait. */
void mismatches_add(struct mismatches *mismatches, const char *why)
{
    char line[sizeof mismatches->last + 128];
    bool known;

    dbk_metric_add(DBK_METRIC_AUDIT_MISMATCHES, 1);
    pthread_mutex_lock(&mismatches->mutex);
    known = strncmp(mismatches->last, why, sizeof mismatches->last - 1) == 0;
    snprintf(mismatches->last, sizeof mismatches->last, "%s", why);
    pthread_mutex_unlock(&mismatches->mutex);
    if (known || !mismatches->report)
        return;
    snprintf(line, sizeof line,
             "the log has been changed on disk: %s; daybook audit verify tells more",
             why);
    mismatches->report(mismatches->report_context, line);
}

bool mismatches_look(struct mismatches *mismatches, char *why, size_t size)
{
    pthread_mutex_lock(&mismatches->mutex);
    snprintf(why, size, "%s", mismatches->last);
    pthread_mutex_unlock(&mismatches->mutex);
    return *why != '\0';
}
