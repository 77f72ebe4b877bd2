/* A batch, cut into its items. */
#include "body_fields.h"
#include "json_check.h"
#include "json_walk.h"

#include <assert.h>
#include <stdint.h>

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

static bool next_element(struct body_items *items, struct dbk_slice *item)
{
    struct json_walk walk = {.at = items->at, .end = items->end};
    bool found = json_walk_next(&walk, item);

    assert(walk.at >= items->at && walk.at <= items->end);
    items->at = walk.at;
    return found;
}

bool body_items_next(struct body_items *items, struct dbk_slice *item)
{
    return items->lines ? next_line(items, item) : next_element(items, item);
}

static enum dbk_code open_array(struct dbk_slice text, struct body_items *items,
                                struct dbk_error *err)
{
    struct json_walk walk;

    /* No tree is built of the whole: how many values there are costs nothing. */
    if (json_check(text.data, text.length, SIZE_MAX, err) != DBK_OK)
        return DBK_INVALID;
    json_walk_start(&walk, text);
    if (walk.at == text.data || walk.at[-1] != '[')
        return dbk_fail(err, DBK_INVALID, "expected a JSON array of events");
    items->at = walk.at;
    return DBK_OK;
}

enum dbk_code body_items_open(const char *text, size_t length, bool lines, size_t max,
                              struct body_items *items, struct dbk_error *err)
{
    struct body_items opened = {.lines = lines, .at = text, .end = text + length};
    struct dbk_slice item;

    *items = (struct body_items){0};
    if (!lines && open_array((struct dbk_slice){text, length}, &opened, err) != DBK_OK)
        return DBK_INVALID;
    *items = opened;
    while (body_items_next(&opened, &item)) {
        if (++items->count > max) {
            *items = (struct body_items){0};
            return dbk_fail(err, DBK_TOO_LARGE, "more than %zu events in one batch",
                            max);
        }
    }
    if (items->count == 0)
        return dbk_fail(err, DBK_INVALID, "no events in the batch");
    return DBK_OK;
}
