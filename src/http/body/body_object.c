#include "body_object.h"

#include "json_check.h"
#include "json_string.h"
#include "json_walk.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_SHOWN 100 /* bytes of a field's name; it is cut again, with its path */

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

void body_complain(struct body_draft *draft, const char *format, ...)
{
    struct dbk_field_error *error;
    char path[160], message[400];
    va_list arguments;

    assert(draft->name && draft->fields->count <= DBK_FIELD_ERRORS_MAX);
    draft->complaints++;
    if (draft->fields->count == DBK_FIELD_ERRORS_MAX)
        return;
    error = &draft->fields->list[draft->fields->count++];
    error->has_person_id = false;
    snprintf(path, sizeof path, "%s%.*s", draft->prefix, NAME_SHOWN, draft->name);
    cut_text(error->field, sizeof error->field, path);
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    cut_text(error->message, sizeof error->message, message);
}

static void read_field(struct body_draft *draft, const struct body_field *field,
                       struct dbk_slice value)
{
    if (field->use == BODY_FIELD_READ_ONLY)
        body_complain(draft, "read-only: the server sets it");
    else
        field->read(draft, value);
}

static void complain_of_key(struct body_draft *draft, struct dbk_slice key)
{
    char name[NAME_SHOWN + 1];
    size_t length = key.length < NAME_SHOWN ? key.length : NAME_SHOWN;

    memcpy(name, key.data, length);
    name[length] = '\0';
    draft->name = name;
    body_complain(draft, "unknown field");
    draft->name = NULL;
}

/* The place of a field in the table, or of its end. */
static size_t find_field(const struct body_field *table, struct dbk_slice key)
{
    size_t i = 0;

    while (table[i].name && !dbk_slice_equal(dbk_slice(table[i].name), key))
        i++;
    return i;
}

void body_complain_unknown(struct body_draft *draft, const char *wrong)
{
    const char *separator = ", unless there is an ";
    char ways[200] = "";

    for (const struct body_field *field = draft->table; field->name; field++) {
        size_t used = strlen(ways);
        if (field->use != BODY_FIELD_MAKES_KNOWN && field->use != BODY_FIELD_STANDS_IN)
            continue;
        snprintf(ways + used, sizeof ways - used, "%s%s", separator, field->name);
        separator = " or ";
    }
    body_complain(draft, "%s%s", wrong, ways);
}

static void complain_if_missed(struct body_draft *draft, const struct body_field *field)
{
    draft->name = field->name;
    if (field->use == BODY_FIELD_REQUIRED ||
        (field->use == BODY_FIELD_UNLESS_BY_EXTERNAL_ID &&
         draft->external_id.length == 0))
        body_complain(draft, "required");
    else if (field->use == BODY_FIELD_UNLESS_KNOWN && !draft->known)
        body_complain_unknown(draft, "required");
}

/* Whether the object has what its person is known by, wherever it stands in it. */
static bool makes_known(const struct body_draft *draft, const struct body_field *table,
                        struct dbk_slice object)
{
    struct json_walk walk;
    struct dbk_slice value;
    size_t i = 0;

    while (table[i].name && table[i].use != BODY_FIELD_MAKES_KNOWN)
        i++;
    if (!table[i].name)
        return false;
    json_walk_start(&walk, object);
    while (json_walk_next(&walk, &value)) {
        i = find_field(table, json_string_read(walk.key, draft->copy));
        if (table[i].name && table[i].use == BODY_FIELD_MAKES_KNOWN &&
            value.data[0] != 'n')
            return true;
    }
    return false;
}

void body_object(struct body_draft *draft, const struct body_field *table,
                 struct dbk_slice object)
{
    struct json_walk walk;
    struct dbk_slice value;
    unsigned seen = 0;

    draft->table = table;
    draft->known = draft->known || makes_known(draft, table, object);
    json_walk_start(&walk, object);
    while (!draft->no_memory && json_walk_next(&walk, &value)) {
        struct dbk_slice key = json_string_read(walk.key, draft->copy);
        size_t i = find_field(table, key);
        draft->name = table[i].name;
        if (table[i].name) {
            assert(i < sizeof seen * CHAR_BIT);
            seen |= 1U << i;
            read_field(draft, &table[i], value);
        } else {
            complain_of_key(draft, key);
        }
    }
    for (size_t i = 0; table[i].name; i++) {
        if (!(seen & (1U << i)))
            complain_if_missed(draft, &table[i]);
    }
}

/* All complaints as one sentence: the first, and how many there are besides. */
static enum dbk_code fail_fields(const struct body_draft *draft, struct dbk_error *err)
{
    const struct dbk_field_error *first = &draft->fields->list[0];

    assert(draft->complaints >= draft->fields->count && draft->fields->count > 0);
    if (draft->complaints == 1)
        return dbk_fail(err, DBK_INVALID, "%s: %s", first->field, first->message);
    return dbk_fail(err, DBK_INVALID, "%s: %s; and %zu more", first->field,
                    first->message, draft->complaints - 1);
}

enum dbk_code body_read(const char *text, size_t length, const struct body_field *table,
                        struct body_draft *draft, void **memory, struct dbk_error *err)
{
    struct dbk_slice object;
    enum dbk_code code;

    *memory = NULL;
    draft->prefix = "";
    draft->fields->count = 0;
    code = json_accept(text, length, &object, err);
    if (code != DBK_OK)
        return code;
    if (object.data[0] != '{')
        return dbk_fail(err, DBK_INVALID, "expected a JSON object, not %s",
                        json_kind(object));
    *memory = draft->copy = malloc(length + draft->room);
    draft->end = draft->copy + length + draft->room;
    if (draft->copy)
        body_object(draft, table, object);
    if (draft->copy && draft->finish)
        draft->finish(draft);
    if (!draft->copy || draft->no_memory)
        code = dbk_fail(err, DBK_NO_MEMORY, "out of memory while reading a body");
    else if (draft->complaints > 0)
        code = fail_fields(draft, err);
    if (code != DBK_OK) {
        free(*memory);
        *memory = NULL;
    }
    return code;
}
