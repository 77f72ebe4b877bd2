/* person_records.h - which records are about a person: the person's own, and those of the
 * person's events; also of events from before their anonymous id was the person's. */
#ifndef DBK_TOOLS_PERSON_RECORDS_H
#define DBK_TOOLS_PERSON_RECORDS_H

#include "store/log.h"

struct person_records {
    struct dbk_uuid id;
    struct dbk_log *log;        /* borrowed */
    struct dbk_aliases aliases; /* as they were at first */
};

/* As dbk_log_aliases. */
enum dbk_code person_records_init(struct person_records *records, struct dbk_log *log,
                                  const struct dbk_uuid *id, struct dbk_error *err);
void person_records_finish(struct person_records *records); /* zeroed is fine */

/* Thread-safe. */
bool person_records_has(const struct person_records *records,
                        const struct dbk_record *record);

#endif
