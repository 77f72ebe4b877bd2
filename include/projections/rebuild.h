/* rebuild.h - makes the read tables again from the log alone, beside the ones in use.
 *
 * The new tables are loaded into a schema of their own, SCHEMA_shadow, while the old ones
 * are read and posted to; then caught up with what was appended meanwhile, and swapped
 * with the old ones in one transaction, for which readers do not wait. Projectors notice
 * and go on with the new ones. Nothing of the old tables is used: they may be wrong, of
 * another log, or gone.
 *
 * Killed at any point, what is left behind is a schema that carries our mark as its
 * comment, and the next call, for whatever schema, drops it. Two calls for one schema at once: the second is
 * refused. All functions block; any thread, one call each at a time.
 *
 * Errors of all of them, besides their own:
 *   DBK_BUSY         another one is at work on this schema
 *   DBK_CONFLICT     a schema that is in the way is not ours, or the schema holds things
 *                    that no migration has made, which a swap would take away from those
 *                    who use them; err names them; or a server with another log posts
 *                    to the tables
 *   DBK_UNAVAILABLE  PostgreSQL cannot be reached, or refuses; run it again later
 *   DBK_INTERRUPTED  the watch said stop; nothing was changed
 *   DBK_UNSUPPORTED  the schema is newer than this program
 *   DBK_IO, DBK_NO_MEMORY, DBK_DAMAGED, as dbk_log_read
 */
#ifndef DBK_PROJECTIONS_REBUILD_H
#define DBK_PROJECTIONS_REBUILD_H

#include "projections/database.h"
#include "store/error.h"
#include "store/log.h"
#include "store/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_rebuild_result {
    uint64_t loaded;          /* the record up to which rows were loaded at once */
    uint64_t persons, events; /* rows loaded at once */
    /* Left out of these: who was erased by now, whichever record the tables are as of, and what
     * they did. */
    uint64_t erased_persons, erased_events;
    uint64_t expired_events; /* the same: events that are forgotten by age */
    uint64_t sequence;       /* the last record posted */
    uint64_t quarantined;    /* persons (and unreadable records) set aside */
    bool
        slow; /* a record could not be loaded, so all were posted batch by batch: loaded,
                  persons, events and those left out are 0 */
    uint64_t
        undone_from; /* of dbk_rebuild_undo: the record that the kept tables were at
                             before they were caught up; else 0 */
    char kept[64];   /* the schema that the old tables are kept in, "" for none */
};

struct dbk_rebuild_options {
    bool keep_old; /* keep the old tables as SCHEMA_old, in place of any kept before */
    struct dbk_watch watch;
};

/* Build the tables of database->schema anew and put them in place. Memory: 72 bytes a
 * person and 16 bytes a deleted event, each with 5 to 11 bytes more, and about 10 MB; the
 * number of events and of records does not matter. */
enum dbk_code dbk_rebuild(struct dbk_log *log, const struct dbk_database *database,
                          const struct dbk_rebuild_options *options,
                          struct dbk_rebuild_result *result, struct dbk_error *err);

/* Catch SCHEMA_old up with the log and swap it back; the tables it replaces are kept as
 * SCHEMA_old, so that this can be undone too. result: sequence, quarantined, undone_from, kept.
 * DBK_NOT_FOUND    no tables are kept
 * DBK_UNSUPPORTED  those that are belong to another log, or to another history of it */
enum dbk_code dbk_rebuild_undo(struct dbk_log *log, const struct dbk_database *database,
                               const struct dbk_watch *watch,
                               struct dbk_rebuild_result *result,
                               struct dbk_error *err);

/* Drop SCHEMA_old, and what rebuilds and replays that were killed have left behind, which
 * is told to the watch. DBK_NOT_FOUND: no tables are kept, and nothing was left. */
enum dbk_code dbk_rebuild_drop_old(const struct dbk_database *database,
                                   const struct dbk_watch *watch,
                                   struct dbk_error *err);

/* A schema of ours beside the live one. */
struct dbk_side_schema {
    const char *name;
    enum { DBK_SIDE_KEPT, DBK_SIDE_SHADOW, DBK_SIDE_REPLAY } kind;
    bool held;      /* a shadow that somebody works on; else it was left behind */
    bool has_bytes; /* false while its tables are locked */
    uint64_t bytes; /* of its tables, with their indexes */
};

/* Visit all of the database, by name; they take room, too. one is borrowed for the call.
 * Waits for no lock. Errors as dbk_tables_read. */
enum dbk_code dbk_side_schemas(const struct dbk_database *database,
                               void (*visit)(void *context,
                                             const struct dbk_side_schema *one),
                               void *context, struct dbk_error *err);

#define DBK_REPLAY_HEAD UINT64_MAX

struct dbk_replay_options {
    const char *into; /* the schema: a to z, 0 to 9 and _, at most 56, no digit first */
    uint64_t from;    /* leave out events recorded before it; 0: none */
    uint64_t to; /* the last record that counts; DBK_REPLAY_HEAD: the last there is */
    bool follow; /* go on posting what is appended, until the watch says stop */
    struct dbk_watch watch;
};

/* Make the read tables as they were at a point of the log, in a schema of their own, with
 * a checkpoint; in place of an earlier replay of that name. With follow the watch's stop
 * is the regular end, DBK_OK. result as dbk_rebuild, without kept.
 * DBK_INVALID   into is no such name, or is the schema of the live tables or belongs to
 *               it
 * DBK_CONFLICT  also: the schema is there and is no replay
 */
enum dbk_code dbk_replay(struct dbk_log *log, const struct dbk_database *database,
                         const struct dbk_replay_options *options,
                         struct dbk_rebuild_result *result, struct dbk_error *err);

#endif
