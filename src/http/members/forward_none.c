/* Built without libcurl. */
#include "forward.h"

bool forward_built(void)
{
    return false;
}

struct forward *forward_create(void)
{
    return NULL;
}

void forward_stop(struct forward *forward)
{
    (void)forward;
}

void forward_destroy(struct forward *forward)
{
    (void)forward;
}

enum dbk_code forward_send(struct forward *forward, struct request *rq,
                           struct response *rs, const char *url, struct dbk_error *err)
{
    (void)forward;
    (void)rs;
    rq->unavailable = "This server was built without what sends writes on; nothing was "
                      "written. Send it to the leader";
    return dbk_fail(err, DBK_UNAVAILABLE, "%s: built without libcurl", url);
}
