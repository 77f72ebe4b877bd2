/* export_check.h - what must hold of an export in either format, as it is read: records
 * from 1 on without a gap, and behind them the trailer of what was read. */
#ifndef DBK_TOOLS_EXPORT_CHECK_H
#define DBK_TOOLS_EXPORT_CHECK_H

#include "export_format.h"
#include "store/slice.h"

/* Free with digest_destroy(check.digest). */
struct export_check {
    struct export_trailer trailer; /* of what was read so far */
    struct digest *digest; /* of all bytes before the trailer: whoever reads them
                                      adds them */
    bool ended;            /* behind the trailer */
};

/* Begin. DBK_NO_MEMORY. */
enum dbk_code export_check_init(struct export_check *check, enum export_format format,
                                struct dbk_error *err);

/* Count a record, and see that it is the next; place is what stands before it in err.
 * DBK_DAMAGED: something is missing, or stands elsewhere. */
enum dbk_code export_check_count(struct export_check *check, uint64_t sequence,
                                 const char *place, struct dbk_error *err);

/* See that text is the trailer of what was read. DBK_DAMAGED, DBK_INVALID,
 * DBK_UNSUPPORTED as export_reader_next has them; DBK_NO_MEMORY. */
enum dbk_code export_check_end(struct export_check *check, struct dbk_slice text,
                               const char *place, struct dbk_error *err);

/* Whether text begins so. */
bool export_starts(struct dbk_slice text, const char *with);

#endif
