/* person_change.h - an update said as what it changes. */
#ifndef DBK_HTTP_PERSON_CHANGE_H
#define DBK_HTTP_PERSON_CHANGE_H

#include "store/command.h"

/* Take from the fields those that the person has already; same_properties: its properties,
 * too, are what the fields say. Where that leaves none, all stay but properties: the
 * writer sees for itself that nothing changes, but compares the bytes of these. Returns whether any went: the rest is then right for a
 * person at this version only. */
bool person_change(struct dbk_person_fields *fields,
                   const struct dbk_person_state *person, bool same_properties);

#endif
