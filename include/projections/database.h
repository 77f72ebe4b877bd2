/* database.h - how to reach the PostgreSQL that holds the read tables. */
#ifndef DBK_PROJECTIONS_DATABASE_H
#define DBK_PROJECTIONS_DATABASE_H

/* Strings are borrowed and must outlive whatever was opened with them; NULL or "" leaves
 * libpq's own default. */
struct dbk_database {
    const char *host; /* a name, an address, or the directory of a unix socket */
    const char *port;
    const char *name;
    const char *user;
    const char *password;
    const char *schema; /* where the tables are; NULL: "daybook" */
};

#endif
