/* Arrays in PostgreSQL's binary form. */
#include "pg_array.h"
#include "pg_wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 20             /* of an array with one dimension */
#define EMPTY 12              /* of one without */
#define ARRAY_MAX 0x3ffffff0u /* MaxAllocSize of PostgreSQL, about */

void pg_array_init(struct pg_array *array, enum pg_element element)
{
    *array = (struct pg_array){.element = element};
}

void pg_array_clear(struct pg_array *array)
{
    array->count = 0;
    array->used = 0;
    array->has_null = false;
    array->failed = DBK_OK;
}

void pg_array_finish(struct pg_array *array)
{
    free(array->bytes);
    pg_array_init(array, array->element);
}

/* Room for more bytes behind those used, or NULL. */
static char *grow(struct pg_array *array, size_t more)
{
    size_t used = array->used ? array->used : HEADER;
    size_t size = array->size ? array->size : 1024;
    char *bytes;

    if (more > ARRAY_MAX - used) {
        array->failed = DBK_TOO_LARGE;
        return NULL;
    }
    while (size < used + more)
        size *= 2;
    if (size != array->size) {
        bytes = realloc(array->bytes, size);
        if (!bytes) {
            array->failed = DBK_NO_MEMORY;
            return NULL;
        }
        array->bytes = bytes;
        array->size = size;
    }
    array->used = used + more;
    assert(array->used >= HEADER && array->used <= array->size);
    return array->bytes + used;
}

/* Where the element's bytes go, its length written before them; NULL once anything
 * failed. */
static char *element(struct pg_array *array, enum pg_element type, size_t length)
{
    char *at;

    assert(array->element == type); /* PostgreSQL would read it as something else */
    if (array->failed != DBK_OK)
        return NULL;
    if (length > ARRAY_MAX) {
        array->failed = DBK_TOO_LARGE;
        return NULL;
    }
    at = grow(array, 4 + length);
    if (!at)
        return NULL;
    pg_put_int4(at, (uint32_t)length);
    array->count++;
    return at + 4;
}

void pg_array_null(struct pg_array *array)
{
    char *at = element(array, array->element, 0);

    if (!at)
        return;
    pg_put_int4(at - 4, UINT32_MAX);
    array->has_null = true;
}

void pg_array_int4(struct pg_array *array, int32_t value)
{
    char *at = element(array, PG_INT4, 4);

    if (at)
        pg_put_int4(at, (uint32_t)value);
}

void pg_array_int8(struct pg_array *array, int64_t value)
{
    char *at = element(array, PG_INT8, 8);

    if (at)
        pg_int8(at, value);
}

void pg_array_text(struct pg_array *array, struct dbk_slice text)
{
    char *at = element(array, PG_TEXT, text.length);

    if (at && text.length > 0)
        memcpy(at, text.data, text.length);
}

void pg_array_timestamp(struct pg_array *array, dbk_timestamp when)
{
    char *at = element(array, PG_TIMESTAMP, 8);

    if (at)
        pg_timestamp(at, when);
}

void pg_array_uuid(struct pg_array *array, const struct dbk_uuid *id)
{
    char *at = element(array, PG_UUID, sizeof id->bytes);

    if (at)
        memcpy(at, id->bytes, sizeof id->bytes);
}

void pg_array_jsonb(struct pg_array *array, struct dbk_slice json)
{
    char *at = element(array, PG_JSONB, 1 + json.length);

    if (!at)
        return;
    *at = 1; /* the version of jsonb's binary form: its text follows */
    if (json.length > 0)
        memcpy(at + 1, json.data, json.length);
}

enum dbk_code pg_array_param(struct pg_array *array, struct pg_param *param,
                             struct dbk_error *err)
{
    if (array->used == 0 && array->failed == DBK_OK)
        grow(array, 0);
    if (array->failed == DBK_TOO_LARGE)
        return dbk_fail(err, DBK_TOO_LARGE, "More than 1 GB in one statement");
    if (array->failed != DBK_OK)
        return dbk_fail(err, array->failed, "out of memory");
    pg_put_int4(array->bytes, array->count > 0 ? 1 : 0);
    pg_put_int4(array->bytes + 4, array->has_null);
    pg_put_int4(array->bytes + 8, (uint32_t)array->element);
    pg_put_int4(array->bytes + 12, (uint32_t)array->count);
    pg_put_int4(array->bytes + 16, 1);
    *param = (struct pg_param){array->bytes,
                               (int)(array->count > 0 ? array->used : EMPTY), true};
    return DBK_OK;
}
