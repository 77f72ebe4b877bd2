/* notary_private.h - the notary as its thread and those who ask it see it. */
#ifndef DBK_STORE_NOTARY_PRIVATE_H
#define DBK_STORE_NOTARY_PRIVATE_H

#include "store/clock.h"
#include "store/proof/notary.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    NOTARY_LOOK_MS = 200,
    NOTARY_APART_MS = 1000,
    NOTARY_INTERVAL_MS = 10000,
    NOTARY_AT_ONCE = 16384, /* some twentieth of a processor */
};

struct dbk_notary {
    char dir[DBK_AUDIT_PATH];
    char origin[DBK_NOTE_NAME_MAX + 1]; /* "": none was given */
    struct dbk_log *log;
    struct dbk_notary_options options;
    struct dbk_tree *tree; /* its thread lets it grow */
    pthread_t thread;
    atomic_bool stopping; /* set with the mutex held */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t woken;  /* its thread waits here */
    pthread_cond_t shown;  /* who waits for a checkpoint does, and for its end */
    uint64_t wanted;       /* a checkpoint of so many records is waited for */
    bool called;           /* that has changed since it last looked */
    struct dbk_notary_state state;
    struct dbk_vkey vkey; /* where state.origin is known */
    bool has_shown;       /* last may be shown: it is of this log */
    struct dbk_signed_checkpoint last;
    bool has_cosigned; /* witnesses have signed: */
    struct dbk_signed_checkpoint cosigned;
};

/* The thread's body; the argument is the notary. */
void *notary_work(void *notary);

#endif
