#include "apply.h"

#include "history.h"
#include "sql.h"
#include "tables.h"

#include <assert.h>
#include <string.h>

_Static_assert(TABLE_COLUMNS < PG_PARAMS_MAX, "a statement can be told the count");

static const struct pg_statement lock = {"checkpoint_lock", sql_checkpoint_lock};
static const struct pg_statement advance = {"checkpoint_advance",
                                            sql_checkpoint_advance};
static const struct pg_statement add = {"quarantine_add", sql_quarantine_add};

void apply_init(struct apply *apply)
{
    pg_array_init(&apply->forgotten.columns[0], PG_UUID);
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t kind = 0; kind < TABLE_KINDS; kind++) {
            for (size_t i = 0; i < TABLE_COLUMNS; i++)
                pg_array_init(&apply->rows[t][kind].columns[i],
                              tables[t]->changes[kind].columns[i]);
        }
    }
}

/* Do it to every array. */
static void each_array(struct apply *apply, void (*visit)(struct pg_array *array))
{
    visit(&apply->forgotten.columns[0]);
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t kind = 0; kind < TABLE_KINDS; kind++) {
            for (size_t i = 0; i < TABLE_COLUMNS; i++)
                visit(&apply->rows[t][kind].columns[i]);
        }
    }
}

void apply_finish(struct apply *apply)
{
    each_array(apply, pg_array_finish);
}

/* Those who may have no row come last. */
static void fill_forgotten(struct table_rows *rows, const struct fold *fold)
{
    rows->may_lack = 0;
    for (int may_lack = 0; may_lack <= 1; may_lack++) {
        for (size_t i = 0; i < fold->person_count; i++) {
            const struct fold_person *person = &fold->persons[i];

            if (person->fate != FOLD_DELETE || person->may_lack != (bool)may_lack)
                continue;
            pg_array_uuid(&rows->columns[0], &person->id);
            rows->may_lack += person->may_lack;
        }
    }
}

static void fill(struct apply *apply, const struct fold *fold)
{
    each_array(apply, pg_array_clear);
    fill_forgotten(&apply->forgotten, fold);
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t kind = 0; kind < TABLE_KINDS; kind++)
            apply->rows[t][kind].may_lack = 0;
        tables[t]->fill(apply->rows[t], fold);
    }
}

static void begin_steps(struct apply *apply)
{
    apply->step_count = apply->param_count = apply->number_count = 0;
}

static struct pg_step *add_step(struct apply *apply,
                                const struct pg_statement *statement)
{
    struct pg_step *step = &apply->steps[apply->step_count++];

    assert(apply->step_count <= sizeof apply->steps / sizeof apply->steps[0]);
    *step = (struct pg_step){.statement = statement,
                             .params = &apply->params[apply->param_count]};
    return step;
}

static void add_param(struct apply *apply, struct pg_step *step, struct pg_param param)
{
    assert(apply->param_count < sizeof apply->params / sizeof apply->params[0]);
    apply->params[apply->param_count++] = param;
    step->count++;
}

static void add_number(struct apply *apply, struct pg_step *step, uint64_t value)
{
    char *out = apply->numbers[apply->number_count++];

    assert(apply->number_count <= sizeof apply->numbers / sizeof apply->numbers[0]);
    add_param(apply, step, pg_int8(out, (int64_t)value));
}

static void add_checksum(struct apply *apply, struct pg_step *step, int64_t checksum)
{
    char *out = apply->numbers[apply->number_count++];

    assert(apply->number_count <= sizeof apply->numbers / sizeof apply->numbers[0]);
    add_param(apply, step, history_param(out, checksum));
}

/* First of all: that what follows is done where we think. */
static void add_place(struct apply *apply, const struct pg *pg)
{
    struct pg_step *step = add_step(apply, &pg_place);
    struct pg_param params[PG_PLACE_PARAMS];

    pg_place_params(pg, params);
    for (size_t i = 0; i < PG_PLACE_PARAMS; i++)
        add_param(apply, step, params[i]);
}

static void add_move(struct apply *apply, const struct pg *pg,
                     const struct apply_move *move)
{
    struct pg_step *step;

    assert(move->from < move->to);
    add_place(apply, pg);
    add_step(apply, &lock);
    step = add_step(apply, &advance);
    add_param(apply, step, pg_uuid(&move->store_id));
    add_number(apply, step, move->from);
    add_number(apply, step, move->to);
    add_checksum(apply, step, move->from_checksum);
    add_checksum(apply, step, move->to_checksum);
    add_number(apply, step, move->epoch);
    add_number(apply, step, move->quarantined);
    add_number(apply, step, move->tables);
}

static enum dbk_code add_change(struct apply *apply, const struct table_change *change,
                                struct table_rows *rows, struct dbk_error *err)
{
    struct pg_array *columns = rows->columns;
    struct pg_step *step;

    if (columns[0].count == 0 && columns[0].failed == DBK_OK)
        return DBK_OK;
    step = add_step(apply, &change->statement);
    for (size_t i = 0; i < TABLE_COLUMNS && change->columns[i]; i++) {
        struct pg_param param;
        enum dbk_code code = pg_array_param(&columns[i], &param, err);

        if (code != DBK_OK)
            return code;
        assert(columns[i].count == columns[0].count); /* unnest would fill up by NULL */
        add_param(apply, step, param);
    }
    if (change->missing)
        add_number(apply, step, columns[0].count - rows->may_lack);
    return DBK_OK;
}

