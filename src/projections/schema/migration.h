/* migration.h - the migrations themselves, and the runs of migrate.h with any list. */
#ifndef DBK_PROJECTIONS_MIGRATION_H
#define DBK_PROJECTIONS_MIGRATION_H

#include "projections/migrate.h"

/* Static strings. */
struct migration {
    int version; /* above 0 */
    const char *name;
    const char *up;
    const char *down;
};

/* Sorted by version, each once. */
struct migration_list {
    const struct migration *items;
    size_t count;
};

/* Those in migrations/, embedded at build. */
extern const struct migration_list embedded_migrations;

/* As the functions of migrate.h without the list. */
enum dbk_code migrate_list_up(const struct migration_list *list,
                              const struct dbk_database *database,
                              dbk_migration_visit *visit, void *context,
                              struct dbk_error *err);
enum dbk_code migrate_list_down(const struct migration_list *list,
                                const struct dbk_database *database, size_t steps,
                                dbk_migration_visit *visit, void *context,
                                struct dbk_error *err);
enum dbk_code migrate_list_status(const struct migration_list *list,
                                  const struct dbk_database *database,
                                  dbk_migration_visit *visit, void *context,
                                  struct dbk_error *err);

#endif
