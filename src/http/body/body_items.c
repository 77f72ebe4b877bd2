/* A batch, cut into its items. */
#include "body_fields.h"
#include "json_check.h"
#include "json_loose.h"
#include "json_walk.h"

#include <stdlib.h>

#define LIST_FIRST 64

static struct dbk_slice trim(const char *at, const char *end)
{
    at = json_skip_space(at, end);
    while (end > at && json_is_space(end[-1]))
        end--;
    return (struct dbk_slice){at, (size_t)(end - at)};
}

static bool next_line(struct body_items *items, struct dbk_slice *item)
{
    while (items->at < items->end) {
        const char *feed = memchr(items->at, '\n', (size_t)(items->end - items->at));
        const char *line_end = feed ? feed : items->end;
        *item = trim(items->at, line_end);
        items->at = feed ? feed + 1 : items->end;
        if (item->length > 0)
            return true;
    }
    return false;
}

static bool cut_item(struct body_items *items, struct dbk_slice *item)
{
    return items->lines ? next_line(items, item) : json_loose_next(&items->array, item);
}

static bool grow(struct body_items *items)
{
    size_t size = items->size ? 2 * items->size : LIST_FIRST;
    struct dbk_slice *list;

    if (items->count < items->size)
        return true;
    list = reallocarray(items->list, size, sizeof *list);
    if (!list)
        return false;
    items->list = list;
    items->size = size;
    return true;
}

/* At most one more than max of them. */
static enum dbk_code cut_all(struct body_items *items, size_t max,
                             struct dbk_error *err)
{
    struct dbk_slice item;

    while (items->count <= max && cut_item(items, &item)) {
        if (!grow(items))
            return dbk_fail(err, DBK_NO_MEMORY, "no memory for the items of a batch");
        items->list[items->count++] = item;
    }
    if (items->count > max)
        return dbk_fail(err, DBK_TOO_LARGE, "more than %zu items in one batch", max);
    return DBK_OK;
}

bool body_items_next(struct body_items *items, struct dbk_slice *item)
{
    if (items->next == items->count)
        return false;
    *item = items->list[items->next++];
    return true;
}

void body_items_finish(struct body_items *items)
{
    free(items->list);
    *items = (struct body_items){0};
}

/* Stand before the first item of the array, which the text is or has. */
static enum dbk_code open_array(const char *text, size_t length,
                                struct body_items *items,
                                struct dbk_field_errors *fields, struct dbk_error *err)
{
    struct dbk_slice value = trim(text, text + length);

    if (value.length == 0)
        return dbk_fail(err, DBK_INVALID, "empty, where JSON is expected");
    if (value.data[0] == '{')
        return body_envelope(text, value, items, fields, err);
    if (value.data[0] != '[')
        return dbk_fail(err, DBK_INVALID,
                        "expected a JSON array of items, or an object that has them");
    json_loose_start(&items->array, value);
    return DBK_OK;
}

/* The array ended as arrays do. Behind one that stands alone there is nothing. */
static enum dbk_code check_end(const char *text, struct json_loose *array,
                               struct dbk_error *err)
{
    if (array->wrong)
        return json_fail_at(text, array->at, array->wrong, err);
    if (!json_loose_ends(array))
        return json_fail_at(text, array->at, "trailing bytes after the JSON value",
                            err);
    return DBK_OK;
}

static enum dbk_code open_items(const char *text, size_t length, size_t max,
                                struct body_items *items,
                                struct dbk_field_errors *fields, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (!items->lines)
        code = open_array(text, length, items, fields, err);
    if (code == DBK_OK)
        code = cut_all(items, max, err);
    if (code == DBK_OK && !items->lines)
        code = check_end(text, &items->array, err);
    if (code == DBK_OK && items->count == 0)
        code = dbk_fail(err, DBK_INVALID, "no items in the batch");
    return code;
}

enum dbk_code body_items_open(const char *text, size_t length, bool lines, size_t max,
                              struct body_items *items, struct dbk_field_errors *fields,
                              struct dbk_error *err)
{
    enum dbk_code code;

    *items = (struct body_items){.lines = lines, .at = text, .end = text + length};
    fields->count = 0;
    code = open_items(text, length, max, items, fields, err);
    if (code != DBK_OK)
        body_items_finish(items);
    return code;
}

/* The value of an object's only member, which has this key (with its quotes); length 0:
 * it is not so. The value is not checked, and is what strings and brackets make of it. */
static struct dbk_slice only_member(struct dbk_slice object, struct dbk_slice key)
{
    const struct dbk_slice none = {NULL, 0};
    struct json_loose loose;
    struct dbk_slice value, more;

    json_loose_start(&loose, object);
    if (!json_loose_next(&loose, &value) || !dbk_slice_equal(loose.key, key) ||
        json_loose_next(&loose, &more) || loose.wrong || !json_loose_ends(&loose))
        return none;
    return value;
}

static const struct dbk_slice keys[] = {[BODY_ITEM_EVENT] = {"\"event\"", 7},
                                        [BODY_ITEM_PERSON] = {"\"person\"", 8},
                                        [BODY_ITEM_ALIAS] = {"\"alias\"", 7}};

bool body_item_names_kind(struct dbk_slice key)
{
    for (size_t kind = 0; kind < sizeof keys / sizeof *keys; kind++) {
        if (dbk_slice_equal(key, keys[kind]))
            return true;
    }
    return false;
}

bool body_item_mixed(struct dbk_slice item)
{
    struct json_loose loose;
    struct dbk_slice value;

    if (item.length == 0 || item.data[0] != '{')
        return false;
    json_loose_start(&loose, item);
    while (json_loose_next(&loose, &value)) {
        if (body_item_names_kind(loose.key) && value.data[0] == '{')
            return true;
    }
    return false;
}

enum body_item body_item_kind(struct dbk_slice *item)
{
    const char *end = item->data + item->length, *key;

    if (item->length == 0 || item->data[0] != '{')
        return BODY_ITEM_EVENT;
    key = json_skip_space(item->data + 1, end);
    for (size_t kind = 0; kind < sizeof keys / sizeof *keys; kind++) {
        struct dbk_slice value;
        if ((size_t)(end - key) < keys[kind].length ||
            memcmp(key, keys[kind].data, keys[kind].length) != 0)
            continue;
        value = only_member(*item, keys[kind]);
        if (value.length == 0)
            break;
        *item = value;
        return (enum body_item)kind;
    }
    return BODY_ITEM_EVENT;
}
