/* history.h - whether read tables were posted from this log, as it is now.
 *
 * A sequence does not say so. A log that was put back to an earlier state (a snapshot, a
 * copy) and written to since has other records at the same numbers, and the same id. The
 * checksum of the record that the tables stand at tells it apart: a log is only ever
 * appended to, so who has the same record there has the same records before it.
 */
#ifndef DBK_PROJECTIONS_HISTORY_H
#define DBK_PROJECTIONS_HISTORY_H

#include "pg.h"
#include "store/log.h"

/* In place of a checksum. */
#define HISTORY_UNKNOWN INT64_C(-2) /* none: at 0, or from before there were any */
#define HISTORY_LOST INT64_C(-1)    /* was past the end of the log: no record matches */

/* Where tables stand. */
struct history_place {
    struct dbk_uuid store_id;
    uint64_t sequence;
    int64_t checksum;
};

/* As a row has it in these columns. False: the id is none. */
bool history_read(const struct pg_result *result, size_t row, int store_id,
                  int sequence, int checksum, struct history_place *out);

/* The checksum of the record at sequence, HISTORY_UNKNOWN for 0. DBK_NOT_FOUND: it is past
 * the head; and as dbk_log_checksum. */
enum dbk_code history_checksum(struct dbk_log *log, uint64_t sequence,
                               int64_t *checksum, struct dbk_error *err);
/* As a parameter of a statement: NULL where it is unknown. */
struct pg_param history_param(char out[8], int64_t checksum);

/* Hold the place against the log.
 *
 * DBK_UNSUPPORTED  it is of another log, past the end of this one, or of another history of
 *                  it; err says which, and what mends it
 * as dbk_log_checksum
 */
enum dbk_code history_check(struct dbk_log *log, const struct history_place *place,
                            struct dbk_error *err);

#endif
