/* record_layout.h - where the fixed parts of an encoded record lie.
 *
 * Private to the store. The parts before `data` have fixed widths once the type is
 * known:
 *
 *     97 0F aN type.. cf sequence:8 d3 recorded_at:8 c4 10 subject:16 data meta
 */
#ifndef DBK_STORE_RECORD_LAYOUT_H
#define DBK_STORE_RECORD_LAYOUT_H

#include "store/uuid.h"

#include <stddef.h>

/* Where data begins. */
size_t record_data_offset(const char *bytes);

/* What data of an event begins with, behind the map's header: its person_id. */
enum { RECORD_PERSON_ENTRY = 10 + 2 + 16 };

/* For a record drafted before anyone knows of whom it is: fill in its subject. */
void record_set_subject(char *bytes, const struct dbk_uuid *subject);

/* For an event, drafted before anyone knows whose it is: fill in person_id, the first entry
 * of its data. */
void record_set_person(char *bytes, const struct dbk_uuid *person_id);

#define RECORD_FORMAT_SEALED 4
#define RECORD_FORMAT_RESTRICTED 5
#define RECORD_FORMAT_RESEALED 6
#define RECORD_FORMAT_MONTH 7

/* Whether it says what only a later format can say may hang on what is filled in. */
void record_set_format(char *bytes, unsigned format);
unsigned record_get_format(const char *bytes);

#endif
