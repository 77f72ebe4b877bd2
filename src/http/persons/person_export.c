#include "http/person_export.h"

#include "json_stored.h"
#include "render_record.h"

#include <stdlib.h>

enum {
    PAGE = 512,        /* records that are looked up at a time */
    LOOK_MAX = 100000, /* and looked at for them */
    PIECE_BYTES = 128 << 10,
    TRIES = 20,
};

struct dbk_person_export {
    struct dbk_log *log;
    struct dbk_history *history;
    uint64_t head; /* as of which */
    struct dbk_person_state state;
    uint64_t restricted;
    struct dbk_person_records person;

    bool begun, any;
    struct dbk_history_page page;
    uint64_t sequences[PAGE];
    size_t next; /* of those found */
    struct dbk_batch batch;
};

/* Whether something of the person was changed by the record. */
static enum dbk_code look(void *context, const struct dbk_record *record,
                          struct dbk_error *err)
{
    const struct dbk_uuid *id = context;

    if (dbk_type_subject(record->type) == DBK_SUBJECT_PERSON &&
        dbk_uuid_equal(&record->subject, id))
        return dbk_fail(err, DBK_MOVED, "the person was changed meanwhile");
    return DBK_OK;
}

static enum dbk_code pass_over(void *context, struct dbk_error *err)
{
    (void)context;
    (void)err;
    return DBK_OK;
}

/* DBK_MOVED: what was read is not all of one moment. */
static enum dbk_code read_once(struct dbk_person_export *export, struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {
        .record = look, .unreadable = pass_over, .context = &export->person.id};
    struct dbk_log *log = export->log;
    const struct dbk_uuid id = export->person.id;
    uint64_t after;

    dbk_person_records_finish(&export->person);
    if (dbk_log_head(log, &export->head, err) != DBK_OK ||
        dbk_log_person(log, &id, &export->state, err) != DBK_OK ||
        dbk_log_restricted(log, &id, &export->restricted, err) != DBK_OK ||
        dbk_person_records_init(&export->person, log, &id, err) != DBK_OK ||
        dbk_log_head(log, &after, err) != DBK_OK)
        return err->code;
    return dbk_log_each(log, export->head, after, &visitor, err);
}

static enum dbk_code read_person(struct dbk_person_export *export,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_MOVED;

    for (int i = 0; i < TRIES && code == DBK_MOVED; i++)
        code = read_once(export, err);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "No record is about a person with this id");
    return code == DBK_MOVED
               ? dbk_fail(err, DBK_BUSY, "the person is being changed; ask again")
               : code;
}

enum dbk_code dbk_person_export_begin(struct dbk_log *log, struct dbk_history *history,
                                      const struct dbk_uuid *id,
                                      struct dbk_person_export **export,
                                      struct dbk_error *err)
{
    struct dbk_person_export *made = calloc(1, sizeof *made);
    enum dbk_code code;

    *export = NULL;
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for an export");
    made->log = log;
    made->history = history;
    made->person.id = *id;
    made->page = (struct dbk_history_page){.sequences = made->sequences,
                                           .limit = PAGE,
                                           .look_max = LOOK_MAX,
                                           .unreadable = true,
                                           .more = true};
    code = read_person(made, err);
    if (code == DBK_OK)
        *export = made;
    else
        dbk_person_export_end(made);
    return code;
}

void dbk_person_export_end(struct dbk_person_export *export)
{
    if (!export)
        return;
    dbk_person_records_finish(&export->person);
    dbk_batch_finish(&export->batch);
    free(export);
}

uint64_t dbk_person_export_sequence(const struct dbk_person_export *export)
{
    return export->head;
}

static void put_text(struct dbk_render *out, const char *name, const char *text)
{
    dbk_render_text(out, name);
    if (*text)
        dbk_render_string(out, dbk_slice(text));
    else
        dbk_render_text(out, "null");
}

static enum dbk_code put_properties(struct dbk_person_export *export,
                                    struct dbk_render *out, struct dbk_error *err)
{
    struct dbk_slice json;

    dbk_render_text(out, ",\"properties\":");
    if (dbk_log_person_properties(export->log, &export->state, &export->batch, &json,
                                  err) != DBK_OK)
        return err->code;
    if (json.length == 0)
        dbk_render_text(out, "null");
    else if (!json_stored_render(out, json))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for an export");
    return DBK_OK;
}

static enum dbk_code put_person(struct dbk_person_export *export,
                                struct dbk_render *out, struct dbk_error *err)
{
    const struct dbk_person_state *state = &export->state;

    if (state->deleted) {
        dbk_render_text(out, ",\"person\":null");
        return DBK_OK;
    }
    dbk_render_text(out, ",\"person\":{\"id\":");
    dbk_render_uuid(out, &state->id);
    dbk_render_text(out, ",\"datetime_created\":");
    dbk_render_timestamp(out, state->datetime_created);
    dbk_render_text(out, ",\"datetime_modified\":");
    dbk_render_timestamp(out, state->datetime_modified);
    put_text(out, ",\"email\":", state->email);
    put_text(out, ",\"first_name\":", state->first_name);
    put_text(out, ",\"last_name\":", state->last_name);
    put_text(out, ",\"role\":", dbk_role_name(state->role));
    put_text(out, ",\"external_id\":", state->external_id);
    if (put_properties(export, out, err) != DBK_OK)
        return err->code;
    dbk_render_text(out, "}");
    return DBK_OK;
}

