/* post_party.h - whom a record is set aside with, where PostgreSQL refuses it: its person;
 * the anonymous id that its event has, whoever's that is, for it changes hands.
 *
 * A person.aliased or person.unaliased is the person's, and waits with it.
 */
#ifndef DBK_PROJECTIONS_POST_PARTY_H
#define DBK_PROJECTIONS_POST_PARTY_H

#include "store/log.h"

#include <stdbool.h>

struct post_party {
    struct dbk_uuid person_id;     /* nil where it has an anonymous id */
    struct dbk_slice anonymous_id; /* length 0: none, and so a person's */
};

/* Of an event.deleted the event's own record says whose it is; that is read into the batch,
 * which out may point into, as into the record. Where it cannot be read, and the record
 * names nobody, *nobody is true. Errors as dbk_log_read. */
enum dbk_code post_party(struct dbk_log *log, const struct dbk_record *record,
                         struct dbk_batch *batch, struct post_party *out, bool *nobody,
                         struct dbk_error *err);

/* For people: "person …", "the anonymous id …", "nobody". Always terminated. */
#define POST_PARTY_TEXT (DBK_ANONYMOUS_ID_MAX + 32)
void post_party_text(const struct post_party *party, bool nobody,
                     char out[POST_PARTY_TEXT]);

#endif
