/* apply.h - puts a fold into the read tables, all of it or nothing.
 *
 * Bulk statements, one per kind of change whatever the number of rows. A change whose
 * row is not there is refused like one that breaks a constraint: the tables have
 * diverged.
 */
#ifndef DBK_PROJECTIONS_APPLY_H
#define DBK_PROJECTIONS_APPLY_H

#include "table.h"

/* The checkpoint takes two behind that of the place, or quarantine one more; and that the
 * events were counted is asked last. */
enum { APPLY_STEPS = 5 + TABLES * TABLE_KINDS };

/* Parameters under construction; belongs to one thread and keeps its memory. */
struct apply {
    int timeout_ms;              /* for a statement, or a transaction of several */
    struct table_rows forgotten; /* ids of persons */
    struct table_rows rows[TABLES][TABLE_KINDS];
    struct pg_param params[APPLY_STEPS * (TABLE_COLUMNS + 1)];
    char numbers[7 + APPLY_STEPS][8]; /* the checkpoint has seven, a step one at most */
    struct pg_step steps[APPLY_STEPS];
    size_t step_count, param_count, number_count;
};

void apply_init(struct apply *apply);
void apply_finish(struct apply *apply);

/* From which checkpoint to which. */
struct apply_move {
    struct dbk_uuid store_id;
    uint64_t from, to;
    int64_t from_checksum,
        to_checksum;      /* of the records there, as history.h has them */
    uint64_t epoch;       /* as who took the tables over last */
    uint64_t quarantined; /* rows that the table of them has, as far as we know */
    uint64_t tables;      /* which they are: the oid of the checkpoint's */
};

/* Apply the fold and move the checkpoint in one transaction.
 *
 * DBK_MOVED    the checkpoint is not where we think: load it again
 * DBK_INVALID  the data is at fault: PostgreSQL refuses a row, or misses one
 * anything else: PostgreSQL is away, or not in order
 */
enum dbk_code apply_batch(struct apply *apply, struct pg *pg, const struct fold *fold,
                          const struct apply_move *move, struct dbk_error *err);

/* Apply the fold inside the transaction that is open. Errors but DBK_MOVED as above. */
enum dbk_code apply_within(struct apply *apply, struct pg *pg, const struct fold *fold,
                           struct dbk_error *err);

/* Delete whatever these persons, an array of their ids, have in the tables, if anything,
 * inside the transaction that is open. Errors as pg.h. */
enum dbk_code apply_forget(struct pg *pg, struct pg_array *persons, int timeout_ms,
                           struct dbk_error *err);

/* The arrays of what a retry posts again, and of what becomes of anonymous ids. */
struct apply_again {
    struct pg_array persons, anonymous_ids; /* whose rows are posted again */
    struct pg_array settled, owners, gone;  /* anonymous ids, whose, up to where */
};

void apply_again_init(struct apply_again *again);
void apply_again_finish(struct apply_again *again);

/* table.h tells what, of all tables, inside the transaction that is open. Errors as pg.h. */
enum dbk_code apply_drop(struct pg *pg, struct apply_again *again, int timeout_ms,
                         struct dbk_error *err);
enum dbk_code apply_settle(struct pg *pg, struct apply_again *again, int timeout_ms,
                           struct dbk_error *err);

/* Set one record aside, with a person (NULL: none) or an anonymous id (length 0: none), and
 * move the checkpoint past it in one transaction. Errors as apply_batch. */
enum dbk_code apply_quarantine(struct apply *apply, struct pg *pg,
                               const struct dbk_uuid *person,
                               struct dbk_slice anonymous_id, const char *reason,
                               const struct apply_move *move, struct dbk_error *err);

/* Whether the failure of the last statement is the data's fault. */
bool apply_data_fault(const struct pg *pg);

#endif
