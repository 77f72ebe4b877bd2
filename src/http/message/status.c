#include "status.h"

#include "store/metrics.h"

#include <assert.h>

int status_of(enum dbk_code code)
{
    switch (code) {
    case DBK_OK:
        return 200;
    case DBK_INVALID:
        return 400;
    case DBK_NOT_FOUND:
        return 404;
    case DBK_EXISTS:
    case DBK_CONFLICT:
        return 409;
    case DBK_MOVED:
        return 412;
    case DBK_TOO_LARGE:
        return 413;
    case DBK_KEY_REUSED:
        return 422;
    case DBK_BUSY:
    case DBK_TIMEOUT:
    case DBK_UNAVAILABLE:
    case DBK_NOT_LEADER:
    case DBK_NO_ROOM:
    case DBK_IO:
    case DBK_IN_DOUBT:
    case DBK_NO_MEMORY:
    case DBK_INTERRUPTED:
    case DBK_KEYS_AWAY:
        return 503;
    case DBK_DAMAGED:
    case DBK_UNSUPPORTED:
    case DBK_INTERNAL:
        return 500;
    }
    return 500;
}

const char *status_sentence(enum dbk_code code)
{
    switch (code) {
    case DBK_OK:
    case DBK_INVALID:
    case DBK_NOT_FOUND:
    case DBK_EXISTS:
    case DBK_CONFLICT:
    case DBK_MOVED:
    case DBK_TOO_LARGE:
    case DBK_KEY_REUSED:
        return NULL;
    case DBK_BUSY:
        return "The server has more to do than it can queue; try again shortly";
    case DBK_TIMEOUT:
        return "The request was not done in time; try again, or ask for less";
    case DBK_UNAVAILABLE:
        return "The log cannot be read since the server's disk failed; it is opened "
               "again as soon as that works";
    case DBK_NOT_LEADER:
        return "Another server leads by now; nothing was written";
    case DBK_NO_ROOM:
        return "The server's disk is full; nothing was written";
    case DBK_IO:
        return "The server's disk failed; nothing was acknowledged";
    case DBK_IN_DOUBT:
        return "The server's disk failed, and whether this was written is not known; "
               "send it again with the same id or Idempotency-Key to find out";
    case DBK_NO_MEMORY:
        return "The server is out of memory; try again shortly";
    case DBK_DAMAGED:
        return "What is stored cannot be read; the server's log has the reason";
    case DBK_UNSUPPORTED:
        return "What is stored is of a newer version than this server";
    case DBK_INTERRUPTED:
        return "The server is stopping; try again shortly";
    case DBK_KEYS_AWAY:
        return "The server's ring of keys cannot be used, without which nobody's data "
               "is "
               "read or written; nothing was written, and it goes on as soon as the "
               "ring "
               "is back";
    case DBK_INTERNAL:
        return "The server made a mistake; its log has the reason";
    }
    return NULL;
}

bool status_passes(int status)
{
    return status == 429 || status == 503;
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {207, "Multi-Status"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

#define REASONS (sizeof reasons / sizeof *reasons)
static_assert(1 + REASONS < DBK_METRIC_STATUSES, "statuses are counted apart");

static size_t find(int status)
{
    size_t i = 0;

    while (i < REASONS && reasons[i].status != status)
        i++;
    return i;
}

const char *status_reason(int status)
{
    size_t i = find(status);

    return i < REASONS ? reasons[i].reason : "Error";
}

size_t status_place(int status)
{
    size_t i = find(status);

    if (status == 0)
        return 0;
    return i < REASONS ? 1 + i : DBK_METRIC_STATUSES - 1;
}

int status_at(size_t place)
{
    if (place == 0)
        return 0;
    return place <= REASONS ? reasons[place - 1].status : 999;
}
