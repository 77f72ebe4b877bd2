#include "apply.h"

#include "apply_columns.h"
#include "dbk_sql.h"

#include <string.h>

enum { APPLY_MS = 60000 };

/* What sqlstate 22012, division by zero, says of a step that counts its rows. */
static const struct change {
    struct dbk_pg_statement statement;
    enum apply_column first;
    int columns;
    const char *missing; /* NULL: it does not count */
} changes[] = {
    /* Deletes first, then updates, then inserts: so an email that one person gives up
     * in a batch is free for the next. */
    {{"person_events_delete", dbk_sql_person_events_delete}, DELETED_PERSON, 1, NULL},
    {{"person_delete", dbk_sql_person_delete}, DELETED_PERSON, 1, "the person"},
    {{"event_delete", dbk_sql_event_delete}, DELETED_EVENT, 1, "the event"},
    {{"person_update", dbk_sql_person_update}, UPDATED_ID, 7, "the person"},
    {{"person_insert", dbk_sql_person_insert}, PERSON_ID, 9, NULL},
    {{"event_insert", dbk_sql_event_insert}, EVENT_ID, 6, NULL},
};
enum { CHANGES = sizeof changes / sizeof changes[0] };
_Static_assert(CHANGES + 2 <= APPLY_STEPS, "the checkpoint takes two steps");

static const struct dbk_pg_statement lock = {"checkpoint_lock",
                                             dbk_sql_checkpoint_lock};
static const struct dbk_pg_statement advance = {"checkpoint_advance",
                                                dbk_sql_checkpoint_advance};
static const struct dbk_pg_statement add = {"quarantine_add", dbk_sql_quarantine_add};

static void begin_steps(struct apply *apply)
{
    apply->step_count = apply->param_count = apply->number_count = 0;
}

static struct dbk_pg_step *add_step(struct apply *apply,
                                    const struct dbk_pg_statement *statement)
{
    struct dbk_pg_step *step = &apply->steps[apply->step_count++];

    *step = (struct dbk_pg_step){.statement = statement,
                                 .params = &apply->params[apply->param_count]};
    return step;
}

static void add_param(struct apply *apply, struct dbk_pg_step *step,
                      struct dbk_pg_param param)
{
    apply->params[apply->param_count++] = param;
    step->count++;
}

static void add_number(struct apply *apply, struct dbk_pg_step *step, uint64_t value)
{
    char *out = apply->numbers[apply->number_count++];

    add_param(apply, step, dbk_pg_int8(out, (int64_t)value));
}

static void add_move(struct apply *apply, const struct apply_move *move)
{
    struct dbk_pg_step *step;

    add_step(apply, &lock);
    step = add_step(apply, &advance);
    add_param(apply, step, dbk_pg_uuid(&move->store_id));
    add_number(apply, step, move->from);
    add_number(apply, step, move->to);
    add_number(apply, step, move->quarantined);
    add_number(apply, step, move->tables);
}

static enum dbk_code add_change(struct apply *apply, const struct change *change,
                                struct dbk_error *err)
{
    struct dbk_pg_array *columns = &apply->columns[change->first];
    struct dbk_pg_step *step;

    if (columns[0].count == 0 && columns[0].failed == DBK_OK)
        return DBK_OK;
    step = add_step(apply, &change->statement);
    for (int i = 0; i < change->columns; i++) {
        struct dbk_pg_param param;
        enum dbk_code code = dbk_pg_array_param(&columns[i], &param, err);

        if (code != DBK_OK)
            return code;
        add_param(apply, step, param);
    }
    if (change->missing)
        add_number(apply, step, columns[0].count);
    return DBK_OK;
}

static enum dbk_code add_changes(struct apply *apply, const struct fold *fold,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    apply_fill(apply, fold);
    for (size_t i = 0; i < CHANGES && code == DBK_OK; i++)
        code = add_change(apply, &changes[i], err);
    return code;
}

bool apply_data_fault(const struct dbk_pg *pg)
{
    static const char *const classes[] = {
        "21", /* a row twice in one statement: one record alone cannot do that */
        "22", /* a value that its type does not take */
        "23", /* a constraint */
        "54", /* too deep, too large */
        "P0", /* what a trigger raises */
    };
    const char *sqlstate = dbk_pg_sqlstate(pg);

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (!strncmp(sqlstate, classes[i], 2))
            return true;
    return false;
}

static bool divided_by_zero(const struct dbk_pg *pg)
{
    return !strcmp(dbk_pg_sqlstate(pg), "22012");
}

/* Say which kind of failure it is, and put words to what a count found. */
static enum dbk_code explain(const struct dbk_pg *pg,
                             const struct dbk_pg_statement *failed, enum dbk_code code,
                             struct dbk_error *err)
{
    if (divided_by_zero(pg) && failed == &advance)
        return dbk_fail(err, DBK_MOVED, "another projector moves the checkpoint");
    for (size_t i = 0; i < CHANGES; i++)
        if (divided_by_zero(pg) && failed == &changes[i].statement &&
            changes[i].missing)
            return dbk_fail(err, DBK_INVALID, "%s has no row in the read tables",
                            changes[i].missing);
    if (!apply_data_fault(pg))
        return code == DBK_INVALID ? dbk_fail(err, DBK_INTERNAL, "%s", err->text)
                                   : code;
    err->code = DBK_INVALID;
    return DBK_INVALID;
}

static enum dbk_code transact(struct apply *apply, struct dbk_pg *pg,
                              struct dbk_error *err)
{
    size_t failed;
    enum dbk_code code =
        dbk_pg_transact(pg, apply->steps, apply->step_count, APPLY_MS, &failed, err);

    for (size_t i = 0; i < apply->step_count; i++)
        dbk_pg_clear(apply->steps[i].result);
    if (code == DBK_OK)
        return DBK_OK;
    return explain(pg,
                   failed < apply->step_count ? apply->steps[failed].statement : NULL,
                   code, err);
}

enum dbk_code apply_batch(struct apply *apply, struct dbk_pg *pg,
                          const struct fold *fold, const struct apply_move *move,
                          struct dbk_error *err)
{
    enum dbk_code code;

    begin_steps(apply);
    add_move(apply, move);
    code = add_changes(apply, fold, err);
    return code == DBK_OK ? transact(apply, pg, err) : code;
}

enum dbk_code apply_within(struct apply *apply, struct dbk_pg *pg,
                           const struct fold *fold, struct dbk_error *err)
{
    enum dbk_code code;

    begin_steps(apply);
    code = add_changes(apply, fold, err);
    for (size_t i = 0; i < apply->step_count && code == DBK_OK; i++) {
        const struct dbk_pg_step *step = &apply->steps[i];

        code = dbk_pg_run(pg, step->statement, step->params, step->count, APPLY_MS,
                          NULL, err);
        if (code != DBK_OK)
            code = explain(pg, step->statement, code, err);
    }
    return code;
}

enum dbk_code apply_quarantine(struct apply *apply, struct dbk_pg *pg,
                               const struct dbk_uuid *person, const char *reason,
                               const struct apply_move *move, struct dbk_error *err)
{
    struct dbk_pg_step *step;

    begin_steps(apply);
    add_move(apply, move);
    step = add_step(apply, &add);
    add_number(apply, step, move->to);
    add_param(apply, step, person ? dbk_pg_uuid(person) : dbk_pg_text(NULL));
    add_param(apply, step, dbk_pg_text(reason));
    return transact(apply, pg, err);
}
