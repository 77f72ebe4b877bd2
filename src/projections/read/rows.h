/* rows.h - filling struct dbk_rows: the JSON of one row after the other. */
#ifndef DBK_PROJECTIONS_ROWS_H
#define DBK_PROJECTIONS_ROWS_H

#include "projections/read_model.h"

/* No rows; keeps the memory. */
void rows_clear(struct dbk_rows *rows);

/* Only the first count rows. */
void rows_truncate(struct dbk_rows *rows, size_t count);

/* All that was written to rows->json since the last row is a row; what else there is to
 * say of it is in row. False when out of memory, also while writing: it is not there
 * then. */
bool rows_end(struct dbk_rows *rows, const struct dbk_row *row);

/* What stands in the place of the last byte of a row. */
struct rows_closing {
    size_t row;
    struct dbk_slice text;
};
/* Close rows anew, which rise. False when out of memory. */
bool rows_close(struct dbk_rows *rows, const struct rows_closing *closings,
                size_t count);

#endif
