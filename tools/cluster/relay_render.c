#include "relay_render.h"

#include "http/record_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void relay_render_finish(struct relay_render *render)
{
    free(render->room);
    dbk_restricted_finish(&render->restricted);
    render->room = NULL;
}

static struct dbk_slice find_key(struct relay_render *render,
                                 const struct dbk_record *record)
{
    static const struct dbk_uuid nil;
    const struct dbk_uuid *person = dbk_record_person(record);

    if (dbk_uuid_equal(person, &nil) && record->anonymous_id.length > 0)
        return record->anonymous_id;
    if (dbk_uuid_equal(person, &nil) && record->key > 0) {
        snprintf(render->key, sizeof render->key, "%" PRIu64, record->key);
        return dbk_slice(render->key);
    }
    dbk_uuid_format(dbk_uuid_equal(person, &nil) ? &record->subject : person,
                    render->key);
    return (struct dbk_slice){render->key, DBK_UUID_TEXT};
}

static enum dbk_code as_event(const struct relay_render *render,
                              const struct dbk_record *record, char **text,
                              size_t *length, struct dbk_error *err)
{
    struct dbk_render out = {0};

    dbk_record_cloud_event(record, &render->store_id, &out);
    *text = out.text;
    *length = out.length;
    if (dbk_render_code(&out) == DBK_OK)
        return DBK_OK;
    dbk_render_finish(&out);
    return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record's JSON");
}

static enum dbk_code as_json(struct relay_render *render,
                             const struct dbk_record *record, char **text,
                             size_t *length, struct dbk_error *err)
{
    if (!render->room)
        render->room = malloc(DBK_RECORD_JSON_MAX);
    if (!render->room)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record's JSON");
    if ((render->unsealed
             ? dbk_record_json_write_opened(record, render->room, DBK_RECORD_JSON_MAX,
                                            length, err)
             : dbk_record_json_write(record, render->room, DBK_RECORD_JSON_MAX, length,
                                     err)) != DBK_OK)
        return err->code;
    *text = malloc(*length);
    if (!*text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a record's JSON");
    memcpy(*text, render->room, *length);
    return DBK_OK;
}

/* Looked at for each: what is in the topic is not taken back. What stays sealed says nothing. */
static enum dbk_code withhold(struct relay_render *render, struct dbk_record *record,
                              struct dbk_error *err)
{
    struct dbk_log *log = render->withholds;

    if (!log || (record->sealed.length > 0 && !record->opened))
        return DBK_OK;
    if (dbk_log_restricted_all(log, &render->restricted, err) != DBK_OK)
        return err->code;
    record->withheld = dbk_restricted_says(&render->restricted, log, record);
    if (record->withheld) /* which is not to be found in the key, either */
        record->anonymous_id = (struct dbk_slice){NULL, 0};
    return DBK_OK;
}

enum dbk_code relay_render(void *context, const struct dbk_record *record, char **text,
                           size_t *length, struct dbk_slice *key, struct dbk_error *err)
{
    struct relay_render *render = context;
    struct dbk_record shown = *record;

    if (record->sealed.length > 0 && render->unsealed && !record->opened &&
        !record->erased)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "record %" PRIu64 " cannot be opened: --unseal needs the log's "
                        "ring of keys",
                        record->sequence);
    if (record->sealed.length > 0 && !render->unsealed) {
        /* which a reader may take from the bytes */
        shown.opened = shown.erased = false;
        shown.anonymous_id = (struct dbk_slice){NULL, 0};
    }
    if (withhold(render, &shown, err) != DBK_OK)
        return err->code;
    *key = find_key(render, &shown);
    return render->cloud ? as_event(render, &shown, text, length, err)
                         : as_json(render, &shown, text, length, err);
}
