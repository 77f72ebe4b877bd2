#include "ahead.h"

#include "handlers.h"
#include "head_lines.h"
#include "lent.h"
#include "projections/projector.h"
#include "worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS_KEPT_MAX (32u << 10)

static const struct {
    const char *begins;
    bool events;
} forms[] = {{"GET /persons/", false}, {"GET /events?person_id=", true}};

static const char ends[] = " HTTP/1.1\r\n", person_id[] = "person_id=";

/* What tells how to show it, or for what to wait; the client's body, too. */
static const char *const telling[] = {"Prefer", "Daybook-Sequence", "Content-Length",
                                      "Transfer-Encoding"};
#define TELLING (sizeof telling / sizeof *telling)

void aheads_init(struct aheads *aheads)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    pthread_mutex_init(&aheads->mutex, NULL);
    aheads->idle = NULL;
    aheads->taken = 0;
    aheads->most = processors > 0 ? 2 * (unsigned)processors : 2;
}

void aheads_finish(struct aheads *aheads)
{
    struct ahead_batch *batch;

    while ((batch = aheads->idle)) {
        aheads->idle = batch->next;
        for (size_t i = 0; i < DBK_AHEAD_MAX; i++)
            dbk_rows_finish(&batch->list[i].rows);
        free(batch);
    }
    pthread_mutex_destroy(&aheads->mutex);
}

struct ahead_batch *aheads_take(struct aheads *aheads)
{
    struct ahead_batch *batch = NULL;

    pthread_mutex_lock(&aheads->mutex);
    if (aheads->taken < aheads->most) {
        batch = aheads->idle;
        if (batch)
            aheads->idle = batch->next;
        else
            batch = calloc(1, sizeof *batch);
        aheads->taken += batch != NULL;
    }
    pthread_mutex_unlock(&aheads->mutex);
    return batch;
}

void aheads_give(struct aheads *aheads, struct ahead_batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < DBK_AHEAD_MAX; i++) {
        if (batch->list[i].rows.json.size > ROWS_KEPT_MAX)
            dbk_rows_finish(&batch->list[i].rows);
        else /* what nobody took would outlive an erasure */
            dbk_render_clear(&batch->list[i].rows.json);
    }
    pthread_mutex_lock(&aheads->mutex);
    batch->next = aheads->idle;
    aheads->idle = batch;
    aheads->taken--;
    pthread_mutex_unlock(&aheads->mutex);
}

static bool find_form(const char *head, size_t length, struct dbk_ahead *asked)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t begins = strlen(forms[i].begins), line = begins + DBK_UUID_TEXT;

        if (length < line + sizeof ends || memcmp(head, forms[i].begins, begins) != 0)
            continue;
        asked->events = forms[i].events;
        return memcmp(head + line, ends, sizeof ends - 1) == 0 &&
               dbk_uuid_parse(head + begins, DBK_UUID_TEXT, &asked->id);
    }
    return false;
}

bool ahead_is(const char *head, size_t length, struct ahead *ahead)
{
    if (length > sizeof ahead->head || !find_form(head, length, &ahead->asked) ||
        head_names(head, length, telling, TELLING))
        return false;
    ahead->taken = false;
    ahead->asked.limit = AHEAD_EVENTS;
    ahead->asked.max_bytes = AHEAD_BYTES;
    ahead->asked.rows = &ahead->rows;
    memcpy(ahead->head, head, length);
    ahead->length = length;
    return true;
}

bool ahead_was(const struct request *rq)
{
    const struct route *route = rq->match.route;

    if (!route || !rq->guarded || !rq->was_fresh)
        return false;
    for (size_t i = 0; i < TELLING; i++) {
        if (request_header(rq, telling[i]))
            return false;
    }
    if (route->handle == handle_list_events) /* what it was parsed into is wiped */
        return strncmp(rq->query, person_id, sizeof person_id - 1) == 0 &&
               strlen(rq->query) == sizeof person_id - 1 + DBK_UUID_TEXT;
    return route->handle == handle_get_person && rq->params.count == 0;
}

bool ahead_read(const struct service *service, struct ahead *list, size_t count)
{
    struct dbk_ahead asked[DBK_AHEAD_MAX];
    struct dbk_projector_status status;
    uint64_t head;

    assert(count <= DBK_AHEAD_MAX);
    if (!service->projector || dbk_read_model_hangs(service->model) != 0 ||
        dbk_log_head(service->log, &head, NULL) != DBK_OK ||
        dbk_projector_wait(service->projector, head, 0, NULL) != DBK_OK ||
        dbk_projector_any_aside(service->projector))
        return false;
    dbk_projector_status(service->projector, &status);
    if (status.projected < head)
        return false;
    dbk_read_model_claim(service->model, status.projected);
    dbk_read_model_rearranged(service->model,
                              dbk_projector_rearranged(service->projector));
    for (size_t i = 0; i < count; i++) {
        list[i].wanted = head;
        list[i].projected = status.projected;
        asked[i] = list[i].asked;
    }
    dbk_read_ahead(service->model, asked, count);
    for (size_t i = 0; i < count; i++)
        list[i].asked = asked[i];
    return true;
}

bool ahead_has(const struct ahead *ahead)
{
    if (ahead->asked.code == DBK_OK)
        return !ahead->asked.events || !ahead->rows.more;
    return ahead->asked.code == DBK_NOT_FOUND;
}

struct ahead *ahead_of(const struct request *rq)
{
    return rq->lent ? rq->lent->ahead : NULL;
}

enum dbk_code ahead_take(struct request *rq, struct dbk_error *err)
{
    struct ahead *ahead = ahead_of(rq);
    struct dbk_rows own = rq->worker->rows;

    assert(own.shown == 0 && !own.json.zone); /* its form tells nothing of that */
    rq->worker->rows = ahead->rows;
    ahead->rows = own;
    ahead->taken = true;
    if (ahead->asked.code != DBK_OK)
        *err = ahead->asked.error;
    return ahead->asked.code;
}
