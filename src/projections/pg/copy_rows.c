#include "copy_rows.h"

#include "pg_wire.h"
#include "store/record.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SEND_BYTES = 256 << 10, ROW_BYTES = DBK_RECORD_MAX + 4096 };
enum { STATEMENT_ROWS = 1 << 18 };
enum { COPY_MS = 120000 }; /* for one piece; a checkpoint can hold PostgreSQL up */

static const char signature[] = "PGCOPY\n\377\r\n\0" /* the 11 bytes */
                                "\0\0\0\0\0\0\0\0";  /* flags, extension */

enum dbk_code copy_rows_init(struct copy_rows *copy, struct pg *pg, const char *sql,
                             struct dbk_error *err)
{
    *copy = (struct copy_rows){.pg = pg, .sql = sql};
    copy->bytes = malloc(SEND_BYTES + ROW_BYTES);
    return copy->bytes ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

void copy_rows_finish(struct copy_rows *copy)
{
    free(copy->bytes);
    memset(copy, 0, sizeof *copy);
}

/* Room for so many bytes of the row, or NULL. */
static char *take(struct copy_rows *copy, size_t length)
{
    char *at = copy->bytes + copy->used;

    assert(copy->used <= SEND_BYTES + ROW_BYTES);
    if (length > SEND_BYTES + ROW_BYTES - copy->used) {
        copy->overflow = true;
        return NULL;
    }
    copy->used += length;
    return at;
}

/* Where the field's bytes go, behind its length. */
static char *field(struct copy_rows *copy, size_t length)
{
    char *at = take(copy, 4 + length);

    assert(copy->fields_left > 0); /* else the next ones are read as another row's */
    copy->fields_left--;

    if (!at)
        return NULL;
    pg_put_int4(at, (uint32_t)length);
    return at + 4;
}

void copy_rows_begin(struct copy_rows *copy, int fields)
{
    char *at = take(copy, 2);

    assert(copy->fields_left == 0 && fields > 0 && fields <= SCHAR_MAX);
    copy->fields_left = fields;
    if (!at)
        return;
    at[0] = 0;
    at[1] = (char)fields;
}

void copy_rows_null(struct copy_rows *copy)
{
    char *at = field(copy, 0);

    if (at)
        pg_put_int4(at - 4, UINT32_MAX);
}

void copy_rows_int4(struct copy_rows *copy, int32_t value)
{
    char *at = field(copy, 4);

    if (at)
        pg_put_int4(at, (uint32_t)value);
}

void copy_rows_int8(struct copy_rows *copy, int64_t value)
{
    char *at = field(copy, 8);

    if (at)
        pg_int8(at, value);
}

void copy_rows_text(struct copy_rows *copy, struct dbk_slice text)
{
    char *at = field(copy, text.length);

    if (at && text.length > 0)
        memcpy(at, text.data, text.length);
}

void copy_rows_timestamp(struct copy_rows *copy, dbk_timestamp when)
{
    char *at = field(copy, 8);

    if (at)
        pg_timestamp(at, when);
}

void copy_rows_uuid(struct copy_rows *copy, const struct dbk_uuid *id)
{
    char *at = field(copy, sizeof id->bytes);

    if (at)
        memcpy(at, id->bytes, sizeof id->bytes);
}

void copy_rows_jsonb(struct copy_rows *copy, struct dbk_slice json)
{
    char *at = field(copy, 1 + json.length);

    if (!at)
        return;
    *at = 1; /* the version of jsonb's binary form: its text follows */
    if (json.length > 0)
        memcpy(at + 1, json.data, json.length);
}

static enum dbk_code begin_statement(struct copy_rows *copy, struct dbk_error *err)
{
    enum dbk_code code = pg_copy_begin(copy->pg, copy->sql, COPY_MS, err);

    if (code != DBK_OK)
        return code;
    copy->open = true;
    return pg_copy_put(copy->pg, signature, sizeof signature - 1, COPY_MS, err);
}

static enum dbk_code send_bytes(struct copy_rows *copy, struct dbk_error *err)
{
    enum dbk_code code = copy->open ? DBK_OK : begin_statement(copy, err);

    if (code == DBK_OK)
        code = pg_copy_put(copy->pg, copy->bytes, copy->used, COPY_MS, err);
    copy->used = 0;
    return code;
}

static enum dbk_code end_statement(struct copy_rows *copy, struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t taken;
    char *trailer = take(copy, 2);

    if (!trailer)
        return dbk_fail(err, DBK_INTERNAL, "no room for the end of the rows");
    memset(trailer, 0xff, 2);
    code = send_bytes(copy, err);
    copy->open = false;
    if (code == DBK_OK)
        code = pg_copy_end(copy->pg, COPY_MS, &taken, err);
    if (code == DBK_OK && taken != copy->in_statement)
        code =
            dbk_fail(err, DBK_INTERNAL, "PostgreSQL took %llu rows of %llu",
                     (unsigned long long)taken, (unsigned long long)copy->in_statement);
    copy->in_statement = 0;
    return code;
}

enum dbk_code copy_rows_end(struct copy_rows *copy, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    assert(copy->fields_left == 0);
    if (copy->overflow)
        return dbk_fail(err, DBK_CONFLICT, "a row is longer than any record makes it");
    copy->rows++;
    copy->in_statement++;
    if (copy->used >= SEND_BYTES)
        code = send_bytes(copy, err);
    if (code == DBK_OK && copy->in_statement >= STATEMENT_ROWS)
        code = end_statement(copy, err);
    copy->failed = code != DBK_OK;
    return code;
}

enum dbk_code copy_rows_conclude(struct copy_rows *copy, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (copy->open || copy->used > 0)
        code = end_statement(copy, err);
    copy->failed = code != DBK_OK;
    return code;
}
