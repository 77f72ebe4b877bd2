/* rebuild_private.h - what rebuild, undo, replay and compare have in common.
 *
 * rebuild_open.c   the names of the schemas, the control connection, one at a time
 * rebuild_leftovers.c   the schemas beside the live ones, and what killed calls left
 * rebuild_build.c  tables in a schema of their own, from the log
 * rebuild_post.c   posts to them what the log has more
 * rebuild_swap.c   puts them in the place of others
 * rebuild.c, rebuild_undo.c, replay.c, compare.c   the public calls
 */
#ifndef DBK_PROJECTIONS_REBUILD_PRIVATE_H
#define DBK_PROJECTIONS_REBUILD_PRIVATE_H

#include "pg.h"
#include "poster.h"
#include "projections/rebuild.h"
#include "rebuild_schema.h"

/* One call. */
struct rebuild {
    struct dbk_log *log;           /* borrowed */
    const struct dbk_watch *watch; /* borrowed */
    struct pg *pg; /* the control connection: its search_path is the live schema, it
                          holds the lock that keeps others out, and waits for other
                          locks a moment only */

    /* The live schema (for a replay: the one it is to be), the one that is built in, and
     * the one that old tables are kept in. */
    char live_name[SCHEMA_NAME], shadow_name[SCHEMA_NAME], old_name[SCHEMA_NAME];
    char shadow_mark[SCHEMA_MARK], old_mark[SCHEMA_MARK];
    struct dbk_database live, shadow, old;

    struct poster poster; /* on the tables that are to be put in place */
    bool posting;         /* there is one */
    bool endless;         /* there is no last record: the watch is told no total */
};

/* log may be NULL where nothing is built. DBK_BUSY: another one is at work. */
enum dbk_code rebuild_open(struct rebuild *rebuild, struct dbk_log *log,
                           const struct dbk_database *live,
                           const struct dbk_watch *watch, struct dbk_error *err);
void rebuild_close(struct rebuild *rebuild); /* a zeroed one is fine */

/* Try for the lock of a live schema, which ends with the session. */
enum dbk_code rebuild_try_lock(struct pg *pg, const char *live, bool *locked,
                               struct dbk_error *err);

/* Drop what other calls, for whatever schema, have left behind: what is marked as being
 * built, or replaced, while nobody has the lock. Told to the watch, also what could not
 * be dropped; before the shadow is made. *dropped, if wanted, receives how many. */
enum dbk_code rebuild_drop_leftovers(struct rebuild *rebuild, unsigned *dropped,
                                     struct dbk_error *err);

/* Make the shadow, with its tables as the migrations make them and empty; what an earlier
 * call has left there is dropped. */
enum dbk_code rebuild_begin(struct rebuild *rebuild, struct dbk_error *err);

/* Fill it from the records up to `to`, and open the poster on it. Events recorded before `from`
 * are left out; 0: none. */
enum dbk_code rebuild_build(struct rebuild *rebuild, uint64_t from, uint64_t to,
                            struct dbk_rebuild_result *result, struct dbk_error *err);

/* Migrate a schema, and open the poster on it instead of what it was open on. database is
 * borrowed. Errors as dbk_migrate_up, poster_begin; then there is no poster. */
enum dbk_code rebuild_post_open(struct rebuild *rebuild,
                                const struct dbk_database *database,
                                uint64_t events_from, struct dbk_error *err);
void rebuild_post_close(struct rebuild *rebuild); /* also where there is none */

/* Post all records up to and with `to`, which is at most the head. phase is for the
 * watch.
 *
 * DBK_INTERRUPTED  the watch said stop; what was posted stays
 * DBK_CONFLICT     somebody else posts to these tables
 * as poster_step
 */
enum dbk_code rebuild_post(struct rebuild *rebuild, uint64_t to, const char *phase,
                           struct dbk_error *err);

/* Post to the built tables until little is left to be posted. */
enum dbk_code rebuild_catch_up(struct rebuild *rebuild, struct dbk_error *err);

/* The schema that comes, and what becomes of the one whose place it takes. */
struct rebuild_swap {
    const char *incoming; /* the poster is open on it */
    const char *outgoing_name, *outgoing_mark;
    const char *comment; /* of the new live schema; NULL: as the old one had it */
    bool catch_up; /* post the rest of the log first, with projectors locked out */
};
/* In one transaction. Where there is no live schema, incoming becomes it all the same. */
enum dbk_code rebuild_swap(struct rebuild *rebuild, const struct rebuild_swap *swap,
                           struct dbk_error *err);

/* After it, drop what went to the shadow's name: the tables replaced, or those that they
 * are kept in the place of. If that fails, tell the watch. */
void rebuild_drop_replaced(struct rebuild *rebuild);

/* Whether the live tables may be replaced by this log's: not while a server with another
 * log posts to them. DBK_CONFLICT: err names it. */
enum dbk_code rebuild_check_holder(struct rebuild *rebuild, struct dbk_error *err);

/* Lock out the projectors of the live tables, in the transaction that is open on the
 * control connection; DBK_OK also where there are no tables. */
enum dbk_code rebuild_lock_live(struct rebuild *rebuild, struct dbk_error *err);

/* On failure: drop the shadow, if that can be done quickly; else the next call does. */
void rebuild_abandon(struct rebuild *rebuild);

#endif
