#include "body_object.h"

#include "json_parse.h"
#include "json_walk.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Put a text that may be cut into out, at the end of a character. */
static void cut_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size) {
        length = size - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memcpy(out, text, length);
    out[length] = '\0';
}

void dbk_body_complain(struct dbk_body_draft *draft, const char *format, ...)
{
    struct dbk_field_error *error;
    char path[160], message[400];
    va_list arguments;

    draft->complaints++;
    if (draft->fields->count == DBK_FIELD_ERRORS_MAX)
        return;
    error = &draft->fields->list[draft->fields->count++];
    snprintf(path, sizeof path, "%s%.100s", draft->prefix, draft->name);
    cut_text(error->field, sizeof error->field, path);
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    cut_text(error->message, sizeof error->message, message);
}

static void read_field(struct dbk_body_draft *draft, const struct dbk_body_field *field,
                       const json_t *value, struct dbk_slice text)
{
    if (field->use == DBK_FIELD_READ_ONLY)
        dbk_body_complain(draft, "read-only: the server sets it");
    else
        field->read(draft, value, text);
}

void dbk_body_object(struct dbk_body_draft *draft, const struct dbk_body_field *table,
                     const json_t *object, struct dbk_slice text)
{
    struct dbk_json_walk walk;
    struct dbk_slice bytes = {0};
    unsigned seen = 0;
    const char *key;
    json_t *value;

    /* The tree has the members in the order of the text: they are walked together. */
    dbk_json_walk_start(&walk, text);
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        bool walked = dbk_json_walk_next(&walk, &bytes);
        assert(walked);
        (void)walked;
        draft->name = key;
        while (table[i].name && strcmp(table[i].name, key) != 0)
            i++;
        if (table[i].name) {
            seen |= 1U << i;
            read_field(draft, &table[i], value, bytes);
        } else {
            dbk_body_complain(draft, "unknown field");
        }
    }
    for (size_t i = 0; table[i].name; i++) {
        draft->name = table[i].name;
        if (table[i].use == DBK_FIELD_REQUIRED && !(seen & (1U << i)))
            dbk_body_complain(draft, "required");
    }
}

/* All complaints as one sentence: the first, and how many there are besides. */
static enum dbk_code fail_fields(const struct dbk_body_draft *draft,
                                 struct dbk_error *err)
{
    const struct dbk_field_error *first = &draft->fields->list[0];

    if (draft->complaints == 1)
        return dbk_fail(err, DBK_INVALID, "%s: %s", first->field, first->message);
    return dbk_fail(err, DBK_INVALID, "%s: %s; and %zu more", first->field,
                    first->message, draft->complaints - 1);
}

enum dbk_code dbk_body_read(const char *text, size_t length,
                            const struct dbk_body_field *table,
                            struct dbk_body_draft *draft, void **memory,
                            struct dbk_error *err)
{
    json_t *object = NULL;
    enum dbk_code code;

    *memory = NULL;
    draft->prefix = "";
    draft->fields->count = 0;
    code = dbk_json_parse(text, length, &object, err);
    if (code != DBK_OK)
        return code;
    if (!json_is_object(object)) {
        code = dbk_fail(err, DBK_INVALID, "expected a JSON object, not %s",
                        dbk_json_kind(object));
        goto done;
    }
    *memory = draft->copy = malloc(length);
    if (draft->copy)
        dbk_body_object(draft, table, object, (struct dbk_slice){text, length});
    if (!draft->copy || draft->no_memory)
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory while reading a body");
    else if (draft->complaints > 0)
        code = fail_fields(draft, err);

done:
    json_decref(object);
    if (code != DBK_OK) {
        free(*memory);
        *memory = NULL;
    }
    return code;
}
