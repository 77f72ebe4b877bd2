/* about.h - under which ids a record is found, as the index has them. Private to the store. */
#ifndef DBK_STORE_ABOUT_H
#define DBK_STORE_ABOUT_H

#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dbk_log;

/* What is known of a log's keys: zero but for the log, and about_finish frees it. For one
 * thread. */
struct about {
    struct dbk_log *log;
    uint64_t *kinds; /* NULL: no sealed record was seen yet */
    char *room;
    size_t room_size;
};
void about_finish(struct about *about);

struct about_ids {
    struct dbk_uuid list[2];
    size_t count;
};

/* Of a record's bytes; length 0: its checksum is wrong. What is no record is found under the
 * nil UUID; a sealed one that does not open now under all ids that it may be of. False: no
 * memory. */
bool about_record(struct about *about, const char *bytes, size_t length,
                  struct about_ids *out);

#endif
