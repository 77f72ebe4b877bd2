/* pg_array.h - arrays as PostgreSQL's binary parameters, for unnest($1::uuid[], ...).
 *
 * Layout (array_recv in PostgreSQL): int32 dimensions, int32 has nulls, int32 element
 * oid, int32 length, int32 lower bound, then each element as int32 length (-1: NULL)
 * and its bytes; all in network order. An empty array has no dimension.
 */
#ifndef DBK_PROJECTIONS_PG_ARRAY_H
#define DBK_PROJECTIONS_PG_ARRAY_H

#include "pg.h"

/* Values are the oids of pg_type, which never change. */
enum pg_element {
    PG_INT8 = 20,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_TIMESTAMP = 1114,
    PG_UUID = 2950,
    PG_JSONB = 3802,
};

/* One array under construction. Init, add, pg_array_param, and clear to use its
 * memory again; pg_array_finish at last. A failure to grow is kept and told at the end. */
struct pg_array {
    enum pg_element element;
    size_t count;
    char *bytes; /* private from here on */
    size_t used, size;
    bool has_null;
    enum dbk_code failed;
};

void pg_array_init(struct pg_array *array, enum pg_element element);
void pg_array_clear(struct pg_array *array); /* no elements; keeps its memory */
void pg_array_finish(struct pg_array *array);

/* Add an element of the array's own type. */
void pg_array_null(struct pg_array *array);
void pg_array_int4(struct pg_array *array, int32_t value);
void pg_array_int8(struct pg_array *array, int64_t value);
void pg_array_text(struct pg_array *array, struct dbk_slice text);
void pg_array_timestamp(struct pg_array *array, dbk_timestamp at);
void pg_array_uuid(struct pg_array *array, const struct dbk_uuid *id);
void pg_array_jsonb(struct pg_array *array, struct dbk_slice json);

/* The parameter; it borrows the array's bytes until the next change.
 * DBK_NO_MEMORY, DBK_TOO_LARGE (past 1 GB, which PostgreSQL does not take). */
enum dbk_code pg_array_param(struct pg_array *array, struct pg_param *param,
                             struct dbk_error *err);

#endif
