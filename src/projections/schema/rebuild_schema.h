/* rebuild_schema.h - schemas that come and go: made with our mark, known by it, dropped
 * without making anybody wait.
 *
 * The mark is the schema's comment. What does not carry it is never dropped. */
#ifndef DBK_PROJECTIONS_REBUILD_SCHEMA_H
#define DBK_PROJECTIONS_REBUILD_SCHEMA_H

#include "pg.h"
#include "store/watch.h"

enum { SCHEMA_NAME = 64, SCHEMA_MARK = 160 }; /* bytes, with the NUL */

/* The marks: what a schema is, and for which one. */
#define SCHEMA_SHADOW_BEGINS "daybook: being built, or replaced, for "
#define SCHEMA_SHADOW_ENDS "; daybook rebuild drops it"
#define SCHEMA_KEPT_BEGINS "daybook: kept tables of "
#define SCHEMA_KEPT_ENDS "; daybook rebuild --undo puts them back"
#define SCHEMA_REPLAY "daybook: a replay of the log"

enum schema_state { SCHEMA_ABSENT, SCHEMA_OURS, SCHEMA_FOREIGN };

/* base + suffix, base cut where PostgreSQL would else cut the suffix. */
void schema_derive(char out[SCHEMA_NAME], const char *base, const char *suffix);

/* Errors of all: as pg.h. */

/* Whether there is such a schema, and whether it carries the mark. */
enum dbk_code schema_look(struct pg *pg, const char *name, const char *mark,
                          enum schema_state *state, struct dbk_error *err);

/* Make it, with the mark, in one transaction. */
enum dbk_code schema_make(struct pg *pg, const char *name, const char *mark,
                          struct dbk_error *err);

/* Drop it with all that is in it, if it still carries the mark, in a transaction that makes
 * sure of where it is; waiting for those who still read it, some seconds.
 * DBK_CONFLICT     something outside depends on it; err names it
 * DBK_BUSY         somebody reads it for longer than that
 * DBK_INTERRUPTED  the watch said stop */
enum dbk_code schema_drop(struct pg *pg, const char *name, const char *mark,
                          const struct dbk_watch *watch, struct dbk_error *err);

/* Whether `incoming` can take the place of `live` without anybody losing anything: live
 * holds nothing that incoming lacks, and nothing outside depends on it. Indexes and
 * triggers made by hand are told to the watch. DBK_CONFLICT: err names what is in the
 * way. */
enum dbk_code schema_check_place(struct pg *pg, const char *live, const char *incoming,
                                 const struct dbk_watch *watch, struct dbk_error *err);

/* Run a query whose rows are commands, and then the commands. */
enum dbk_code schema_run_commands(struct pg *pg, const char *sql,
                                  const struct pg_param *params, int count,
                                  struct dbk_error *err);

/* Whether the last failure means: locked by somebody, try again. */
bool schema_was_locked(const struct pg *pg);
/* Sleep a little before that; DBK_INTERRUPTED. */
enum dbk_code schema_pause(const struct dbk_watch *watch, struct dbk_error *err);

#endif
