/* rebuilder.h - the one rebuild (projections/rebuild.h) that a server may have under way, in
 * a thread of its own, dbk-rebuild; and how it goes, or how the last one went. */
#ifndef DBK_HTTP_REBUILDER_H
#define DBK_HTTP_REBUILDER_H

#include "http/server.h"
#include "projections/rebuild.h"

#include <stdbool.h>
#include <stdint.h>

#define REBUILDER_WHO 128 /* bytes of who begins or stops one */

struct rebuilder; /* safe to share between threads */

/* Strings and database are borrowed. NULL: out of memory. */
struct rebuilder *rebuilder_create(struct dbk_log *log,
                                   const struct dbk_server_options *options);

enum rebuilder_state {
    REBUILDER_IDLE, /* there has been none */
    REBUILDER_RUNNING,
    REBUILDER_DONE,
    REBUILDER_FAILED,
    REBUILDER_STOPPED,
};

struct rebuilder_status {
    enum rebuilder_state state;
    const char *phase, *unit; /* static; NULL: none yet, or nothing is counted */
    uint64_t done, total;     /* of the phase; total 0: not known */
    dbk_timestamp started_at, ended_at; /* ended_at is of one that runs no more */
    bool has_left;
    uint64_t seconds_left; /* of the phase */
    char
        reason[sizeof((struct dbk_error *)0)->text]; /* why it failed; who stopped it */
    struct dbk_rebuild_result result;                /* of one that is done */
    double seconds;                                  /* it took */
};

void rebuilder_status(struct rebuilder *rebuilder, struct rebuilder_status *out);

/* Begin one, and wait a moment until it is at work: what keeps it from that is told here,
 * and the last one's status stays.
 *
 * DBK_CONFLICT  one runs already, also where it is another process's; or the tables are not
 *               to be replaced without a word (an empty log, another log's): err names the
 *               command that does; or as dbk_rebuild
 * and as dbk_rebuild
 */
enum dbk_code rebuilder_start(struct rebuilder *rebuilder, bool keep_old,
                              const char *who, struct dbk_error *err);

/* Ask the one that runs to stop, soon. False: none runs. */
bool rebuilder_ask_stop(struct rebuilder *rebuilder, const char *who);

/* Let none begin any more, and ask. */
void rebuilder_close(struct rebuilder *rebuilder);
/* Wait for the end of the one that was asked; within seconds, whatever PostgreSQL does.
 * NULL is fine. */
void rebuilder_destroy(struct rebuilder *rebuilder);

#endif
