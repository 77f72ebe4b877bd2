/* A batch, cut into its items. */
#include "body_fields.h"
#include "json_check.h"
#include "json_loose.h"

#include <assert.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct dbk_slice trim(const char *at, const char *end)
{
    while (at < end && is_space(*at))
        at++;
    while (end > at && is_space(end[-1]))
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

bool body_items_next(struct body_items *items, struct dbk_slice *item)
{
    return items->lines ? next_line(items, item) : json_loose_next(&items->array, item);
}

/* Stand before the first item of an array. */
static enum dbk_code open_array(struct dbk_slice text, struct body_items *items,
                                struct dbk_error *err)
{
    struct dbk_slice array = trim(text.data, text.data + text.length);

    if (array.length == 0)
        return dbk_fail(err, DBK_INVALID, "empty, where JSON is expected");
    if (array.data[0] != '[')
        return dbk_fail(err, DBK_INVALID, "expected a JSON array of events");
    json_loose_start(&items->array, array);
    return DBK_OK;
}

/* The array ended as arrays do, and nothing stands behind it. */
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

enum dbk_code body_items_open(const char *text, size_t length, bool lines, size_t max,
                              struct body_items *items, struct dbk_error *err)
{
    struct body_items opened = {.lines = lines, .at = text, .end = text + length};
    struct dbk_slice item;
    size_t count = 0;

    *items = (struct body_items){0};
    if (!lines && open_array((struct dbk_slice){text, length}, &opened, err) != DBK_OK)
        return DBK_INVALID;
    *items = opened;
    while (count <= max && body_items_next(&opened, &item))
        count++;
    if (count > max)
        dbk_fail(err, DBK_TOO_LARGE, "more than %zu events in one batch", max);
    else if (!lines && check_end(text, &opened.array, err) != DBK_OK)
        count = 0;
    else if (count == 0)
        dbk_fail(err, DBK_INVALID, "no events in the batch");
    if (count == 0 || count > max) {
        *items = (struct body_items){.lines = true}; /* without a line */
        return count == 0 ? DBK_INVALID : DBK_TOO_LARGE;
    }
    items->count = count;
    return DBK_OK;
}
