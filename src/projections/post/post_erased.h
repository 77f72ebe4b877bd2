/* post_erased.h - what records of who was erased no longer say.
 *
 * Tables that are behind meet records that nobody can read any more. The rows of such a person
 * go with the first of these, not only with the person.erased, for what they would say in
 * between is lost: an email that is another's by now, an anonymous id that was given up. Two
 * things are found out otherwise:
 *
 * Events of an anonymous id that can be read were no longer the person's when the keys were
 * destroyed, or these had gone along. Where the tables have them as the person's, they are
 * nobody's again, until a record that can be read says whose.
 *
 * Events of an anonymous id that cannot be read went with the person who had it, but the tables
 * may have them as nobody's, for the person.aliased says nothing any more. They are looked for by
 * a walk over what is posted: once for all that was erased by then.
 */
#ifndef DBK_PROJECTIONS_POST_ERASED_H
#define DBK_PROJECTIONS_POST_ERASED_H

#include "fold.h"
#include "store/log.h"

struct poster;

/* Of one run of records. */
struct post_erased {
    struct fold_index index; /* of the persons, their places */
    struct dbk_uuid *persons;
    size_t count, size;
    size_t asked; /* of the first of them it is known what they had given up: */
    struct post_given_up *given_up;
    size_t given_up_count, given_up_size;

    /* The rows of whoever was erased up to here are gone, or will be by a record of theirs; and
     * will be once what is folded is applied, if it was noted that some may not be. */
    uint64_t through, going_through;
    bool noted;
    struct dbk_uuid one; /* where noted: one of them */
};

void post_erased_init(struct post_erased *erased);
void post_erased_finish(struct post_erased *erased);
/* Begin another run. */
void post_erased_clear(struct post_erased *erased);

/* Begin the fold, which is empty, with what becomes of the rows of all who were noted since it
 * was cleared. Errors as pg_run, dbk_log_record. */
enum dbk_code post_erased_begin(struct poster *poster, struct dbk_error *err);

/* A record that is to be posted, and is erased. Where *count rises by it the fold is to be begun
 * again. Errors as dbk_log_person. */
enum dbk_code post_erased_note(struct poster *poster, const struct dbk_record *record,
                               struct dbk_error *err);

/* Whether the person was noted. */
bool post_erased_has(const struct post_erased *erased, const struct dbk_uuid *person);

/* Add to the poster's fold the rows that a walk finds, if what was noted asks for it. Errors as
 * dbk_erasure_find, dbk_log_each; DBK_UNAVAILABLE where the poster is stopping. */
enum dbk_code post_erased_fold(struct poster *poster, struct dbk_error *err);

#endif
