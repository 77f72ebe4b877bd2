#include "post_erased.h"

#include "store/erasure.h"

enum dbk_code post_erased_note(struct poster *poster, const struct dbk_record *record,
                               struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code;

    if (record->type != DBK_PERSON_ALIASED || poster->noted)
        return DBK_OK;
    code = dbk_log_person(poster->log, &record->subject, &person, err);
    if (code != DBK_OK)
        return code;
    poster->noted = person.erased && person.version > poster->erased_through;
    poster->erased = record->subject;
    return DBK_OK;
}

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    struct poster *poster = context;
    struct dbk_person_state person;
    enum dbk_code code;

    if (record->type != DBK_EVENT_RECORDED || !record->erased)
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

    if (!poster->noted)
        return DBK_OK;
    code = dbk_erasure_find(poster->log, NULL, &poster->erased, 1, &erasure, err);
    if (code == DBK_OK) /* whose keys go while it walks is looked for again */
        poster->erasing_through =
            erasure.has_ring ? erasure.ring.erased_through : erasure.sequence;
    else if (code ==
             DBK_CONFLICT) /* no record says so: they had gone before all that do */
        code = dbk_log_head(poster->log, &poster->erasing_through, err);
    dbk_erasure_finish(&erasure);
    if (code ==
        DBK_CONFLICT) { /* the log was put back to before the record that says so */
        poster->erasing_through = poster->erased_through;
        code = DBK_OK;
    }
    return code == DBK_OK && poster->projected > 0
               ? dbk_log_each(poster->log, 0, poster->projected, &visitor, err)
               : code;
}
