/* find_rows.h - what a statement for several persons answers: their rows and those of their
 * events, sorted out, and written as JSON. The columns are those of person_find.sql. */
#ifndef DBK_PROJECTIONS_FIND_ROWS_H
#define DBK_PROJECTIONS_FIND_ROWS_H

#include "find_person.h"
#include "pg.h"
#include "projections/model_json.h"

/* The rows of one person: its own, and those of its events, oldest first. */
struct find_one {
    bool person;
    size_t row;
    size_t count;
    struct find_event {
        uint64_t sequence;
        size_t row;
    } * events;     /* a part of find_rows.events */
    uint64_t total; /* of all its events, where some are not shown; else 0 */
};

struct find_rows {
    size_t count; /* of persons that were asked for, */
    struct pg_result *result;
    struct find_one found[FIND_TOGETHER_MAX]; /* in this order */
    struct find_event *events;
};
void find_rows_finish(struct find_rows *rows); /* a zeroed one is fine */

/* Sort out what is in result. DBK_NO_MEMORY. */
enum dbk_code find_rows_sort(struct find_rows *rows, struct dbk_error *err);

/* Only the newest events, `most` of them. True where that leaves some out. */
bool find_rows_cut(struct find_one *one, size_t most);

/* Whether the properties of an event of this one are larger than so many bytes. */
bool find_rows_have_large(const struct find_rows *rows, const struct find_one *one,
                          int64_t bytes);

/* Add the person, who is there, to those that are answered. */
void find_rows_put(const struct find_rows *rows, const struct find_one *one,
                   struct dbk_rows *out);

/* One row: the place of whose it is, from 1 on; a person's own row, or an event's. */
int64_t find_row_place(const struct pg_result *result, size_t row);
bool find_row_is_person(const struct pg_result *result, size_t row);
uint64_t find_row_sequence(const struct pg_result *result, size_t row);
/* Of a person: fill in what the row has, borrowed; its cursor and version. */
struct dbk_row find_row_person(const struct pg_result *result, size_t row,
                               struct dbk_person_view *person);
/* Of an event: as JSON, and whether its properties are larger, and thus not there. */
void find_row_put_event(const struct pg_result *result, size_t row,
                        const struct dbk_uuid *person_id, struct dbk_render *out);
bool find_row_is_large(const struct pg_result *result, size_t row, int64_t bytes);

#endif
