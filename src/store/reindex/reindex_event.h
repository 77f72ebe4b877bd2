/* reindex_event.h - what the records of events imply.
 *
 * Private to the store. Errors as reindex_place.h.
 */
#ifndef DBK_STORE_REINDEX_EVENT_H
#define DBK_STORE_REINDEX_EVENT_H

#include "reindex_place.h"

int reindex_recorded(struct reindex_place *place);
int reindex_event_deleted(struct reindex_place *place);
int reindex_expired(struct reindex_place *place);

#endif
