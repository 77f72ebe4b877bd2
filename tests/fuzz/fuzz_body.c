/* fuzz_body.c - whatever the bytes of a body are: no crash, no leak, and what was taken
 * keeps its promises. */
#include "body_fields.h"
#include "fuzz.h"
#include "json_check.h"
#include "json_equal.h"
#include "json_parse.h"
#include "render_record.h"

/* Without giving the tree, the verdict and the words are the same. What is settled
 * without one would have been found good by jansson. */
static void try_accept(const char *text, size_t size, enum dbk_code parsed,
                       const json_t *tree, const struct dbk_error *why)
{
    struct dbk_error err = {0};
    struct dbk_slice value, decoded;
    bool settled;

    require(dbk_json_accept(text, size, &value, &err) == parsed);
    require(strcmp(err.text, why->text) == 0);
    dbk_json_check_keys(text, size, &settled, NULL);
    require(!settled || parsed == DBK_OK);
    if (parsed == DBK_OK && json_is_string(tree)) {
        char *room = malloc(value.length);
        require(room != NULL && dbk_json_string(value, room, &decoded));
        require(decoded.length == json_string_length(tree));
        require(memcmp(decoded.data, json_string_value(tree), decoded.length) == 0);
        free(room);
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);

    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* What the check passes, jansson reads, but for what only the tree can tell. */
static void try_parse(const char *text, size_t size)
{
    struct dbk_error err = {0};
    json_t *value = NULL;
    enum dbk_code code = dbk_json_parse(text, size, &value, &err);

    require((code == DBK_OK) == (value != NULL));
    require(code == DBK_OK || code == DBK_INVALID);
    require(code == DBK_OK || err.text[0] != '\0');
    require(!ends_with(err.text, ": not JSON"));
    try_accept(text, size, code, value, &err);
    json_decref(value);
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
    dbk_render_record(&render, &decoded);
    require(dbk_render_code(&render) == DBK_OK);
    require(dbk_json_check(render.text, render.length, SIZE_MAX, NULL) == DBK_OK);
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
    struct dbk_body_update update;
    struct dbk_body_delete deleted;
    enum dbk_code code;

    code = dbk_body_put_person(text, size, &id, NULL, &update, &fields, &err);
    for (size_t i = 0; code == DBK_OK && i < update.event_count; i++)
        try_record(&update.events[i]);
    if (code == DBK_OK)
        try_record(&update.record);
    dbk_body_update_finish(&update);
    if (dbk_body_patch_person(text, size, &id, &update, &fields, &err) == DBK_OK)
        try_record(&update.record);
    dbk_body_update_finish(&update);
    dbk_body_delete_person(text, size, &id, &fields, &err);
    dbk_body_delete_event(text, size, &id, &deleted, &fields, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size);

    try_parse(text, size);
    try_bodies(text, size);
    try_requests(text, size);
    dbk_json_equal((struct dbk_slice){text, size},
                   dbk_slice("{\"a\":[1,2.5e3,\"x\"]}"));
    free(text);
    return 0;
}
