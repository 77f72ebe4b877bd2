/* table.h - one read table: all that is known of its columns outside its SQL.
 *
 * A table is a file beside this one and a place in tables[]. Posting, loading and
 * comparing go through that list, so they need not be told of another table. What its
 * migration must give it: an `id` that is one row's alone, and the `sequence` of the record
 * that last changed the row.
 */
#ifndef DBK_PROJECTIONS_TABLE_H
#define DBK_PROJECTIONS_TABLE_H

#include "copy_rows.h"
#include "fold.h"
#include "pg.h"
#include "pg_array.h"

/* What a batch does to a table, in this order over all tables, so that an email that one
 * person gives up is free for the next. */
enum table_kind {
    TABLE_DELETE, /* first: a row may be another one's, or go with somebody, afterwards */
    TABLE_LOSE, /* rows that went with one who came by them in the batch and was deleted */
    TABLE_MOVE,   /* rows that come to be another one's */
    TABLE_FORGET, /* rows that are of the persons whose ids are $1 */
    TABLE_UPDATE,
    TABLE_INSERT,
    TABLE_KINDS,
};

enum { TABLE_COLUMNS = 12 };

struct table_change {
    struct pg_statement statement; /* sql NULL: this is never done to the table */
    /* Its parameters: an array with an element a row each. Up to the first that is 0. */
    enum pg_element columns[TABLE_COLUMNS];
    /* What has no row, where the statement divides by zero. It is told one parameter
     * more, how many of the first elements must have one; NULL: any number. Without words it
     * is not told. */
    const char *missing;
};

/* The arrays of one change under construction. */
struct table_rows {
    struct pg_array columns[TABLE_COLUMNS];
    size_t may_lack; /* so many of the last elements may have no row */
};

struct table {
    const char *name;
    const char *person;    /* its column that names the person */
    const char *anonymous; /* its column that names the anonymous id; NULL: none */

    struct table_change changes[TABLE_KINDS];
    /* Add to the arrays, which are empty, what the fold comes to in this table; those of
     * TABLE_FORGET are not its matter. */
    void (*fill)(struct table_rows rows[TABLE_KINDS], const struct fold *fold);

    /* For a retry: delete what it posts again, rows that are of the persons $1 by the log
     * itself, and of the anonymous ids $2. And afterwards: rows of the anonymous ids $1 are
     * of those in $2 (NULL: nobody), and gone up to the sequences $3. sql NULL: none are. */
    struct pg_statement drop, settle;

    /* Scripts for a load: empty it, take rows by binary COPY, and once those of all
     * tables are there, gather statistics; before that, a table whose rows come from
     * another's is filled by the last one, and its COPY has none. */
    const char *truncate, *copy, *analyze;
    /* The row, if any, that a person (or an event) comes to at the end of a log: what an
     * insert of it would make. NULL: none. Errors as copy_rows_end. */
    enum dbk_code (*copy_person)(struct copy_rows *copy,
                                 const struct fold_person *person,
                                 struct dbk_error *err);
    enum dbk_code (*copy_event)(struct copy_rows *copy, const struct fold_event *event,
                                struct dbk_error *err);
};

/* In the order in which rows are updated and inserted; they are deleted in the opposite
 * one, so a table whose rows come from another's stands behind it. */
enum table_place { TABLE_PERSON, TABLE_EVENT, TABLES };
extern const struct table *const tables[TABLES];

extern const struct table table_person, table_event;

#endif
