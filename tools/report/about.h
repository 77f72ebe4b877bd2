/* about.h - whom a record is about. */
#ifndef DBK_TOOLS_ABOUT_H
#define DBK_TOOLS_ABOUT_H

#include "store/record.h"

/* The person: the subject of a person's records, the owner of an event's. Borrowed from
 * record. */
const struct dbk_uuid *about_whom(const struct dbk_record *record);

#endif
