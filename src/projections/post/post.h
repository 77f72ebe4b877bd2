/* post.h - posts the log to tables that no projector follows: a projector without a
 * thread. Records that PostgreSQL refuses are set aside as projector.h says. Belongs to
 * one thread. */
#ifndef DBK_PROJECTIONS_POST_H
#define DBK_PROJECTIONS_POST_H

#include "projections/database.h"
#include "projections/watch.h"
#include "store/log.h"

#include <stdbool.h>

struct post;

struct post_options {
    uint64_t events_from;          /* events recorded before it are left out; 0: none */
    const struct dbk_watch *watch; /* borrowed */
    bool endless;                  /* there is no last record: it is told no total */
};

/* Connect, migrate, read the checkpoint (making one beside empty tables). Borrows log and
 * database.
 *
 * DBK_UNSUPPORTED  the tables belong to another log, or lie past the end of this one
 * and as dbk_migrate_up
 */
enum dbk_code post_open(struct dbk_log *log, const struct dbk_database *database,
                        const struct post_options *options, struct post **post,
                        struct dbk_error *err);
void post_close(struct post *post); /* NULL is fine */

/* Post all records up to and with `to`, which is at most the head. phase is for the
 * watch. DBK_INTERRUPTED (what was posted stays), DBK_UNAVAILABLE, as dbk_log_read. */
enum dbk_code post_up_to(struct post *post, uint64_t to, const char *phase,
                         struct dbk_error *err);

/* The last record posted. */
uint64_t post_at(const struct post *post);
/* How many are in quarantine. */
uint64_t post_quarantined(const struct post *post);

#endif
