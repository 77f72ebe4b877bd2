#include "post_erased.h"

#include "poster.h"
#include "sql.h"
#include "store/erasure.h"

#include <stdlib.h>
#include <string.h>

enum { QUERY_MS = 60000 };
enum column { PERSON, ANONYMOUS, SEQUENCE };

static const struct pg_statement ask = {"erased_anonymous", sql_erased_anonymous};

/* An anonymous id that is in the tables as an erased person's, and was not in the end. */
struct post_given_up {
    struct dbk_uuid person;
    size_t length;
    char anonymous_id[DBK_ANONYMOUS_ID_MAX];
};

void post_erased_init(struct post_erased *erased)
{
    *erased = (struct post_erased){0};
    fold_index_init(&erased->index);
}

void post_erased_finish(struct post_erased *erased)
{
    fold_index_finish(&erased->index);
    free(erased->persons);
    free(erased->given_up);
}

void post_erased_clear(struct post_erased *erased)
{
    fold_index_clear(&erased->index);
    erased->count = erased->asked = erased->given_up_count = 0;
    erased->noted = false;
}

bool post_erased_has(const struct post_erased *erased, const struct dbk_uuid *person)
{
    return erased->count > 0 && fold_index_find(&erased->index, person, NULL);
}

static enum dbk_code no_memory(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

static enum dbk_code add_person(struct post_erased *erased, const struct dbk_uuid *id,
                                struct dbk_error *err)
{
    size_t size = erased->size ? erased->size * 2 : 16;
    struct dbk_uuid *persons = erased->persons;

    if (erased->count == erased->size) {
        persons = realloc(persons, size * sizeof *persons);
        if (!persons)
            return no_memory(err);
        erased->persons = persons;
        erased->size = size;
    }
    if (!fold_index_add(&erased->index, id, erased->count))
        return no_memory(err);
    persons[erased->count++] = *id;
    return DBK_OK;
}

static enum dbk_code add_given_up(struct post_erased *erased,
                                  const struct dbk_uuid *person,
                                  struct dbk_slice anonymous_id, struct dbk_error *err)
{
    size_t size = erased->given_up_size ? erased->given_up_size * 2 : 16;
    struct post_given_up *one = erased->given_up;

    if (erased->given_up_count == erased->given_up_size) {
        one = realloc(one, size * sizeof *one);
        if (!one)
            return no_memory(err);
        erased->given_up = one;
        erased->given_up_size = size;
    }
    if (anonymous_id.length > sizeof one->anonymous_id)
        return dbk_fail(err, DBK_INVALID, "an anonymous id in the tables is too long");
    one = &erased->given_up[erased->given_up_count++];
    one->person = *person;
    one->length = anonymous_id.length;
    memcpy(one->anonymous_id, anonymous_id.data, anonymous_id.length);
    return DBK_OK;
}

/* One whose last event cannot be read goes with the person. */
static enum dbk_code take_row(struct poster *poster, const struct pg_result *rows,
                              size_t i, struct dbk_error *err)
{
    struct dbk_slice person = pg_value(rows, i, PERSON);
    struct dbk_record record;
    struct dbk_uuid id;
    enum dbk_code code = dbk_log_record(poster->log, pg_u64(rows, i, SEQUENCE),
                                        &poster->event, &record, err);

    if (record.damaged > 0)
        return DBK_OK;
    if (code != DBK_OK || (record.erased && !record.expired) ||
        !dbk_uuid_parse(person.data, person.length, &id))
        return code;
    return add_given_up(&poster->erased, &id, pg_value(rows, i, ANONYMOUS), err);
}

static enum dbk_code ask_tables(struct poster *poster, struct dbk_error *err)
{
    struct post_erased *erased = &poster->erased;
    struct pg_result *rows = NULL;
    struct pg_array persons;
    struct pg_param param;
    enum dbk_code code;

    pg_array_init(&persons, PG_UUID);
    for (size_t i = erased->asked; i < erased->count; i++)
        pg_array_uuid(&persons, &erased->persons[i]);
    code = pg_array_param(&persons, &param, err);
    if (code == DBK_OK)
        code = pg_run(poster->pg, &ask, &param, 1, QUERY_MS, &rows, err);
    for (size_t i = 0; code == DBK_OK && i < pg_rows(rows); i++)
        code = take_row(poster, rows, i, err);
    pg_clear(rows);
    pg_array_finish(&persons);
    erased->asked = erased->count;
    return code;
}

enum dbk_code post_erased_begin(struct poster *poster, struct dbk_error *err)
{
    static const struct dbk_uuid nobody = {0};
    struct post_erased *erased = &poster->erased;
    bool fine = true;

    if (erased->asked < erased->count && ask_tables(poster, err) != DBK_OK)
        return err->code;
    for (size_t i = 0; i < erased->given_up_count && fine; i++) {
        const struct post_given_up *one = &erased->given_up[i];
        const struct dbk_slice anonymous_id = {one->anonymous_id, one->length};

        fine = fold_crowd_move(&poster->fold, anonymous_id, &one->person, &nobody);
    }
    for (size_t i = 0; i < erased->count && fine; i++)
        fine = fold_forget(&poster->fold, &erased->persons[i]);
    return fine ? DBK_OK : no_memory(err);
}

enum dbk_code post_erased_note(struct poster *poster, const struct dbk_record *record,
                               struct dbk_error *err)
{
    const struct dbk_uuid *id = dbk_record_person(record);
    struct post_erased *erased = &poster->erased;
    struct dbk_person_state person;
    enum dbk_code code;

    if (dbk_uuid_is_nil(id) ||
        (post_erased_has(erased, id) && record->type != DBK_PERSON_ALIASED))
        return DBK_OK;
    code = dbk_log_person(poster->log, id, &person, err);
    if (code != DBK_OK || !person.erased)
        return code;
    if (record->type == DBK_PERSON_ALIASED && !erased->noted) {
        erased->noted = person.version > erased->through;
        erased->one = *id;
    }
    return post_erased_has(erased, id) ? DBK_OK : add_person(erased, id, err);
}

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    struct poster *poster = context;
    struct dbk_person_state person;
    enum dbk_code code;

    if (record->type != DBK_EVENT_RECORDED || !record->erased || record->expired ||
        record->sequence <= poster->expired)
        return DBK_OK;
    if (!dbk_uuid_is_nil(&record->person_id)) {
        code = dbk_log_person(poster->log, &record->person_id, &person, err);
        if (code != DBK_OK || person.key == record->key)
            return code; /* the person's own: they go with the person */
    }
    return fold_lacks_event(&poster->fold, record, err);
}

