/* spares.h - memory of large answers that were sent, for the next large ones: new memory costs
 * as much as reading half of the rows that are written to it. A few, however many threads
 * there are; what is larger, or one too many, goes back to the system. Safe to share between
 * threads.
 */
#ifndef DBK_HTTP_SPARES_H
#define DBK_HTTP_SPARES_H

#include "store/render.h"

#include <pthread.h>

#define SPARES_MAX 4
#define SPARES_LEAST ((size_t)256 << 10) /* bytes of one; less costs little */
#define SPARES_MOST ((size_t)1 << 20)

struct spares {
    pthread_mutex_t mutex; /* guards what follows */
    struct dbk_render list[SPARES_MAX];
    unsigned count;
};

void spares_init(struct spares *spares);
void spares_finish(struct spares *spares);

/* Give an empty render memory to write something large to, if there is some. */
void spares_lend(struct spares *spares, struct dbk_render *to);
/* Take the memory of one that is not needed any more, if it is worth it. */
void spares_keep(struct spares *spares, struct dbk_render *from);

#endif
