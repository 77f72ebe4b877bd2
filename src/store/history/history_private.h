/* history_private.h - the index as its thread and those who read it see it. */
#ifndef DBK_STORE_HISTORY_PRIVATE_H
#define DBK_STORE_HISTORY_PRIVATE_H

#include "runs.h"
#include "store/history.h"

#include <limits.h>
#include <pthread.h>

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
    struct runs runs; /* as they were published last */
};

/* What is published; the caller drops it. */
void history_hold(struct dbk_history *history, struct runs *out);
/* Publish these; they stay the caller's, too. */
void history_publish(struct dbk_history *history, const struct runs *runs);

/* What an anonymous id's events are found by, in a sealed log: the number of their key, for that
 * is all that is left of it once it is destroyed. It may be a person's id, too: who finds a
 * record looks at it. */
void history_key_id(uint64_t number, struct dbk_uuid *out);

/* The thread's body; the argument is the history. */
void *history_grow(void *history);

#endif
