/* event.h - the body of POST /events, read with jansson, and the answer to it. */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include "store/record.h"

#include <jansson.h>

/* A body that was read. The record borrows from it. Finish it in any case. */
struct event {
    json_t *root;
    char *properties; /* their JSON text, or NULL */
    struct dbk_record record;
    char request_id[DBK_UUID_TEXT + 1];
};

/* False for what is not an event. */
bool event_read(struct event *event, const char *body, size_t length);
void event_finish(struct event *event);

/* The JSON that the product answers, for a record that was written at this time. Returns
 * its length, as snprintf does. */
int event_render(const struct event *event, dbk_timestamp at, char *out, size_t size);

#endif
