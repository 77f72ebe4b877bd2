/* tool_data.h - what a subcommand works with: the log in the data directory that it is
 * told, and the PostgreSQL that DB_HOST names, or the private cluster beside that log. */
#ifndef DBK_TOOLS_TOOL_DATA_H
#define DBK_TOOLS_TOOL_DATA_H

#include "command.h"
#include "projections/cluster.h"
#include "projections/database.h"
#include "store/log.h"
#include "store/uuid.h"

/* DATA_DIR/log, where the log is. False where the path is too long. */
bool tool_log_dir(const struct config *config, char *out, size_t size,
                  struct dbk_error *err);

/* DATA_DIR/history, where the history index is. False as above. */
bool tool_history_dir(const struct config *config, char *out, size_t size,
                      struct dbk_error *err);

/* DATA_DIR/audit, where what signs the log is. False as above. */
bool tool_audit_dir(const struct config *config, char *out, size_t size,
                    struct dbk_error *err);

/* Open the log for reading. Where there is none, DBK_NOT_FOUND tells the directory and
 * what in it says that one was; else errors as dbk_log_open. Close with dbk_log_close.
 *
 * A sealed log is opened with its ring (tool_keys.h). Without one that can be used it is open all
 * the same, for what is in the clear; that is said at warn. */
enum dbk_code tool_log_open(const struct tool *tool, struct dbk_log **log,
                            struct dbk_error *err);

/* The same without its ring, for who needs nothing but the bytes of its records. */
enum dbk_code tool_log_open_shut(const struct tool *tool, struct dbk_log **log,
                                 struct dbk_error *err);

/* The same for who needs what it says of persons, too. DBK_UNSUPPORTED: it is sealed, and its ring
 * cannot be used; err says why, and what to do. */
enum dbk_code tool_log_open_whole(const struct tool *tool, struct dbk_log **log,
                                  struct dbk_error *err);

struct tool_database {
    struct dbk_database at;      /* how to connect; borrowed from config or cluster */
    struct dbk_cluster *cluster; /* NULL: DB_HOST names a server */
};

/* Say how to connect, starting the private cluster where it is meant and none runs, or
 * with attach_only refusing that (DBK_UNAVAILABLE). A server that DB_HOST names is not
 * asked. store_id may be NULL: it is then read from the log, if it is needed.
 *
 * A signal that is held back (signals.h) ends the wait: DBK_INTERRUPTED. Else errors as
 * dbk_cluster_open and dbk_log_open have them. Close with tool_database_close.
 */
enum dbk_code tool_database_open(const struct tool *tool,
                                 const struct dbk_uuid *store_id, bool attach_only,
                                 struct tool_database *out, struct dbk_error *err);
/* The same for who serves: the private cluster is opened whether it starts or not, and
 * goes on trying (dbk_cluster_away). */
enum dbk_code tool_database_keep(const struct tool *tool,
                                 const struct dbk_uuid *store_id,
                                 struct tool_database *out, struct dbk_error *err);
/* What the private cluster takes; out is zeroed where DB_HOST names a server. */
enum dbk_code tool_cluster_size(const struct tool *tool,
                                const struct dbk_uuid *store_id,
                                struct dbk_cluster_size *out, struct dbk_error *err);
void tool_database_close(struct tool_database *database); /* a zeroed one is fine */

#endif
