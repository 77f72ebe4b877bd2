/* database.h - how to reach the PostgreSQL that holds the read tables. */
#ifndef DBK_PROJECTIONS_DATABASE_H
#define DBK_PROJECTIONS_DATABASE_H

#include "store/error.h"

#include "store/slice.h"

#include <stdbool.h>

/* Strings are borrowed and must outlive whatever was opened with them; NULL or "" leaves
 * libpq's own default. */
struct dbk_database {
    const char *host; /* a name, an address, or the directory of a unix socket */
    const char *port;
    const char *name;
    const char *user;
    const char *password;
    const char *schema; /* where the tables are; NULL: "daybook" */
    /* Asked each half second that PostgreSQL is waited for: true breaks the connection off,
     * which is DBK_INTERRUPTED. From whatever thread waits. May be NULL. */
    bool (*stop)(void *context);
    void *stop_context;
    /* Told of each failure that damaged files of PostgreSQL would explain; certain: that
     * nothing else would. From whatever thread met it. May be NULL. */
    void (*damaged)(void *context, bool certain, const char *what);
    void *damaged_context;
};

/* libpq also takes from the process's environment what a connection is not told: where to
 * go (PGHOSTADDR, PGSERVICE, ...) and how (PGSSLMODE, PGOPTIONS, PGPASSFILE, ...). Settle
 * which of that counts from here on: for the private cluster none, else only what does not
 * change where the settings lead, nor what each session is set to anyway. What does not
 * count is taken out of the environment, so call it before there are other threads.
 *
 * visit (NULL: none) is told each libpq variable that was there, and whether it counts.
 */
void dbk_database_environment(bool private_cluster,
                              void (*visit)(void *context, const char *name,
                                            bool counts),
                              void *context);

/* The parts of host[:port]: a name, an IPv4 address, an IPv6 address in brackets or the directory
 * of a unix socket. They point into text; port is NULL where there is none. False: it is none. */
bool dbk_database_host(const char *text, struct dbk_slice *host, const char **port);

/* Connect once, to find out whether the read tables can be there at all.
 *
 * DBK_UNSUPPORTED  they cannot, whoever tries again: the server is too old
 * DBK_UNAVAILABLE, DBK_TIMEOUT, DBK_NO_MEMORY  not found out
 */
enum dbk_code dbk_database_check(const struct dbk_database *database, int timeout_ms,
                                 struct dbk_error *err);

#endif