/* It has a finding of its own. */
static enum dbk_code pass_over(void *context, struct dbk_error *err)
{
    (void)context;
    (void)err;
    return DBK_OK;
}

static enum dbk_code may_go_on(void *context, uint64_t at, struct dbk_error *err)
{
    (void)at;
    return poster_stopping(context)
               ? dbk_fail(err, DBK_UNAVAILABLE, "the projector is stopping")
               : DBK_OK;
}

enum dbk_code post_erased_fold(struct poster *poster, struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {visit, pass_over, may_go_on, poster};
    struct dbk_erasure erasure;
    enum dbk_code code;

    if (!poster->erased.noted)
        return DBK_OK;
    code = dbk_erasure_find(poster->log, NULL, &poster->erased.one, 1, &erasure, err);
    if (code == DBK_OK) /* whose keys go while it walks is looked for again */
        poster->erased.going_through =
            erasure.has_ring ? erasure.ring.erased_through : erasure.sequence;
    else if (code ==
             DBK_CONFLICT) /* no record says so: they had gone before all that do */
        code = dbk_log_head(poster->log, &poster->erased.going_through, err);
    dbk_erasure_finish(&erasure);
    if (code ==
        DBK_CONFLICT) { /* the log was put back to before the record that says so */
        poster->erased.going_through = poster->erased.through;
        code = DBK_OK;
    }
    return code == DBK_OK && poster->projected > 0
               ? dbk_log_each(poster->log, 0, poster->projected, &visitor, err)
               : code;
}
