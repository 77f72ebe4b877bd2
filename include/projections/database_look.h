/* database_look.h - what a PostgreSQL is, and what its user may do there, before anything
 * is made in it. */
#ifndef DBK_PROJECTIONS_DATABASE_LOOK_H
#define DBK_PROJECTIONS_DATABASE_LOOK_H

#include "projections/database.h"
#include "store/error.h"

#include <stdbool.h>

struct dbk_database_state {
    char version[64];   /* "15.9 (Debian …)" */
    char encoding[32];  /* "UTF8" */
    char untested[128]; /* "", or that the version is newer than any that was tested */
    bool read_only;     /* a standby, or set so */
    bool has_schema;    /* the configured one */
    bool may_make;      /* the schema, where it is missing; others beside it */
    bool may_use;       /* it, to make tables in it, where it is there */
    bool replica;       /* triggers do not fire: session_replication_role */
    unsigned connections; /* that the user gets at most */
};

/* Ask it; changes nothing. DBK_UNAVAILABLE (cannot be reached, or refuses),
 * DBK_UNSUPPORTED (too old), DBK_TIMEOUT, DBK_NO_MEMORY. Any thread. */
enum dbk_code dbk_database_look(const struct dbk_database *database,
                                struct dbk_database_state *out, struct dbk_error *err);

#endif
