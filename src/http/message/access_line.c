#include "access_line.h"

#include "client_address.h"
#include "store/clock.h"

#include <string.h>

#define ACCESS_TARGET_MAX 512 /* what is shown of path and query */

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

void access_line_tell(const struct request *rq, const struct response *rs)
{
    const struct dbk_server_options *options = &rq->service->options;
    char target[ACCESS_TARGET_MAX + 1], client[CLIENT_ADDRESS_TEXT];
    struct dbk_access entry;

    if (!options->access)
        return;
    put_target(rq, target);
    request_client(rq, client);
    entry = (struct dbk_access){
        .method = rq->method,
        .path = target,
        .remote = client,
        .request_id = rq->id,
        .actor = rq->actor,
        .status = rs->broken && !*rs->error ? 0 : rs->status,
        .sequence = rs->sequence,
        .bytes = rs->bytes,
        .milliseconds = (double)(dbk_clock_us() - rq->began) / 1e3,
        .error = rs->error,
    };
    options->access(options->access_context, &entry);
}