static enum dbk_code add_kind(struct apply *apply, enum table_kind kind,
                              struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < TABLES && code == DBK_OK; i++) {
        size_t t = kind <= TABLE_FORGET ? TABLES - 1 - i : i;
        const struct table_change *change = &tables[t]->changes[kind];

        if (change->statement.sql)
            code = add_change(
                apply, change,
                kind == TABLE_FORGET ? &apply->forgotten : &apply->rows[t][kind], err);
    }
    return code;
}

static enum dbk_code add_changes(struct apply *apply, const struct fold *fold,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    fill(apply, fold);
    for (int kind = 0; kind < TABLE_KINDS && code == DBK_OK; kind++)
        code = add_kind(apply, (enum table_kind)kind, err);
    if (code == DBK_OK)
        add_step(apply, &tables_counted);
    return code;
}

bool apply_data_fault(const struct pg *pg)
{
    static const char *const classes[] = {
        "21", /* a row twice in one statement: one record alone cannot do that */
        "22", /* a value that its type does not take */
        "23", /* a constraint */
        "54", /* too deep, too large */
        "P0", /* what a trigger raises */
    };
    const char *sqlstate = pg_sqlstate(pg);

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (!strncmp(sqlstate, classes[i], 2))
            return true;
    }
    return false;
}

/* What the statement has counted, or NULL. */
static const char *missing_of(const struct pg_statement *failed)
{
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t kind = 0; kind < TABLE_KINDS; kind++) {
            if (failed == &tables[t]->changes[kind].statement)
                return tables[t]->changes[kind].missing;
        }
    }
    return NULL;
}

/* What a step that counts rows does where it finds too few. */
static bool divided_by_zero(const struct pg *pg)
{
    return !strcmp(pg_sqlstate(pg), "22012");
}

/* Say which kind of failure it is, and put words to what a count found. */
static enum dbk_code explain(struct pg *pg, const struct pg_statement *failed,
                             enum dbk_code code, struct dbk_error *err)
{
    if (divided_by_zero(pg) && failed == &pg_place)
        return pg_misplaced(pg, err);
    if (divided_by_zero(pg) && failed == &tables_counted)
        return tables_uncounted(err);
    if (divided_by_zero(pg) && failed == &advance)
        return dbk_fail(err, DBK_MOVED, "another projector moves the checkpoint");
    if (divided_by_zero(pg) && missing_of(failed))
        return dbk_fail(err, DBK_INVALID, "%s has no row in the read tables",
                        missing_of(failed));
    if (!apply_data_fault(pg))
        return code == DBK_INVALID ? dbk_fail(err, DBK_INTERNAL, "%s", err->text)
                                   : code;
    err->code = DBK_INVALID;
    return DBK_INVALID;
}

static enum dbk_code transact(struct apply *apply, struct pg *pg, struct dbk_error *err)
{
    size_t failed;
    enum dbk_code code = pg_transact(pg, apply->steps, apply->step_count,
                                     apply->timeout_ms, &failed, err);

    for (size_t i = 0; i < apply->step_count; i++)
        pg_clear(apply->steps[i].result);
    if (code == DBK_OK)
        return DBK_OK;
    return explain(pg,
                   failed < apply->step_count ? apply->steps[failed].statement : NULL,
                   code, err);
}

enum dbk_code apply_batch(struct apply *apply, struct pg *pg, const struct fold *fold,
                          const struct apply_move *move, struct dbk_error *err)
{
    enum dbk_code code;

    begin_steps(apply);
    add_move(apply, pg, move);
    code = add_changes(apply, fold, err);
    return code == DBK_OK ? transact(apply, pg, err) : code;
}

enum dbk_code apply_within(struct apply *apply, struct pg *pg, const struct fold *fold,
                           struct dbk_error *err)
{
    enum dbk_code code;

    begin_steps(apply);
    code = add_changes(apply, fold, err);
    for (size_t i = 0; i < apply->step_count && code == DBK_OK; i++) {
        const struct pg_step *step = &apply->steps[i];

        code = pg_run(pg, step->statement, step->params, step->count, apply->timeout_ms,
                      NULL, err);
        if (code != DBK_OK)
            code = explain(pg, step->statement, code, err);
    }
    return code;
}

enum dbk_code apply_forget(struct pg *pg, struct pg_array *persons, int timeout_ms,
                           struct dbk_error *err)
{
    /* The second is the number expected, NULL for any, of those that are told it. */
    struct pg_param params[2] = {{NULL, 0, false}, {NULL, 0, false}};
    enum dbk_code code = pg_array_param(persons, &params[0], err);

    for (size_t t = TABLES; t > 0 && code == DBK_OK; t--) {
        const struct table_change *forget = &tables[t - 1]->changes[TABLE_FORGET];

        if (forget->statement.sql)
            code = pg_run(pg, &forget->statement, params, forget->missing ? 2 : 1,
                          timeout_ms, NULL, err);
    }
    return code;
}

enum dbk_code apply_quarantine(struct apply *apply, struct pg *pg,
                               const struct dbk_uuid *person,
                               struct dbk_slice anonymous_id, const char *reason,
                               const struct apply_move *move, struct dbk_error *err)
{
    struct pg_step *step;

    begin_steps(apply);
    add_move(apply, pg, move);
    step = add_step(apply, &add);
    add_number(apply, step, move->to);
    add_param(apply, step, person ? pg_uuid(person) : pg_text(NULL));
    add_param(apply, step,
              anonymous_id.length > 0 ? pg_bytes(anonymous_id) : pg_text(NULL));
    add_param(apply, step, pg_text(reason));
    return transact(apply, pg, err);
}
