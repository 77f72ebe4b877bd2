#include "link.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void add_encoded(struct dbk_render *out, struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char encoded[4];
        if ((c < 0x80 && isalnum(c)) || strchr("-._~", c))
            snprintf(encoded, sizeof encoded, "%c", c);
        else
            snprintf(encoded, sizeof encoded, "%%%02X", c);
        dbk_render_text(out, encoded);
    }
}

void link_next(const struct request *rq, struct response *rs, uint64_t after)
{
    dbk_render_text(&rs->head, "Link: <");
    dbk_render_text(&rs->head, rq->path);
    dbk_render_text(&rs->head, "?");
    for (size_t i = 0; i < rq->params.count; i++) {
        const struct param *param = &rq->params.list[i];
        if (dbk_slice_equal(param->name, dbk_slice("after")))
            continue;
        add_encoded(&rs->head, param->name);
        dbk_render_text(&rs->head, "=");
        add_encoded(&rs->head, param->value);
        dbk_render_text(&rs->head, "&");
    }
    dbk_render_text(&rs->head, "after=");
    dbk_render_number(&rs->head, after);
    dbk_render_text(&rs->head, ">; rel=\"next\"\r\n");
}
