#include "writes.h"

#include "handlers.h"
#include "head_lines.h"
#include "tap.h"
#include "worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char begins[] = "POST /events HTTP/1.1\r\n";

/* For whom it waits else, the client, the log or the notary; or what makes it another. */
static const char *const telling[] = {"Expect", "Transfer-Encoding", "Content-Encoding",
                                      "Idempotency-Key", "Prefer"};
#define TELLING (sizeof telling / sizeof *telling)

void writes_init(struct writes *writes)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    pthread_mutex_init(&writes->mutex, NULL);
    writes->idle = NULL;
    writes->taken = 0;
    writes->most = processors > 0 ? (unsigned)processors : 1;
}

void writes_finish(struct writes *writes)
{
    struct write_batch *batch;

    assert(writes->taken == 0);
    while ((batch = writes->idle)) {
        writes->idle = batch->next;
        for (size_t i = 0; i < WRITES_MAX; i++) {
            worker_destroy(batch->list[i].worker);
            free(batch->list[i].head);
        }
        free(batch);
    }
    pthread_mutex_destroy(&writes->mutex);
}

struct write_batch *writes_take(struct writes *writes)
{
    struct write_batch *batch = NULL;

    pthread_mutex_lock(&writes->mutex);
    if (writes->taken < writes->most) {
        batch = writes->idle;
        if (batch)
            writes->idle = batch->next;
        else
            batch = calloc(1, sizeof *batch);
        writes->taken += batch != NULL;
    }
    pthread_mutex_unlock(&writes->mutex);
    return batch;
}

void writes_give(struct writes *writes, struct write_batch *batch)
{
    if (!batch)
        return;
    /* What they said would outlive an erasure, until as many come again. */
    for (size_t i = 0; i < batch->count; i++)
        explicit_bzero(batch->list[i].head, batch->list[i].used);
    batch->count = 0;
    pthread_mutex_lock(&writes->mutex);
    batch->next = writes->idle;
    writes->idle = batch;
    writes->taken--;
    pthread_mutex_unlock(&writes->mutex);
}

bool write_is(const char *head, size_t length, size_t body)
{
    return body > 0 && length > sizeof begins &&
           memcmp(head, begins, sizeof begins - 1) == 0 &&
           head_says_length(head, length, body) &&
           !head_names(head, length, telling, TELLING);
}

bool write_was(const struct worker *worker)
{
    const struct request *rq = &worker->request;

    if (!rq->match.route || rq->match.route->handle != handle_post_event ||
        !rq->guarded || !rq->submitted || !rq->has_length || *rq->query ||
        strcmp(rq->version, "1.1") != 0 || !tap_came_whole())
        return false;
    for (size_t i = 0; i < TELLING; i++) {
        if (request_header(rq, telling[i]))
            return false;
    }
    return true;
}

struct write_place *write_next(struct write_batch *batch)
{
    struct write_place *place;

    assert(batch->count < WRITES_MAX);
    place = &batch->list[batch->count];
    if (!place->worker)
        place->worker = worker_create();
    if (!place->head)
        place->head = tap_memory();
    return place->worker && place->head ? place : NULL;
}

void write_waits(struct write_batch *batch, struct write_place *place, size_t length)
{
    assert(place == &batch->list[batch->count]);
    place->head = tap_lent_keep(place->head);
    place->used = length;
    batch->count++;
}
