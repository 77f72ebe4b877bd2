/* The optional bodies of DELETE. */
#include "body_fields.h"
#include "body_values.h"
#include "json_walk.h"

#include <stdlib.h>
#include <string.h>

static const struct body_field person_fields[] = {
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {0},
};

static const struct body_field event_fields[] = {
    {"id", BODY_FIELD_OPTIONAL, body_id},
    {"person_id", BODY_FIELD_OPTIONAL, body_person_id},
    {0},
};

bool body_says_nothing(const char *text, size_t length)
{
    const char *end = text + length, *at;

    if (length == 0) /* of nothing, which may be NULL */
        return true;
    at = json_skip_space(text, end);
    if (end - at >= 4 && memcmp(at, "null", 4) == 0)
        at = json_skip_space(at + 4, end);
    return at == end;
}

static enum dbk_code read_delete(const char *text, size_t length,
                                 const struct body_field *table,
                                 struct body_draft *draft, struct dbk_error *err)
{
    void *memory;
    enum dbk_code code;

    draft->fields->count = 0;
    if (body_says_nothing(text, length))
        return DBK_OK;
    code = body_read(text, length, table, draft, &memory, err);
    free(memory); /* ids are no strings: nothing points into it */
    return code;
}

enum dbk_code body_delete_person(const char *text, size_t length,
                                 const struct dbk_uuid *id,
                                 struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct dbk_record record = {0};
    struct body_draft draft = {.record = &record, .id = id, .fields = fields};

    return read_delete(text, length, person_fields, &draft, err);
}

enum dbk_code body_delete_event(const char *text, size_t length,
                                const struct dbk_uuid *id, struct body_delete *out,
                                struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct dbk_record record = {0};
    struct body_draft draft = {.record = &record, .id = id, .fields = fields};
    enum dbk_code code;

    *out = (struct body_delete){0};
    code = read_delete(text, length, event_fields, &draft, err);
    if (code == DBK_OK) {
        out->has_person_id = draft.has_person_id;
        out->person_id = record.person_id;
    }
    return code;
}
