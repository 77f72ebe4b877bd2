#include "quick.h"

#include "handlers.h"
#include "head_lines.h"
#include "store/clock.h"
#include "worker.h"

#include <string.h>

#define QUICK_US 200

static const char begins[] = "GET /events/";
/* What it waits for: the log, or the client. */
static const char *const waits[] = {"Daybook-Sequence", "Content-Length",
                                    "Transfer-Encoding"};

static bool is_event(const char *head, size_t length)
{
    size_t before = sizeof begins - 1;
    struct dbk_uuid id;

    return length > before + DBK_UUID_TEXT && memcmp(head, begins, before) == 0 &&
           dbk_uuid_parse(head + before, DBK_UUID_TEXT, &id) &&
           strchr(" ?", head[before + DBK_UUID_TEXT]);
}

bool quick_is(const char *head, size_t length)
{
    return is_event(head, length) &&
           !head_names(head, length, waits, sizeof waits / sizeof *waits);
}

bool quick_was(const struct worker *worker)
{
    const struct request *rq = &worker->request;

    return rq->match.route && rq->match.route->handle == handle_get_event &&
           rq->guarded && dbk_clock_us() - rq->began < QUICK_US;
}
