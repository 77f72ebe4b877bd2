/* fuzz_body.c - whatever the bytes of a body are: no crash, no leak, jansson reads the same
 * from them as we do, and what was taken keeps its promises. */
#include "body_fields.h"
#include "fuzz.h"
#include "json_check.h"
#include "json_stored.h"
#include "json_string.h"
#include "json_walk.h"
#include "render_record.h"

#include <jansson.h>

/* What the tables would make of it means the same, and they would leave it as it is. */
static void try_stored(struct dbk_slice value)
{
    struct dbk_render once = {0}, twice = {0};
    struct dbk_slice stored;

    require(json_stored_render(&once, value));
    require(dbk_render_code(&once) == DBK_OK);
    stored = (struct dbk_slice){once.text, once.length};
    require(json_stored_render(&twice, stored));
    require(dbk_slice_equal(stored, (struct dbk_slice){twice.text, twice.length}));
    if (json_check(once.text, once.length, JSON_VALUES_MAX, NULL) == DBK_OK)
        require(json_same(value, stored));
    dbk_render_finish(&once);
    dbk_render_finish(&twice);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);

    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* What jansson reads and we do not. */
static bool is_bound(const char *why)
{
    return ends_with(why, ": nested deeper than 32 levels") ||
           ends_with(why, ": too many values") ||
           ends_with(why, ": a number of more than 1000 digits, written out");
}

/* Both name the same key, the first in the text that is there again. */
static void require_repeated(const char *text, const char *why,
                             const json_error_t *error)
{
    const char *key = strstr(why, "duplicate key ");
    size_t behind = (size_t)error->position, length;

    if (!key)
        return;
    key += strlen("duplicate key ");
    length = strlen(key);
    require(json_error_code(error) == json_error_duplicate_key);
    if (ends_with(key, "..."))
        return;
    require(length <= behind);
    for (size_t i = 0; i < length; i++) {
        char byte = text[behind - length + i];
        require(key[i] == (byte == 0x7f ? ' ' : byte)); /* as sentences have it */
    }
}

static void require_string(struct dbk_slice text, const char *wanted, size_t length)
{
    char *room = malloc(text.length);
    struct dbk_slice string;

    require(room != NULL);
    string = json_string_read(text, room);
    require(string.length == length && !memcmp(string.data, wanted, length));
    free(room);
}

/* The value says what jansson's tree of it does; *real where a number is rounded there. */
static void require_value(struct dbk_slice text, const json_t *tree, bool *real)
{
    struct json_walk walk;
    struct dbk_slice value;
    const char *key;
    json_t *member;
    size_t i = 0;

    *real = *real || json_is_real(tree);
    if (json_is_string(tree))
        require_string(text, json_string_value(tree), json_string_length(tree));
    if (!json_is_array(tree) && !json_is_object(tree))
        return;
    require(json_count(text) == json_array_size(tree) + json_object_size(tree));
    json_walk_start(&walk, text);
    json_object_foreach((json_t *)tree, key, member)
    {
        require(json_walk_next(&walk, &value));
        require_string(walk.key, key, strlen(key));
        require_value(value, member, real);
    }
    for (; i < json_array_size(tree); i++) {
        require(json_walk_next(&walk, &value));
        require_value(value, json_array_get(tree, i), real);
    }
}

/* However it is written, it stays the same. */
static void require_equal(struct dbk_slice text, const json_t *tree, bool real)
{
    char *again =
        json_dumps(tree, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

    require(again != NULL);
    require(real || json_same(text, dbk_slice(again)));
    free(again);
}

/* jansson keeps no integer of more than 64 bits, but as what it rounds. */
static json_t *load(const char *text, size_t size, json_error_t *error)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *tree = json_loadb(text, size, flags, error);

    if (!tree && json_error_code(error) == json_error_numeric_overflow)
        tree = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, error);
    return tree;
}

static void try_json(const char *text, size_t size)
{
    struct dbk_error err = {0};
    struct dbk_slice value;
    json_error_t error;
    json_t *tree = load(text, size, &error);
    bool real = false;

    if (json_accept(text, size, &value, &err) == DBK_OK) {
        try_stored(value);
        require(tree != NULL);
        require_value(value, tree, &real);
        require_equal(value, tree, real);
    } else {
        require_reason(&err);
        /* jansson loses a NUL behind a number. */
        require(!tree || is_bound(err.text) || memchr(text, '\0', size));
        require_repeated(text, err.text, &error);
    }
    json_decref(tree);
}

/* A record that was taken can be encoded, and shown as JSON again. */
static void try_record(const struct dbk_record *record)
{
    static char bytes[DBK_RECORD_MAX];
    struct dbk_record decoded;
    struct dbk_render render;
    size_t length;

    require(dbk_record_encode(record, bytes, sizeof bytes, &length, NULL) == DBK_OK);
    require(dbk_record_decode(bytes, length, &decoded, NULL) == DBK_OK);
    if (record->type == DBK_EVENT_RECORDED)
        require(dbk_body_same_event(record, &decoded));
    dbk_render_init(&render, (size_t)1 << 20);
    render_record_shown(&render, &decoded);
    require(dbk_render_code(&render) == DBK_OK);
    require(json_check(render.text, render.length, SIZE_MAX, NULL) == DBK_OK);
    require(memchr(render.text, '\n', render.length) == NULL);
    dbk_render_finish(&render);
}

static void try_bodies(const char *text, size_t size)
{
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    struct dbk_body body;

    for (int kind = DBK_BODY_CREATE; kind <= DBK_BODY_IMPORT; kind++) {
        enum dbk_body_kind as = (enum dbk_body_kind)kind;
        if (dbk_body_person(text, size, as, &body, &fields, &err) == DBK_OK)
            try_record(&body.record);
        dbk_body_finish(&body);
        if (dbk_body_alias(text, size, &body, &fields, &err) == DBK_OK &&
            body.record.person.has == 0)
            try_record(&body.record);
        dbk_body_finish(&body);
        if (dbk_body_event(text, size, as, NULL, &body, &fields, &err) == DBK_OK)
            try_record(&body.record);
        dbk_body_finish(&body);
    }
}

static void try_requests(const char *text, size_t size)
{
    static const struct dbk_uuid id = {{0x9c, 0x65, 0xaf, 0x1a, 0xc1, 0x09, 0x4c, 0x17,
                                        0x9b, 0xf1, 0x5f, 0x4b, 0xca, 0xc9, 0x5e,
                                        0x3c}};
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    struct body_update update;
    struct body_delete deleted;
    enum dbk_code code;

    code = body_put_person(text, size, &id, false, NULL, &update, &fields, &err);
    for (size_t i = 0; code == DBK_OK && i < update.event_count; i++)
        try_record(&update.events[i]);
    if (code == DBK_OK)
        try_record(&update.record);
    body_update_finish(&update);
    for (int known = 0; known <= 1; known++) {
        if (body_patch_person(text, size, &id, known, &update, &fields, &err) == DBK_OK)
            try_record(&update.record);
        body_update_finish(&update);
    }
    if (body_put_person_by(text, size, dbk_slice("u1"), NULL, NULL, &update, &fields,
                           &err) == DBK_OK)
        try_record(&update.record);
    body_update_finish(&update);
    body_delete_person(text, size, &id, &fields, &err);
    body_delete_event(text, size, &id, &deleted, &fields, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size);

    try_json(text, size);
    try_bodies(text, size);
    try_requests(text, size);
    json_same((struct dbk_slice){text, size}, dbk_slice("{\"a\":[1,2.5e3,\"x\"]}"));
    free(text);
    return 0;
}
