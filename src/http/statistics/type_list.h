/* type_list.h - types of events in one parameter, with commas between them: what
 * GET /events/stats and GET /events/funnel take. */
#ifndef DBK_HTTP_TYPE_LIST_H
#define DBK_HTTP_TYPE_LIST_H

#include "params.h"

struct type_list {
    size_t count;
    struct dbk_slice types[PARAMS_REPEATED_MAX]; /* point into text */
    char text[16384];                            /* no query is longer */
};

/* Cut text at its commas. A comma that belongs to a type has a backslash before it, and so
 * has a backslash. False: what is expected is in why. Each must be a type (event_type.h), and
 * there must be at least one and no more than most. */
#define TYPE_LIST_WHY_MAX 128
bool type_list_read(struct dbk_slice text, size_t most, struct type_list *out,
                    char why[TYPE_LIST_WHY_MAX]);

#endif
