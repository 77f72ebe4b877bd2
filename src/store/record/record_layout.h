/* record_layout.h - where the fixed parts of an encoded record lie.
 *
 * Private to the store. The parts before `data` have fixed widths once the type is
 * known:
 *
 *     97 01 aN type.. cf sequence:8 d3 recorded_at:8 c4 10 subject:16 data meta
 */
#ifndef DBK_STORE_RECORD_LAYOUT_H
#define DBK_STORE_RECORD_LAYOUT_H

#include "store/uuid.h"

/* For an event.deleted, drafted before anyone knows whose event it is: fill in
 * person_id, the only entry of its data. */
void record_set_person(char *bytes, const struct dbk_uuid *person_id);

#endif
