/* load_rows.h - the second walk over the log: final rows, in the order of the log.
 *
 * A person's row is made where the person was created; of fields that were changed later
 * the record that set them is looked up. An event's row is made where it was recorded,
 * unless it or its person was deleted.
 */
#ifndef DBK_PROJECTIONS_LOAD_ROWS_H
#define DBK_PROJECTIONS_LOAD_ROWS_H

#include "copy_rows.h"
#include "load_fold.h"

/* Walk over the log and send its rows: persons and events on connections of their own,
 * since rows of both come by turns. The caller finishes the streams.
 *
 * DBK_CONFLICT  a record contradicts those before it
 * and as load_scan, copy_rows_end
 */
enum dbk_code load_rows(const struct load_fold *fold, const struct load_source *source,
                        struct copy_rows *persons, struct copy_rows *events,
                        struct dbk_error *err);

#endif
