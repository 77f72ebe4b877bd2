/* Parameters in, values out. */
#include "pg.h"
#include "pg_wire.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Microseconds from 1970-01-01, ours, to 2000-01-01, PostgreSQL's. */
#define EPOCH_2000_US INT64_C(946684800000000)

struct pg_param pg_text(const char *text)
{
    return (struct pg_param){text, 0, false};
}

struct pg_param pg_uuid(const struct dbk_uuid *id)
{
    return (struct pg_param){(const char *)id->bytes, sizeof id->bytes, true};
}

void pg_put_int4(char out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (char)(unsigned char)(value >> (24 - 8 * i));
}

struct pg_param pg_int8(char out[8], int64_t value)
{
    uint64_t bits = (uint64_t)value;

    pg_put_int4(out, (uint32_t)(bits >> 32));
    pg_put_int4(out + 4, (uint32_t)bits);
    return (struct pg_param){out, 8, true};
}

struct pg_param pg_timestamp(char out[8], dbk_timestamp at)
{
    return pg_int8(out, at - EPOCH_2000_US);
}

struct pg_param pg_bytes(struct dbk_slice bytes)
{
    assert(bytes.length <= INT_MAX); /* the callers' own bounds lie far below */
    return (struct pg_param){bytes.data ? bytes.data : "", (int)bytes.length, true};
}

static const PGresult *inside(const struct pg_result *result)
{
    return (const PGresult *)result;
}

size_t pg_rows(const struct pg_result *result)
{
    return (size_t)PQntuples(inside(result));
}

uint64_t pg_affected(const struct pg_result *result)
{
    /* libpq takes a plain pointer here and changes nothing. */
    return strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
}

bool pg_null(const struct pg_result *result, size_t row, int column)
{
    return PQgetisnull(inside(result), (int)row, column) != 0;
}

struct dbk_slice pg_value(const struct pg_result *result, size_t row, int column)
{
    return (struct dbk_slice){PQgetvalue(inside(result), (int)row, column),
                              (size_t)PQgetlength(inside(result), (int)row, column)};
}

uint64_t pg_u64(const struct pg_result *result, size_t row, int column)
{
    return strtoull(pg_value(result, row, column).data, NULL, 10);
}

bool pg_bool(const struct pg_result *result, size_t row, int column)
{
    return pg_value(result, row, column).data[0] == 't';
}

int64_t pg_binary_int8(const struct pg_result *result, size_t row, int column)
{
    struct dbk_slice value = pg_value(result, row, column);
    uint64_t bits = 0;

    for (size_t i = 0; i < value.length; i++)
        bits = bits << 8 | (unsigned char)value.data[i];
    return (int64_t)bits;
}

dbk_timestamp pg_binary_timestamp(const struct pg_result *result, size_t row,
                                  int column)
{
    return pg_binary_int8(result, row, column) + EPOCH_2000_US;
}

void pg_binary_uuid(const struct pg_result *result, size_t row, int column,
                    struct dbk_uuid *out)
{
    struct dbk_slice value = pg_value(result, row, column);

    *out = (struct dbk_uuid){{0}};
    if (value.length == sizeof out->bytes)
        memcpy(out->bytes, value.data, sizeof out->bytes);
}

/* Source: jsonb_send in PostgreSQL: a version, 1, then the text. */
struct dbk_slice pg_binary_jsonb(const struct pg_result *result, size_t row, int column)
{
    struct dbk_slice value = pg_value(result, row, column);

    return value.length > 0 ? (struct dbk_slice){value.data + 1, value.length - 1}
                            : value;
}

void pg_clear(struct pg_result *result)
{
    PQclear((PGresult *)result);
}
