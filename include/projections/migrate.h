/* migrate.h - brings the schema of the read tables to the version this program knows.
 *
 * The migrations are migrations/NNNN_name.up.sql and .down.sql, embedded at build, in
 * order of their numbers. Each runs in a transaction of its own together with its row in
 * the table schema_migration (version, name, SHA-256 of the up file, applied_at). They
 * name no schema: they run with the search_path on the one in dbk_database. Two runs at
 * once are safe: an advisory lock lets one wait for the other.
 */
#ifndef DBK_PROJECTIONS_MIGRATE_H
#define DBK_PROJECTIONS_MIGRATE_H

#include "projections/database.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

struct dbk_migration_state {
    int version;
    const char *name; /* static, or "" where this program does not know it */
    bool applied;
    char applied_at[32]; /* timestamp text, "" where it is not applied */
    bool known;          /* false: applied by a newer program */
    bool changed;        /* applied from another text than this program has */
    bool schema_made;    /* just applied, into a schema that was not there before */
};

/* Called for each migration; borrowed for the call. */
typedef void dbk_migration_visit(void *context,
                                 const struct dbk_migration_state *state);

/* Apply every migration that is not applied, oldest first, making the schema where it is
 * missing; visit (may be NULL) is told each one applied.
 *
 * DBK_UNAVAILABLE  PostgreSQL cannot be reached
 * DBK_CONFLICT     an applied migration has another text than here
 * DBK_UNSUPPORTED  the schema is newer than this program
 * DBK_INVALID      PostgreSQL refused a statement; err has its message
 */
enum dbk_code dbk_migrate_up(const struct dbk_database *database,
                             dbk_migration_visit *visit, void *context,
                             struct dbk_error *err);

/* Take back the last `steps` applied migrations, newest first. Errors as above. */
enum dbk_code dbk_migrate_down(const struct dbk_database *database, size_t steps,
                               dbk_migration_visit *visit, void *context,
                               struct dbk_error *err);

/* Visit every migration, known or applied, in order. Changes nothing. */
enum dbk_code dbk_migrate_status(const struct dbk_database *database,
                                 dbk_migration_visit *visit, void *context,
                                 struct dbk_error *err);

/* Write the two empty files of the next migration into the directory dir, named after
 * the description ("add country" -> 0003_add_country.up.sql). path_up receives the path.
 * DBK_INVALID (a description without letters or digits), DBK_EXISTS, DBK_IO. */
enum dbk_code dbk_migrate_new(const char *dir, const char *description, char *path_up,
                              size_t path_size, struct dbk_error *err);

#endif
