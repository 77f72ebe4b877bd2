/* Waiting for what was sent, with a deadline. */
#include "pg_wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

/* How often it is asked whether to go on: those who are to stop may have to tidy up; a
 * client that is gone, or a server that hangs, should keep nothing. */
enum { STOP_ASK_MS = 500, GO_ON_ASK_MS = 100 };

void pg_ask_while(struct pg *pg, pg_go_on *go_on, void *context)
{
    pg->go_on = go_on;
    pg->go_on_context = context;
}

static enum dbk_code ask(const struct pg *pg, struct dbk_error *err)
{
    if (pg->stop && pg->stop(pg->stop_context))
        return dbk_fail(err, DBK_INTERRUPTED, "stopped");
    return pg->go_on ? pg->go_on(pg->go_on_context, err) : DBK_OK;
}

enum dbk_code pg_poll(const struct pg *pg, short events, dbk_deadline deadline,
                      short *seen, struct dbk_error *err)
{
    struct pollfd one = {.fd = PQsocket(pg->conn), .events = events};
    const int ask_ms = pg->go_on ? GO_ON_ASK_MS : STOP_ASK_MS;
    int left = 0, rc;

    if (one.fd < 0)
        return dbk_fail(err, DBK_UNAVAILABLE, "The connection to PostgreSQL is closed");
    do {
        left = dbk_deadline_left(deadline);
        rc = poll(&one, 1, left > ask_ms ? ask_ms : left);
        if (rc == 0 && left > ask_ms) {
            enum dbk_code code = ask(pg, err);
            if (code != DBK_OK)
                return code;
        }
    } while ((rc < 0 && errno == EINTR) || (rc == 0 && left > ask_ms));
    if (rc < 0)
        return dbk_fail(err, DBK_UNAVAILABLE, "poll: %s", strerror(errno));
    if (rc == 0)
        return dbk_fail(err, DBK_TIMEOUT, "PostgreSQL did not answer in time");
    if (seen)
        *seen = one.revents;
    return DBK_OK;
}

enum dbk_code pg_await(struct pg *pg, dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code;
    short seen = 0;
    int unsent;

    assert(PQisnonblocking(pg->conn)); /* else a flush would wait past the deadline */
    while (PQisBusy(pg->conn)) {
        unsent = PQflush(pg->conn);
        if (unsent < 0)
            return pg_lost(pg, err);
        /* Reading while sending: else both sides could wait for the other's buffer. */
        code = pg_poll(pg, unsent ? POLLIN | POLLOUT : POLLIN, deadline, &seen, err);
        if (code != DBK_OK) {
            pg->dead = true;
            return code;
        }
        if ((seen & ~POLLOUT) && !PQconsumeInput(pg->conn))
            return pg_lost(pg, err);
    }
    return DBK_OK;
}

enum dbk_code pg_finish(struct pg *pg, dbk_deadline deadline, PGresult **kept,
                        struct dbk_error *err)
{
    enum dbk_code first = DBK_OK, code;
    PGresult *result;

    *kept = NULL;
    for (;;) {
        code = pg_await(pg, deadline, first == DBK_OK ? err : NULL);
        if (code != DBK_OK)
            return first != DBK_OK ? first : code;
        result = PQgetResult(pg->conn);
        if (!result)
            return first;
        if (first == DBK_OK)
            first = pg_check(pg, result, err);
        PQclear(*kept);
        *kept = result;
        if (pg->dead) /* in COPY: PQgetResult would answer the same for ever */
            return first;
    }
}
