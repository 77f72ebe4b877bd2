/* history_private.h - the index as its thread and those who read it see it. */
#ifndef DBK_STORE_HISTORY_PRIVATE_H
#define DBK_STORE_HISTORY_PRIVATE_H

#include "runs.h"
#include "store/history.h"

#include <limits.h>
#include <pthread.h>

enum { HISTORY_COUNTS = 8 };

/* How far the records of somebody who was erased were counted. */
struct history_count {
    struct dbk_uuid person;
    uint64_t erased; /* by this record, */
    dbk_timestamp erased_at;
    uint64_t after, records; /* so many up to there */
};

struct dbk_history {
    char dir[PATH_MAX];
    struct dbk_log *log;
    struct dbk_history_options options;
    bool grows; /* it has a thread */
    pthread_t thread;

    atomic_bool damaged; /* a reader has seen it: to be made anew */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t stopped;
    bool stopping;
    struct runs runs;                            /* as they were published last */
    struct history_count counts[HISTORY_COUNTS]; /* the one kept last is the first */
};

/* What is published; the caller drops it. */
void history_hold(struct dbk_history *history, struct runs *out);
/* Publish these; they stay the caller's, too. */
void history_publish(struct dbk_history *history, const struct runs *runs);

/* What an anonymous id's events are found by, in a sealed log: the number of their key, for that
 * is all that is left of it once it is destroyed. It may be a person's id, too: who finds a
 * record looks at it. */
void history_key_id(uint64_t number, struct dbk_uuid *out);

/* Fill in how far they were counted by history_keep_count; nothing of it, where that is not known
 * any more. history may be NULL: then nothing is kept. */
void history_recall_count(struct dbk_history *history, struct history_count *count);
void history_keep_count(struct dbk_history *history, const struct history_count *count);

/* The thread's body; the argument is the history. */
void *history_grow(void *history);

#endif
