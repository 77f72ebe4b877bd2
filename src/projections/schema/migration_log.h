/* migration_log.h - what the table schema_migration says was applied. */
#ifndef DBK_PROJECTIONS_MIGRATION_LOG_H
#define DBK_PROJECTIONS_MIGRATION_LOG_H

#include "migration.h"
#include "pg.h"

#include <stdbool.h>

#define CHECKSUM_TEXT 64 /* hex digits of a SHA-256 */

/* Whether this is the checksum (in hex) of a text that the migration had in an earlier
 * version of this program, and that made the same tables. */
bool migration_was(int version, const char *checksum);

struct migration_log {
    struct pg *pg;
    struct pg_result *rows; /* version, name, checksum, applied_at; by version */
    size_t count;
    bool schema_made; /* it was not there */
};

/* Connect. To change anything, also: wait for other runs to end, make the schema and
 * the table where they are missing. Then read the table; where there is none, nothing
 * is applied. On failure *log is empty. */
enum dbk_code migration_log_open(struct migration_log *log,
                                 const struct dbk_database *database, bool to_change,
                                 struct dbk_error *err);
void migration_log_close(struct migration_log *log); /* ends the lock too */

/* The state of row i of what is applied. item is the migration with that version, or
 * NULL where it is not known; name is borrowed from it or from the log. */
struct dbk_migration_state migration_log_state(const struct migration_log *log,
                                               size_t i, const struct migration *item);
int migration_log_version(const struct migration_log *log, size_t i);

/* Run the migration and note it in the table, in one transaction. applied_at (32 bytes)
 * receives the time. */
enum dbk_code migration_log_apply(struct migration_log *log,
                                  const struct migration *item, char *applied_at,
                                  struct dbk_error *err);
enum dbk_code migration_log_revert(struct migration_log *log,
                                   const struct migration *item, struct dbk_error *err);

#endif
