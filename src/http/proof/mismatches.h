/* mismatches.h - records that are no longer what was hashed, as tiles and proofs come upon
 * them: told to the operator, in /health and counted, until the server ends. */
#ifndef DBK_HTTP_MISMATCHES_H
#define DBK_HTTP_MISMATCHES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct mismatches {
    void (*report)(void *context, const char *line); /* may be NULL */
    void *report_context;
    pthread_mutex_t mutex; /* guards what follows */
    char last[512];        /* "": none */
};

void mismatches_init(struct mismatches *mismatches,
                     void (*report)(void *context, const char *line),
                     void *report_context);
void mismatches_finish(struct mismatches *mismatches);

/* One was found: why names its sequences. The operator is told where it is not the one of
 * the last time. */
void mismatches_add(struct mismatches *mismatches, const char *why);

/* The last that was found. False: none. */
bool mismatches_look(struct mismatches *mismatches, char *why, size_t size);

#endif
