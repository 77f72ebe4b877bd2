/* copy_rows.h - rows in the binary format of COPY, gathered and sent in large pieces.
 *
 * Layout (PostgreSQL's manual, "COPY", Binary Format): the signature, int32 flags, int32
 * length of an extension (none); then each row as int16 number of fields and each field
 * as int32 length (-1: NULL) and its bytes; at last an int16 of -1. Network order.
 *
 *     copy_rows_init, then for each row: copy_rows_begin, its fields, copy_rows_end;
 *     copy_rows_conclude, copy_rows_finish
 *
 * A stream is cut into several COPY statements, so that a refusal is noticed long before
 * the end of a long one. All of them should be in one transaction. Belongs to one thread.
 */
#ifndef DBK_PROJECTIONS_COPY_ROWS_H
#define DBK_PROJECTIONS_COPY_ROWS_H

#include "pg.h"

struct copy_rows {
    struct pg *pg;   /* borrowed; takes nothing else until copy_rows_conclude */
    const char *sql; /* a COPY FROM STDIN in binary; static */
    uint64_t rows;   /* all those ended so far */
    bool failed;     /* this stream, not another part, is why a call failed */
    char *bytes;     /* private from here on */
    size_t used;
    uint64_t in_statement; /* rows in this COPY; the rest are in earlier ones */
    int fields_left;       /* of the row that was begun */
    bool open;             /* a COPY is under way */
    bool overflow;         /* a row was longer than any record can make it */
};

/* DBK_NO_MEMORY */
enum dbk_code copy_rows_init(struct copy_rows *copy, struct pg *pg, const char *sql,
                             struct dbk_error *err);
void copy_rows_finish(struct copy_rows *copy); /* what was zeroed is fine */

void copy_rows_begin(struct copy_rows *copy, int fields);
void copy_rows_null(struct copy_rows *copy);
void copy_rows_int4(struct copy_rows *copy, int32_t value);
void copy_rows_int8(struct copy_rows *copy, int64_t value);
void copy_rows_text(struct copy_rows *copy, struct dbk_slice text);
void copy_rows_timestamp(struct copy_rows *copy, dbk_timestamp at);
void copy_rows_uuid(struct copy_rows *copy, const struct dbk_uuid *id);
void copy_rows_jsonb(struct copy_rows *copy, struct dbk_slice json);
/* The row is whole; sends what has gathered, now and then. Errors as pg.h: DBK_INVALID
 * is about any row so far. */
enum dbk_code copy_rows_end(struct copy_rows *copy, struct dbk_error *err);

/* Send the rest and hear that all of it was taken. Errors as above. */
enum dbk_code copy_rows_conclude(struct copy_rows *copy, struct dbk_error *err);

#endif
