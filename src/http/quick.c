#include "quick.h"

#include "handlers.h"
#include "store/clock.h"
#include "worker.h"

#include <string.h>
#include <strings.h>

#define QUICK_US 200

static const char begins[] = "GET /events/";
/* What it waits for: the log, or the client. */
static const char *const waits[] = {"Daybook-Sequence", "Content-Length",
                                    "Transfer-Encoding"};

static bool is_named(const char *line, const char *end, const char *name)
{
    size_t length = strlen(name);

    return (size_t)(end - line) > length && line[length] == ':' &&
           strncasecmp(line, name, length) == 0;
}

bool quick_names(const char *head, size_t length, const char *const *names,
                 size_t count)
{
    const char *end = head + length, *line = head;

    while ((line = memchr(line, '\n', (size_t)(end - line)))) {
        line++;
        for (size_t i = 0; i < count; i++) {
            if (is_named(line, end, names[i]))
                return true;
        }
    }
    return false;
}

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
           !quick_names(head, length, waits, sizeof waits / sizeof *waits);
}

bool quick_was(const struct worker *worker)
{
    const struct request *rq = &worker->request;

    return rq->match.route && rq->match.route->handle == handle_get_event &&
           rq->guarded && dbk_clock_us() - rq->began < QUICK_US;
}
