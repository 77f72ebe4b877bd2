/* ring.h - the latest records, rendered once for all streams that follow the log.
 *
 * It holds a stretch of the log without gaps, bounded in bytes: what is added at its end
 * makes the oldest give way. A record is rendered when it is added, in the forms that are
 * wanted then; who wants another form finds only what was added since, and reads the log
 * itself until it is there. One thread has it. */
#ifndef DBK_HTTP_RING_H
#define DBK_HTTP_RING_H

#include "seen.h"
#include "sse.h"

struct ring;

/* What an entry may have: a form each, and whose an anonymous event is now. */
#define RING_HAS_FORM(form) (1u << (form))
#define RING_HAS_OWNER (1u << FORMS)
#define RING_HAS_COUNT (FORMS + 1)

/* One record; its bytes are the ring's until records are added, or it is cleared. */
struct ring_entry {
    uint64_t sequence;
    struct seen seen;
    uint64_t
        asked_at; /* the log's head when it was asked last for the owner; 0: it was not */
    struct dbk_slice frames[FORMS]; /* sse_record; length 0: it was not wanted */
};

/* At most so many bytes, but for the newest record. Memory is taken as records come. NULL:
 * out of memory. */
struct ring *ring_create(size_t bytes_max);
void ring_destroy(struct ring *ring); /* NULL is fine */

/* Forget all, give the memory back; `next` is the next to be added. */
void ring_clear(struct ring *ring, uint64_t next);

/* The next to be added. */
uint64_t ring_next(const struct ring *ring);
/* The first from which on all have this; ring_next where none has. */
uint64_t ring_first(const struct ring *ring, unsigned has);
/* The bytes of the records in it. */
size_t ring_bytes(const struct ring *ring);

/* A record that is in it. */
const struct ring_entry *ring_entry(const struct ring *ring, uint64_t sequence);

/* What is seen of it, whose it is as of this head of the log or newer. */
const struct seen *ring_ask_owner(struct ring *ring, struct dbk_log *log,
                                  uint64_t sequence, uint64_t head);

/* Forget all records up to this one, a person.erased: they may have been rendered before the
 * keys were destroyed. The next to be added is behind it, whoever wants them reads the log.
 * True: there was something to forget, or that moved it. */
bool ring_forget(struct ring *ring, uint64_t through);

/* Read a piece of the log behind the last one, render it, and add it; *added receives how
 * many, 0 at the log's end. DBK_DAMAGED, DBK_UNSUPPORTED: ring_next cannot be read. Else as
 * dbk_log_read. */
enum dbk_code ring_fill(struct ring *ring, struct dbk_log *log, unsigned has,
                        const char *source, size_t *added, struct dbk_error *err);

#endif
