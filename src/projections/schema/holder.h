/* holder.h - who posts to the tables of a schema: which log, on which machine. */
#ifndef DBK_PROJECTIONS_HOLDER_H
#define DBK_PROJECTIONS_HOLDER_H

#include "pg.h"
#include "store/log.h"

struct holder {
    char id[128]; /* tells a log's file from a copy of it, and from another machine's */
    char text[384]; /* the same for people: host, directory, process */
};

/* Whoever this process posts as, with this log. */
void holder_name(const struct dbk_log *log, struct holder *out);

/* What the tables say, and the lock. */
struct holder_seen {
    bool held;                /* somebody has the projector's lock */
    char id[128];             /* "": nobody, or it has not said yet */
    char text[448];           /* who, and since when */
    struct dbk_uuid store_id; /* of the log that the tables name */
};

/* Look at the tables of the schema that the connection is on. DBK_OK also where there are
 * none, or older ones; then nobody holds them. Errors as pg_run. */
enum dbk_code holder_look(struct pg *pg, const char *schema, struct holder_seen *seen,
                          struct dbk_error *err);

/* Say that another server has the tables: who, and what to do about it. DBK_BUSY. */
enum dbk_code holder_fail(const struct dbk_log *log, const struct dbk_uuid *store_id,
                          const char *text, struct dbk_error *err);

#endif
