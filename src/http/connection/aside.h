/* aside.h - work that may have to wait for the disk, one after the other on a thread of its
 * own, so that a thread with other answers to give is not kept. */
#ifndef DBK_HTTP_ASIDE_H
#define DBK_HTTP_ASIDE_H

struct aside; /* safe to share between threads */

/* Part of whatever is to be worked on, which must stay until it runs. */
struct aside_item {
    void (*run)(struct aside_item *item); /* the caller's; the item is its own again */
    struct aside_item *next;              /* private */
};

struct aside *aside_create(void); /* NULL: out of memory, or no thread */
/* Runs what is left first. NULL is fine. */
void aside_destroy(struct aside *aside);

/* Have it run. Returns at once. */
void aside_put(struct aside *aside, struct aside_item *item);

#endif
