/* load_rows.h - the second walk over the log: final rows, in the order of the log.
 *
 * A person's row is made where the person was created; of fields that were changed later
 * the record that set them is looked up. An event's row is made where it was recorded,
 * unless it or its person was deleted; that of an anonymous id is whose that is in the end.
 */
#ifndef DBK_PROJECTIONS_LOAD_ROWS_H
#define DBK_PROJECTIONS_LOAD_ROWS_H

#include "load_fold.h"
#include "table.h"

/* What has no rows, for nobody can read any more what is said of it. */
struct load_erased {
    uint64_t persons, events;
    uint64_t expired; /* events that are forgotten by age, whoever can read them */
};

/* Walk over the log and send its rows, those of each table (table.h) in a stream and on a
 * connection of its own, since they come by turns. The caller finishes the streams.
 * *erased receives what is left out because its key is destroyed, of events those that were not
 * deleted before; and those up to `expired` are left out.
 *
 * DBK_CONFLICT  a record contradicts those before it
 * and as load_scan, copy_rows_end
 */
enum dbk_code load_rows(const struct load_fold *fold, const struct load_source *source,
                        struct copy_rows copies[TABLES], struct load_erased *erased,
                        struct dbk_error *err);

#endif
