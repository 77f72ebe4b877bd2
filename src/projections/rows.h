/* rows.h - filling struct dbk_rows: the JSON of one row after the other. */
#ifndef DBK_PROJECTIONS_ROWS_H
#define DBK_PROJECTIONS_ROWS_H

#include "projections/read_model.h"

/* No rows; keeps the memory. */
void rows_clear(struct dbk_rows *rows);

/* Only the first count rows. */
void rows_truncate(struct dbk_rows *rows, size_t count);

/* Write at the end of the row that is being made. Once out of memory nothing more is
 * written, and rows_end says so. text is UTF-8, as PostgreSQL makes sure. */
void rows_raw(struct dbk_rows *rows, const char *bytes, size_t length);
void rows_string(struct dbk_rows *rows, struct dbk_slice text); /* quoted, escaped */
void rows_uuid(struct dbk_rows *rows, const struct dbk_uuid *id);
void rows_timestamp(struct dbk_rows *rows, dbk_timestamp at);
#define rows_text(rows, literal) rows_raw((rows), "" literal, sizeof(literal) - 1)

/* All that was written since the last row is a row. False when out of memory: it is not
 * there then. */
bool rows_end(struct dbk_rows *rows, uint64_t cursor, uint64_t version);

#endif
