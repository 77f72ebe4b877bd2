/* tool_keys.h - the ring of the data directory's log, and the log with it: whoever opens the log,
 * opens it through here. A log that is not sealed needs no ring, and is opened as ever. */
#ifndef DBK_TOOLS_TOOL_KEYS_H
#define DBK_TOOLS_TOOL_KEYS_H

#include "command.h"
#include "store/keys.h"
#include "store/log.h"

#include <limits.h>

/* DATA_DIR/keys, where the ring is. False where the path is too long. */
bool tool_keys_dir(const struct config *config, char *out, size_t size,
                   struct dbk_error *err);

/* Where the ring is, and the file of its master key; "": beside it. */
struct tool_keys_place {
    char dir[PATH_MAX], master[DBK_KEYS_PATH];
};
enum dbk_code tool_keys_find(const struct config *config, struct tool_keys_place *out,
                             struct dbk_error *err);

/* Whether there is a ring, in whatever state. */
bool tool_keys_there(const struct config *config);

/* Open it, by the master key that MASTER_KEY_FILE names, or systemd hands over as master_key, or
 * that lies beside it. Errors as dbk_keys_open, each of which says what to do. Close with
 * dbk_keys_close. */
enum dbk_code tool_keys_open(const struct tool *tool, bool read_only,
                             struct dbk_keys **keys, struct dbk_error *err);

/* The ring for a log that is about to be made: made, or the one that is there, where it is of no
 * log yet. DBK_CONFLICT: it is another log's. As dbk_keys_make and dbk_keys_open. */
enum dbk_code tool_keys_make(const struct tool *tool, struct dbk_keys **keys,
                             struct dbk_error *err);

/* Open the log that is in dir, with its ring, which is closed with it; of options the fields of
 * keys are not asked, and `existing` is meant. Where it is sealed and its ring cannot be used, it
 * is open without, and why->code is what kept it from that, why->text a sentence; else why->code
 * is DBK_OK. Errors as dbk_log_open. */
enum dbk_code tool_keys_log_open(const struct tool *tool, const char *dir,
                                 const struct dbk_log_options *options,
                                 struct dbk_log **log, struct dbk_error *why,
                                 struct dbk_error *err);

/* The same as dbk_log_open, with the ring of options, which is closed with the log, and also where
 * that cannot be opened. */
enum dbk_code tool_keys_own(const char *dir, const struct dbk_log_options *options,
                            struct dbk_log **log, struct dbk_error *err);

/* Fail with DBK_UNSUPPORTED, and the sentence of `why`. */
enum dbk_code tool_keys_fail(const struct dbk_error *why, struct dbk_error *err);

#endif
