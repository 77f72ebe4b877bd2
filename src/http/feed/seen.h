/* seen.h - what of a record decides who is shown it. */
#ifndef DBK_HTTP_SEEN_H
#define DBK_HTTP_SEEN_H

#include "store/log.h"

/* Its slice is the record's. */
struct seen {
    enum dbk_type type;
    struct dbk_uuid person; /* that the record names; the nil UUID: nobody */
    struct dbk_uuid event;  /* an event with an anonymous_id; else nil */
    struct dbk_uuid owner;  /* of that: whose it is now; nil: nobody's */
    bool ownerless;         /* of that: the log does not tell any more whose it was */
    struct dbk_slice event_type; /* of an event.recorded; else length 0 */
};

/* Look at a record; whose it is now, for which the log is asked, only where `owner` says
 * so. */
void seen_look(struct dbk_log *log, const struct dbk_record *record, bool owner,
               struct seen *out);
/* Look again whose it is. */
void seen_ask_owner(struct dbk_log *log, struct seen *seen);

#endif
