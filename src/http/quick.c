#include "quick.h"

#include "handlers.h"
#include "store/clock.h"
#include "worker.h"

#include <string.h>
#include <strings.h>

#define QUICK_US 200

static const char begins[] = "GET /events/";
static const char waits[] = "Daybook-Sequence"; /* for the log to have it */

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
    const char *end = head + length, *line = head;

    if (!is_event(head, length))
        return false;
    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        if ((size_t)(end - line) >= sizeof waits &&
            strncasecmp(line, waits, sizeof waits - 1) == 0)
            return false;
    }
    return true;
}

bool quick_was(const struct worker *worker)
{
    const struct request *rq = &worker->request;

    return rq->match.route && rq->match.route->handle == handle_get_event &&
           rq->guarded && dbk_clock_us() - rq->began < QUICK_US;
}
