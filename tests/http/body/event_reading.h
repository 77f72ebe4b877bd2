/* event_reading.h - an event's body as text, and what is read of it. */
#ifndef DBK_TESTS_HTTP_BODY_EVENT_READING_H
#define DBK_TESTS_HTTP_BODY_EVENT_READING_H

#include "body_fields.h"
#include "check.h"

#define PERSON "9c65af1a-c109-4c17-9bf1-5f4bcac95e3c"
#define EVENT "9c65af1a-c109-4c17-9bf1-5f4bcac95e3d"
#define HEAD "{\"event_type\":\"click\",\"person_id\":\"" PERSON "\""

struct reading {
    struct dbk_body body;
    struct dbk_field_errors fields;
    struct dbk_error err;
};

static inline enum dbk_code read_ruled(const char *text, enum dbk_body_kind kind,
                                       const struct dbk_body_rules *rules,
                                       struct reading *out)
{
    size_t length = strlen(text);
    char *copy = exact(text, length);
    enum dbk_code code;

    *out = (struct reading){0};
    code =
        dbk_body_event(copy, length, kind, rules, &out->body, &out->fields, &out->err);
    free(copy);
    if (code != DBK_OK)
        assert_null(out->body.memory);
    return code;
}

static inline enum dbk_code read_new(const char *text, struct reading *out)
{
    return read_ruled(text, DBK_BODY_CREATE, NULL, out);
}

#endif
