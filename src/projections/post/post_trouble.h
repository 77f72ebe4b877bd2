/* post_trouble.h - what a failure says: of the record, of PostgreSQL, or of the time it takes.
 *
 * Lists of SQLSTATEs are never complete, and a trigger can raise any of them. So what
 * PostgreSQL refuses again and again in the same place is brought down to one record, and
 * then evidence decides: where a person and an event that are nobody's can be posted,
 * changed and taken away, it is the record, and its person goes to quarantine. Where they
 * cannot, it is PostgreSQL: nobody is set aside, and the projection stands still and says so.
 *
 * What is not done in time is tried again with half the records and twice the time, down to
 * one record and up to six hours. Belongs to the poster's thread, and outlives its sessions.
 */
#ifndef DBK_PROJECTIONS_POST_TROUBLE_H
#define DBK_PROJECTIONS_POST_TROUBLE_H

#include "store/clock.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct poster;

struct post_trouble {
    int usual_ms;    /* what a statement may take, where there is no trouble */
    int patience_ms; /* what it may take now */
    int session_ms;  /* what the session is set to; 0: to be set */

    uint64_t after; /* where the tables were at the last refusal */
    unsigned times; /* in a row */
    size_t most; /* records to take at once, up to `until`; 0: as many as there are */
    uint64_t until;
};

enum post_cause {
    POST_ELSEWHERE, /* the connection, another projector, the log: no record's matter */
    POST_DATA,      /* the record's, it seems: halve at once */
    POST_UNCLEAR,   /* refused; not yet, or not certainly, the record's */
    POST_SLOW,      /* not done in time */
};

enum { POST_PATIENCE_MAX_MS = 6 * 60 * 60 * 1000 };
int post_trouble_longer(int ms); /* twice the time, up to that */

void post_trouble_init(struct post_trouble *trouble);

/* Set the session to the time that a statement may take now. Errors as pg.h. */
enum dbk_code post_trouble_set(struct poster *poster, struct dbk_error *err);

/* What the failure of the last statement says. half: when half of the time was over. */
enum post_cause post_cause(const struct poster *poster, enum dbk_code code,
                           dbk_deadline half);

/* Whether the last refusal may pass by itself: another holds a lock, a disk is full,
 * somebody cancels. So many tries it is worth; any other two. */
enum { POST_TRIES = 2, POST_PATIENT_TRIES = 10 };
bool post_trouble_passes(const struct poster *poster);

/* A refusal that is unclear, of what follows `after`: whether it has come so often that
 * what is refused is to be looked for. */
bool post_trouble_again(struct poster *poster);

/* So many records up to `last` were too slow: what is next. False where it is no more. */
void post_trouble_slow(struct poster *poster, size_t count, uint64_t last);

/* For whoever has one session only: whether posting is worth another try in it, after the
 * failure of a poster_step. */
bool post_trouble_may_pass(const struct poster *poster, enum dbk_code code);

/* All is posted up to where the tables are. */
void post_trouble_passed(struct poster *poster);

/* Whether records that are nobody's can be posted, in a transaction that is rolled back.
 * DBK_OK: they can. */
enum dbk_code post_neutral(struct poster *poster, struct dbk_error *err);

#endif
