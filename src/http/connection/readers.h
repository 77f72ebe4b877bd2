/* readers.h - how many requests may be under way that wait for the read tables.
 *
 * Each has a thread, and the thread waits with it: for the projector, for a connection to
 * PostgreSQL, for its answer. So that writes and GET /health always find a thread, reads
 * have three quarters of them at most. Lists, which may be slow, have half, and those of
 * one client a quarter; look-ups by id are quick, and find what lists leave. Who finds no
 * place waits a moment, in the order of coming, for where all goes well one is soon free.
 */
#ifndef DBK_HTTP_READERS_H
#define DBK_HTTP_READERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define READERS_WAIT_MS 50

/* A request under way; its own memory, zeroed before. */
struct reader {
    struct reader *next, **link; /* link NULL: it is neither counted nor waits */
    uint64_t client;
    bool lists;
    bool counted;
    pthread_cond_t served; /* while it waits */
};

/* Safe to share between threads. */
struct readers {
    pthread_mutex_t mutex; /* guards what follows */
    struct reader *first;  /* counted */
    struct reader *waiting, **last;
    unsigned count, lists;
    unsigned most, lists_most, client_most;
};

void readers_init(struct readers *readers, unsigned threads);
void readers_finish(struct readers *readers); /* nobody reads */

enum readers_verdict {
    READERS_IN,
    READERS_FULL,  /* others' reads have all threads that reads may have */
    READERS_SHARE, /* this client's lists have all that one client's may have */
};

/* It is about to wait. One that is in already stays in. Waits READERS_WAIT_MS at most. */
enum readers_verdict readers_enter(struct readers *readers, struct reader *reader,
                                   uint64_t client, bool lists);
/* How many are in, or wait to be let in. */
unsigned readers_count(struct readers *readers);
/* It is answered; one that is not in is fine. */
void readers_leave(struct readers *readers, struct reader *reader);

#endif
