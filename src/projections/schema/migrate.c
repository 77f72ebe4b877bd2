/* Up, down and status: which migrations to run, in which order. */
#include "projections/migrate.h"
#include "migration_log.h"

#include <assert.h>

static const struct migration *find(const struct migration_list *list, int version)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].version == version)
            return &list->items[i];
    }
    return NULL;
}

static bool is_applied(const struct migration_log *log, int version)
{
    for (size_t i = 0; i < log->count; i++) {
        if (migration_log_version(log, i) == version)
            return true;
    }
    return false;
}

static struct dbk_migration_state pending(const struct migration *item)
{
    return (struct dbk_migration_state){
        .version = item->version, .name = item->name, .known = true};
}

/* Refuse to build on what this program does not know exactly. */
static enum dbk_code check(const struct migration_list *list,
                           const struct migration_log *log, struct dbk_error *err)
{
    struct dbk_migration_state state;

    for (size_t i = 0; i < log->count; i++) {
        state = migration_log_state(log, i, find(list, migration_log_version(log, i)));
        if (!state.known)
            return dbk_fail(
                err, DBK_UNSUPPORTED,
                "The schema has migration %04d, which this program does not "
                "know: use the newer daybook that applied it",
                state.version);
        if (state.changed)
            return dbk_fail(err, DBK_CONFLICT,
                            "Migration %04d_%s was applied from another text than this "
                            "program has: restore that text and add a new migration, "
                            "or make the tables anew with daybook rebuild",
                            state.version, state.name);
    }
    return DBK_OK;
}

enum dbk_code migrate_list_up(const struct migration_list *list,
                              const struct dbk_database *database,
                              dbk_migration_visit *visit, void *context,
                              struct dbk_error *err)
{
    struct migration_log log;
    enum dbk_code code;

    code = migration_log_open(&log, database, true, err);
    if (code != DBK_OK)
        return code;
    code = check(list, &log, err);
    for (size_t i = 0; i < list->count && code == DBK_OK; i++) {
        const struct migration *item = &list->items[i];
        struct dbk_migration_state state = pending(item);

        if (is_applied(&log, item->version))
            continue;
        code = migration_log_apply(&log, item, state.applied_at, err);
        if (code != DBK_OK)
            dbk_wrap(err, "migration %04d_%s", item->version, item->name);
        state.applied = true;
        state.schema_made = log.schema_made;
        if (code == DBK_OK && visit)
            visit(context, &state);
    }
    migration_log_close(&log);
    return code;
}

enum dbk_code migrate_list_down(const struct migration_list *list,
                                const struct dbk_database *database, size_t steps,
                                dbk_migration_visit *visit, void *context,
                                struct dbk_error *err)
{
    struct migration_log log;
    enum dbk_code code;

    code = migration_log_open(&log, database, true, err);
    if (code != DBK_OK)
        return code;
    code = check(list, &log, err);
    for (size_t i = log.count; i > 0 && steps > 0 && code == DBK_OK; i--, steps--) {
        const struct migration *item = find(list, migration_log_version(&log, i - 1));
        struct dbk_migration_state state;

        assert(item); /* check has refused what is not known */
        state = pending(item);
        code = migration_log_revert(&log, item, err);
        if (code != DBK_OK)
            dbk_wrap(err, "taking back migration %04d_%s", item->version, item->name);
        else if (visit)
            visit(context, &state);
    }
    migration_log_close(&log);
    return code;
}

enum dbk_code migrate_list_status(const struct migration_list *list,
                                  const struct dbk_database *database,
                                  dbk_migration_visit *visit, void *context,
                                  struct dbk_error *err)
{
    struct dbk_migration_state state;
    struct migration_log log;
    enum dbk_code code;
    size_t known = 0;

    code = migration_log_open(&log, database, false, err);
    if (code != DBK_OK)
        return code;
    /* Two sorted lists, merged. */
    for (size_t i = 0; i < log.count; i++) {
        int version = migration_log_version(&log, i);

        for (; known < list->count && list->items[known].version < version; known++) {
            state = pending(&list->items[known]);
            visit(context, &state);
        }
        if (known < list->count && list->items[known].version == version)
            known++;
        state = migration_log_state(&log, i, find(list, version));
        visit(context, &state);
    }
    for (; known < list->count; known++) {
        state = pending(&list->items[known]);
        visit(context, &state);
    }
    migration_log_close(&log);
    return DBK_OK;
}

enum dbk_code dbk_migrate_up(const struct dbk_database *database,
                             dbk_migration_visit *visit, void *context,
                             struct dbk_error *err)
{
    return migrate_list_up(&embedded_migrations, database, visit, context, err);
}

enum dbk_code dbk_migrate_down(const struct dbk_database *database, size_t steps,
                               dbk_migration_visit *visit, void *context,
                               struct dbk_error *err)
{
    return migrate_list_down(&embedded_migrations, database, steps, visit, context,
                             err);
}

enum dbk_code dbk_migrate_status(const struct dbk_database *database,
                                 dbk_migration_visit *visit, void *context,
                                 struct dbk_error *err)
{
    return migrate_list_status(&embedded_migrations, database, visit, context, err);
}