static enum dbk_code put_alias(struct dbk_person_export *export,
                               const struct dbk_alias *alias, struct dbk_render *out,
                               struct dbk_error *err)
{
    struct dbk_record record;
    enum dbk_code code =
        dbk_log_record(export->log, alias->sequence, &export->batch, &record, err);

    if (code != DBK_OK && record.damaged == 0) /* when it was is in the clear */
        return code;
    dbk_render_text(out, "{\"anonymous_id\":");
    dbk_render_string(out, alias->anonymous_id);
    dbk_render_text(out, ",\"datetime_created\":");
    dbk_render_timestamp(out, record.recorded_at);
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, alias->sequence);
    dbk_render_text(out, "}");
    return DBK_OK;
}

static enum dbk_code put_aliases(struct dbk_person_export *export,
                                 struct dbk_render *out, struct dbk_error *err)
{
    const struct dbk_aliases *aliases = &export->person.aliases;

    dbk_render_text(out, ",\"aliases\":[");
    for (size_t i = 0; i < aliases->count; i++) {
        dbk_render_text(out, i ? "," : "");
        if (put_alias(export, &aliases->list[i], out, err) != DBK_OK)
            return err->code;
    }
    dbk_render_text(out, "],\"records\":[");
    return DBK_OK;
}

static void put_bool(struct dbk_render *out, const char *name, bool is)
{
    dbk_render_text(out, name);
    dbk_render_text(out, is ? "true" : "false");
}

static enum dbk_code put_head(struct dbk_person_export *export, struct dbk_render *out,
                              struct dbk_error *err)
{
    dbk_render_text(out, "{\"person_id\":");
    dbk_render_uuid(out, &export->person.id);
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, export->head);
    dbk_render_text(out, ",\"exported_at\":");
    dbk_render_timestamp(out, dbk_timestamp_now());
    put_bool(out, ",\"deleted\":", export->state.deleted);
    put_bool(out, ",\"erased\":", export->state.erased);
    dbk_render_text(out, ",\"restricted_by\":");
    if (export->restricted > 0)
        dbk_render_number(out, export->restricted);
    else
        dbk_render_text(out, "null");
    return put_person(export, out, err) == DBK_OK ? put_aliases(export, out, err)
                                                  : err->code;
}

static void put_unreadable(struct dbk_render *out, uint64_t sequence,
                           const struct dbk_error *why)
{
    dbk_render_text(out, "{\"sequence\":");
    dbk_render_number(out, sequence);
    dbk_render_text(out, ",\"unreadable\":");
    dbk_render_string(out, dbk_slice(why->text));
    dbk_render_text(out, "}");
}

static enum dbk_code put_record(struct dbk_person_export *export, uint64_t sequence,
                                struct dbk_render *out, struct dbk_error *err)
{
    struct dbk_error why = {.code = DBK_OK};
    struct dbk_record record;
    enum dbk_code code =
        dbk_log_record(export->log, sequence, &export->batch, &record, &why);
    bool unreadable =
        record.damaged == 0 && (code == DBK_DAMAGED || code == DBK_UNSUPPORTED);

    if (code != DBK_OK && !unreadable && record.damaged == 0)
        return dbk_fail(err, code, "%s", why.text);
    dbk_render_text(out, export->any ? "," : "");
    export->any = true;
    if (unreadable)
        put_unreadable(out, sequence, &why);
    else
        render_record_shown(out, &record);
    return DBK_OK;
}

static bool has_found(const struct dbk_person_export *export)
{
    return export->next < export->page.count &&
           export->sequences[export->next] <= export->head;
}

static bool has_more(const struct dbk_person_export *export)
{
    return has_found(export) ||
           (export->next == export->page.count && export->page.more &&
            export->page.after < export->head);
}

static enum dbk_code put_records(struct dbk_person_export *export,
                                 struct dbk_render *out, size_t until,
                                 struct dbk_error *err)
{
    if (!has_found(export)) {
        export->next = 0;
        if (dbk_history_find(export->history, &export->person, &export->page, err) !=
            DBK_OK)
            return err->code;
    }
    while (has_found(export) && out->length < until) {
        if (put_record(export, export->sequences[export->next], out, err) != DBK_OK)
            return err->code;
        export->next++;
    }
    return DBK_OK;
}

/* What is left out of it since would be taken for never having been. */
static enum dbk_code put_end(struct dbk_person_export *export, struct dbk_render *out,
                             struct dbk_error *err)
{
    struct dbk_person_state now;
    enum dbk_code code = dbk_log_person(export->log, &export->person.id, &now, err);

    if (code == DBK_OK && now.erased && !export->state.erased)
        code = dbk_fail(err, DBK_BUSY, "the person was erased meanwhile; ask again");
    if (code == DBK_OK)
        dbk_render_text(out, "]}");
    return code;
}

bool dbk_person_export_next(struct dbk_person_export *export, struct dbk_render *out,
                            enum dbk_code *code, struct dbk_error *err)
{
    size_t until = out->length + PIECE_BYTES;

    *code = export->begun ? DBK_OK : put_head(export, out, err);
    export->begun = true;
    while (*code == DBK_OK && has_more(export) && out->length < until)
        *code = put_records(export, out, until, err);
    if (*code == DBK_OK && !has_more(export))
        *code = put_end(export, out, err);
    if (*code == DBK_OK && dbk_render_code(out) != DBK_OK)
        *code = dbk_fail(err, DBK_NO_MEMORY, "no memory for an export");
    return *code == DBK_OK && has_more(export);
}
