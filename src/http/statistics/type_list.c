#include "type_list.h"

#include "event_type.h"
#include "label.h"

#include <assert.h>
#include <stdio.h>

static bool refuse(char why[TYPE_LIST_WHY_MAX], const char *expected)
{
    snprintf(why, TYPE_LIST_WHY_MAX, "%s", expected);
    return false;
}

static bool add(struct dbk_slice type, size_t most, struct type_list *out,
                char why[TYPE_LIST_WHY_MAX])
{
    char wrong[LABEL_WHY_MAX];

    if (out->count == most) {
        snprintf(why, TYPE_LIST_WHY_MAX, "more than %zu types", most);
        return false;
    }
    if (!label_valid(type, EVENT_TYPE_CHARACTERS_MAX, wrong)) {
        snprintf(why, TYPE_LIST_WHY_MAX, "type %zu %s", out->count + 1, wrong);
        return false;
    }
    out->types[out->count++] = type;
    return true;
}

bool type_list_read(struct dbk_slice text, size_t most, struct type_list *out,
                    char why[TYPE_LIST_WHY_MAX])
{
    size_t used = 0, begin = 0;

    assert(most <= PARAMS_REPEATED_MAX);
    out->count = 0;
    if (text.length > sizeof out->text)
        return refuse(why, "too long");
    for (size_t at = 0; at < text.length; at++) {
        char c = text.data[at];
        if (c == ',') {
            struct dbk_slice type = {out->text + begin, used - begin};
            if (!add(type, most, out, why))
                return false;
            begin = used;
            continue;
        }
        if (c == '\\') {
            if (++at == text.length || !strchr(",\\", text.data[at]))
                return refuse(why, "a \\ stands before a comma or another \\ only");
            c = text.data[at];
        }
        out->text[used++] = c;
    }
    return add((struct dbk_slice){out->text + begin, used - begin}, most, out, why);
}
