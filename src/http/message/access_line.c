#include "access_line.h"

#include "clock.h"
#include "worker.h"

#include <string.h>

/* Path and query, cut where they are long. */
static void put_target(const struct request *rq, char out[ACCESS_TARGET_MAX + 1])
{
    size_t path = strnlen(rq->path, ACCESS_TARGET_MAX);
    size_t query = *rq->query && path < ACCESS_TARGET_MAX
                       ? strnlen(rq->query, ACCESS_TARGET_MAX)
                       : 0;

    memcpy(out, rq->path, path);
    if (query > 0)
        out[path++] = '?';
    if (query > ACCESS_TARGET_MAX - path)
        query = ACCESS_TARGET_MAX - path;
    memcpy(out + path, rq->query, query);
    out[path + query] = '\0';
}

void access_line_note(struct request *rq)
{
    struct access_line *line = &rq->worker->access_line;

    if (!rq->service->options.access || line->noted)
        return;
    put_target(rq, line->target);
    request_client(rq, line->client);
    line->noted = true;
}

void access_line_tell(struct request *rq, const struct response *rs)
{
    const struct dbk_server_options *options = &rq->service->options;
    const struct access_line *line = &rq->worker->access_line;
    struct dbk_access entry;

    if (!options->access)
        return;
    access_line_note(rq);
    entry = (struct dbk_access){
        .method = rq->method,
        .path = line->target,
        .remote = line->client,
        .request_id = rq->id,
        .actor = rq->actor,
        .status = rs->broken && !*rs->error ? 0 : rs->status,
        .sequence = rs->sequence,
        .bytes = rs->bytes,
        .milliseconds = (double)(clock_us() - rq->began) / 1e3,
        .error = rs->error,
    };
    options->access(options->access_context, &entry);
}
