/* log_health.h - whether writes go well. Private to the store.
 *
 * What became of the last transaction is kept, until one goes well: also where nobody writes,
 * for whoever sends clients here asks (dbk_log_health), and would send none to a server whose
 * writes fail. So the writer's thread tries, each second, to commit something harmless. */
#ifndef DBK_STORE_LOG_HEALTH_H
#define DBK_STORE_LOG_HEALTH_H

#include "store/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct dbk_log;

struct log_health {
    atomic_bool failing;    /* written by whoever has the turn, under the log's mutex */
    struct dbk_error why;   /* the same, where failing */
    enum dbk_code reported; /* of whoever has the turn: the kind told last, */
    int64_t reported_at;    /* and when (clock.h); 0: none; */
    bool told;              /* the failure that there is was */
    _Atomic int64_t turn_began; /* clock.h; 0: nobody writes */
};

/* Of whoever has the turn: it begins to write, and has written. */
void log_health_begin(struct dbk_log *log);
void log_health_end(struct dbk_log *log);

/* Of whoever has the turn: the transaction failed so, which is told once per kind per
 * while; or one went well, whoever made it. */
void log_health_failed(struct dbk_log *log, const struct dbk_error *why);
/* What comes of it: told where the failure was. */
void log_health_report(struct dbk_log *log, const char *line);
void log_health_works(struct dbk_log *log);

/* Of the writer's thread with the turn, where nobody writes: try again, where the last one
 * failed; else look whether a sealed log has its ring still. */
void log_health_look(struct dbk_log *log);

#endif
