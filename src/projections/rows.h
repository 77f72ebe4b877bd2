/* rows.h - filling struct dbk_rows. */
#ifndef DBK_PROJECTIONS_ROWS_H
#define DBK_PROJECTIONS_ROWS_H

#include "projections/read_model.h"

/* No rows; keeps the memory. */
void rows_clear(struct dbk_rows *rows);

/* Only the first count rows. */
void rows_truncate(struct dbk_rows *rows, size_t count);

/* False when out of memory; the rows are as before then. */
bool rows_add(struct dbk_rows *rows, uint64_t cursor, uint64_t version,
              struct dbk_slice json);

#endif
