/* What of libpq's environment counts.
 *
 * By the environment itself, not by keywords: an empty hostaddr or service is taken for
 * none given, and then the variable counts. */
#include "projections/database.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

/* Where to: the settings say it. And what pg_open says of each session anyway; a pooler
 * refuses some of that. */
static const char *const never[] = {
    "PGHOST",      "PGHOSTADDR", "PGPORT",    "PGDATABASE",
    "PGUSER",      "PGSERVICE",  "PGAPPNAME", "PGCLIENTENCODING",
    "PGDATESTYLE", "PGTZ",       "PGGEQO",    "PGSERVICEFILE",
};
/* Known to libpq, and no keyword's. */
static const char *const others[] = {"PGSERVICEFILE", "PGSYSCONFDIR", "PGREALM",
                                     "PGREQUIRESSL",  "PGDATESTYLE",  "PGTZ",
                                     "PGGEQO"};

static bool counts(const char *name)
{
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (!strcmp(never[i], name))
            return false;
    }
    return true;
}

struct settling {
    bool private_cluster;
    void (*visit)(void *context, const char *name, bool counts);
    void *context;
};

static void settle(const struct settling *settling, const char *name)
{
    const char *value = name ? getenv(name) : NULL;
    bool kept = !settling->private_cluster && name && counts(name);

    if (!value)
        return;
    if (*value && settling->visit)
        settling->visit(settling->context, name, kept);
    if (!kept)
        unsetenv(name);
}

void dbk_database_environment(bool private_cluster,
                              void (*visit)(void *context, const char *name,
                                            bool counts),
                              void *context)
{
    const struct settling settling = {private_cluster, visit, context};
    PQconninfoOption *options;

    /* First: a service that cannot be found keeps libpq from listing its options. */
    settle(&settling, "PGSERVICE");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        settle(&settling, others[i]);
    options = PQconndefaults();
    for (const PQconninfoOption *one = options; one && one->keyword; one++)
        settle(&settling, one->envvar);
    PQconninfoFree(options);
}
