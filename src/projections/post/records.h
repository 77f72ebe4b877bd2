/* records.h - records copied together from several batches, for a batch does not stay. */
#ifndef DBK_PROJECTIONS_RECORDS_H
#define DBK_PROJECTIONS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Zero it before first use. */
struct records {
    size_t count;
    struct records_part {
        size_t offset, length; /* in bytes */
    } * parts;
    char *bytes; /* moves with records_add */
    size_t bytes_used, bytes_size, parts_size;
};

/* False when out of memory; nothing is added then. */
bool records_add(struct records *records, const char *bytes, size_t length);
/* Empty it; the memory stays. */
void records_clear(struct records *records);
void records_finish(struct records *records);

#endif
