/* fuzz_batch.c - whatever the body of a batch is: it is cut into the items that a naive
 * reader finds, as an array by jansson (where it is one) and as lines by their line feeds,
 * whatever is wrong inside them; and the bound on their number holds to the item. */
#include "body_fields.h"
#include "fuzz.h"

#include <jansson.h>

#define ITEMS_MAX 100

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Lines that hold more than white space. */
static size_t naive_lines(const char *text, size_t size)
{
    size_t lines = 0;
    bool blank = true;

    for (size_t i = 0; i < size; i++) {
        blank = text[i] == '\n' || (blank && is_space(text[i]));
        lines += !blank && (i + 1 == size || text[i + 1] == '\n');
    }
    return lines;
}

/* An item stands in the body, without white space around it. */
static void require_item(struct dbk_slice item, const char *text, size_t size)
{
    require(item.length > 0);
    require(item.data >= text && item.data + item.length <= text + size);
    require(!is_space(item.data[0]) && !is_space(item.data[item.length - 1]));
}

static void require_element(struct dbk_slice item, const json_t *element)
{
    json_error_t why;
    json_t *found =
        json_loadb(item.data, item.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

    require(found != NULL && json_equal(found, element));
    json_decref(found);
}

/* As the handler drafts it; what was taken can be encoded. */
static void draft_item(struct dbk_slice item, struct dbk_slice context)
{
    static char bytes[DBK_RECORD_MAX];
    const struct dbk_body_rules rules = {
        .context = context, .clock_offset = -7, .clock_offset_text = dbk_slice("-7")};
    enum body_item kind = body_item_kind(&item);
    struct dbk_field_errors fields = {0};
    struct dbk_body body = {0};
    struct dbk_error err = {0};
    enum dbk_code code;
    size_t length;

    require(item.length > 0);
    if (kind == BODY_ITEM_PERSON)
        code = dbk_body_person(item.data, item.length, DBK_BODY_CREATE, &body, &fields,
                               &err);
    else if (kind == BODY_ITEM_ALIAS)
        code = dbk_body_alias(item.data, item.length, &body, &fields, &err);
    else
        code = dbk_body_event(item.data, item.length, DBK_BODY_CREATE, &rules, &body,
                              &fields, &err);
    if (code == DBK_OK)
        require(dbk_record_encode(&body.record, bytes, sizeof bytes, &length, NULL) ==
                DBK_OK);
    dbk_body_finish(&body);
}

/* Each item once, in order. */
static void walk_items(const char *text, size_t size, struct body_items *items,
                       const json_t *array)
{
    struct dbk_slice item;
    size_t count = 0;

    while (body_items_next(items, &item)) {
        require_item(item, text, size);
        if (array)
            require_element(item, json_array_get(array, count));
        draft_item(item, items->context);
        count++;
    }
    require(count == items->count);
    require(!array || json_array_size(array) == count);
}

/* The bound is the last number of items that is taken. */
static void require_bound(const char *text, size_t size, bool lines, size_t count)
{
    struct dbk_field_errors fields = {0};
    struct body_items items;

    require(body_items_open(text, size, lines, count, &items, &fields, NULL) == DBK_OK);
    body_items_finish(&items);
    require(body_items_open(text, size, lines, count - 1, &items, &fields, NULL) ==
            (DBK_TOO_LARGE));
    require(items.count == 0);
}

static void try_lines(const char *text, size_t size)
{
    struct dbk_field_errors fields = {0};
    struct body_items items;
    struct dbk_error err = {0};
    size_t wanted = naive_lines(text, size);
    enum dbk_code code =
        body_items_open(text, size, true, ITEMS_MAX, &items, &fields, &err);

    require(code == (wanted == 0          ? DBK_INVALID
                     : wanted > ITEMS_MAX ? DBK_TOO_LARGE
                                          : DBK_OK));
    require(items.count == (code == DBK_OK ? wanted : 0));
    if (code != DBK_OK) {
        require_reason(&err);
        return;
    }
    walk_items(text, size, &items, NULL);
    body_items_finish(&items);
    require_bound(text, size, true, wanted);
}

static void try_array(const char *text, size_t size)
{
    json_t *tree = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    const json_t *array = json_is_object(tree) ? json_object_get(tree, "items") : tree;
    struct dbk_field_errors fields = {0};
    struct body_items items;
    struct dbk_error err = {0};

    if (body_items_open(text, size, false, ITEMS_MAX, &items, &fields, &err) ==
        DBK_OK) {
        size_t count = items.count;
        walk_items(text, size, &items, array);
        body_items_finish(&items);
        require_bound(text, size, false, count);
    } else {
        require_reason(&err);
        require(err.code == DBK_TOO_LARGE || json_array_size(tree) == 0 ||
                memchr(text, '\0', size));
    }
    json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_bytes(data, size);

    try_lines(text, size);
    try_array(text, size);
    free(text);
    return 0;
}
