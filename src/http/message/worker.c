#include "worker.h"

#include "service.h"
#include "spares.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX (32u << 10)

struct worker *worker_create(void)
{
    struct worker *worker = calloc(1, sizeof *worker);

    if (!worker)
        return NULL;
    response_init(&worker->response);
    return worker;
}

void worker_destroy(struct worker *worker)
{
    if (!worker)
        return;
    response_finish(&worker->response);
    dbk_rows_finish(&worker->rows);
    dbk_batch_finish(&worker->batch);
    dbk_restricted_finish(&worker->withheld.all);
    free(worker->body);
    free(worker);
}

void worker_clear(struct worker *worker)
{
    static_assert(offsetof(struct request, fields) + sizeof worker->request.fields ==
                      sizeof worker->request,
                  "what is behind the fields would not be zeroed");
    memset(&worker->request, 0, offsetof(struct request, fields));
    worker->request.fields.count = 0;
    worker->request.worker = worker;
    worker->request.head = &worker->head;
    response_clear(&worker->response);
    worker->response.body.zone = worker->rows.json.zone = false;
    worker->rows.shown = 0;
}

/* What is left of a request in memory that is kept would outlive an erasure, until another
 * as large comes. */
static void forget(struct worker *worker)
{
    worker->request.body = (struct dbk_slice){NULL, 0};
    if (worker->body_used > 0)
        explicit_bzero(worker->body, worker->body_used);
    worker->body_used = 0;
    dbk_batch_clear(&worker->batch);
    dbk_render_clear(&worker->rows.json);
    if (*worker->query)
        explicit_bzero(worker->query, sizeof worker->query);
}

void worker_trim(struct worker *worker)
{
    spares_keep(worker->request.service->spares, &worker->response.body);
    response_trim(&worker->response);
    forget(worker);
    if (worker->body_size > KEPT_MAX) {
        free(worker->body);
        worker->body = NULL;
        worker->body_size = 0;
    }
    if (worker->rows.json.size > KEPT_MAX) {
        spares_keep(worker->request.service->spares, &worker->rows.json);
        dbk_rows_finish(&worker->rows);
        worker->rows = (struct dbk_rows){0};
    }
    if (worker->batch.bytes_size > KEPT_MAX) {
        dbk_batch_finish(&worker->batch);
        worker->batch = (struct dbk_batch){0};
    }
}
