#include "http/erasure_json.h"

#include "json_base64.h"
#include "json_check.h"
#include "json_string.h"
#include "json_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct dbk_slice object;
    char *room; /* for the next text */
};

static bool find(struct dbk_slice object, const char *name, struct dbk_slice *value)
{
    size_t length = strlen(name);
    struct json_walk walk;

    if (object.length == 0 || *object.data != '{')
        return false;
    json_walk_start(&walk, object);
    while (json_walk_next(&walk, value)) {
        if (walk.key.length == length + 2 && !memcmp(walk.key.data + 1, name, length))
            return true;
    }
    return false;
}

static bool read_text(struct reading *reading, const char *name, struct dbk_slice *out)
{
    struct dbk_slice value;

    if (!find(reading->object, name, &value) || *value.data != '"')
        return false;
    *out = json_string_read(value, reading->room);
    reading->room += value.length;
    return true;
}

static bool read_number(const struct reading *reading, const char *name, uint64_t *out)
{
    struct dbk_slice value;
    char *end, text[24] = "";

    if (!find(reading->object, name, &value) || value.length >= sizeof text ||
        *value.data < '0' || *value.data > '9')
        return false;
    memcpy(text, value.data, value.length);
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0;
}

static bool read_bytes(struct reading *reading, const char *name, struct dbk_slice *out)
{
    struct dbk_slice text;

    if (!read_text(reading, name, &text))
        return false;
    *out = (struct dbk_slice){reading->room, 0};
    if (!json_base64_read(text, reading->room, &out->length))
        return false;
    reading->room += out->length;
    return true;
}

enum dbk_code dbk_erasure_json_read(const char *text, size_t length, char *room,
                                    struct dbk_erasure_claim *out,
                                    struct dbk_error *err)
{
    struct reading reading = {.room = room};
    struct dbk_slice data;

    *out = (struct dbk_erasure_claim){.sequence = 0};
    if (json_accept(text, length, &reading.object, err) != DBK_OK)
        return err->code;
    if (find(reading.object, "data", &data))
        reading.object = data;
    if (!read_text(&reading, "person_id", &out->person_id) ||
        !read_text(&reading, "erased_at", &out->erased_at) ||
        !read_number(&reading, "sequence", &out->sequence) ||
        !read_number(&reading, "keys_destroyed", &out->keys) ||
        !read_text(&reading, "entry", &out->entry) ||
        !read_bytes(&reading, "record", &out->record))
        return dbk_fail(err, DBK_INVALID, "this is no receipt of an erasure");
    read_text(&reading, "proof", &out->proof);
    return DBK_OK;
}
