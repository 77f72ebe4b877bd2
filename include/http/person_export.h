/* person_export.h - everything that is held of one person, as a JSON object.
 *
 *     {"person_id": "…", "sequence": 1042, "exported_at": "…", "deleted": false,
 *      "erased": false, "restricted_by": null, "person": {…}, "aliases": [{…}],
 *      "records": [{…}]}
 *
 * As of one sequence: nothing that was appended behind it is told. person is the person as of
 * then, in the API's shape without events; null where it was deleted. aliases have anonymous_id,
 * datetime_created and sequence. records are the log's about the person, oldest first, as GET
 * /log shows them: the person's own, those of the person's events, and those of events with an
 * anonymous id that is the person's, also of before it was. One that cannot be read is
 * {"sequence": …, "unreadable": "why"}. restricted_by is the sequence of the person.restricted;
 * where erased is true the keys of what the records said are destroyed, and records are those
 * that say nothing but who and when.
 *
 * It is made piece by piece, so memory does not grow with what there is of the person.
 */
#ifndef DBK_HTTP_PERSON_EXPORT_H
#define DBK_HTTP_PERSON_EXPORT_H

#include "store/history.h"
#include "store/render.h"

struct dbk_person_export; /* one under way; one thread at a time has it */

/* Begin one, of a person who is or was in the log. history is of that log, or NULL: then each
 * record of the log is looked at. Both must outlive it. End it with dbk_person_export_end.
 *
 * DBK_NOT_FOUND  no record is about a person with this id
 * DBK_BUSY       the person is changed all the time
 * DBK_DAMAGED    the person's entry in the log's indexes is damaged, or its key is not here
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY
 */
enum dbk_code dbk_person_export_begin(struct dbk_log *log, struct dbk_history *history,
                                      const struct dbk_uuid *id,
                                      struct dbk_person_export **export,
                                      struct dbk_error *err);
void dbk_person_export_end(struct dbk_person_export *export); /* NULL is fine */

/* Up to which record it tells. */
uint64_t dbk_person_export_sequence(const struct dbk_person_export *export);

/* Add the next piece of the object to out, of about 128 KiB. False: that was the last, or it
 * failed, which *code tells: as dbk_log_record and dbk_history_find, but not for what cannot be
 * read of a record; DBK_BUSY: the person was erased meanwhile; DBK_NO_MEMORY also of out. */
bool dbk_person_export_next(struct dbk_person_export *export, struct dbk_render *out,
                            enum dbk_code *code, struct dbk_error *err);

#endif
