#include "writes.h"

#include "handlers.h"
#include "quick.h"
#include "tap.h"
#include "worker.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char begins[] = "POST /events HTTP/1.1\r\n";
static const char length_name[] = "Content-Length:";

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

/* Digits, and blanks around them; whatever else there may be, its own thread refuses. */
static bool is_number(const char *at, const char *end, size_t expected)
{
    size_t number = 0, digits = 0;

    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    for (; at < end && isdigit((unsigned char)*at) && digits < 9; at++, digits++)
        number = number * 10 + (size_t)(*at - '0');
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return digits > 0 && at < end && *at == '\r' && number == expected;
}

static bool says_length(const char *head, const char *end, size_t expected)
{
    const char *line = head;
    size_t said = 0;

    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if ((size_t)(end - line) < sizeof length_name ||
            strncasecmp(line, length_name, sizeof length_name - 1) != 0)
            continue;
        said++;
        if (!is_number(line + sizeof length_name - 1, end, expected))
            return false;
    }
    return said == 1;
}

bool write_is(const char *head, size_t length, size_t body)
{
    return body > 0 && length > sizeof begins &&
           memcmp(head, begins, sizeof begins - 1) == 0 &&
           says_length(head, head + length, body) &&
           !quick_names(head, length, telling, TELLING);
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
