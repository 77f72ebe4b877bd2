/* reseal_source.h - the log that another one is made of, and where it is sealed its ring: read
 * only, and both left as they are. */
#ifndef DBK_TOOLS_RESEAL_SOURCE_H
#define DBK_TOOLS_RESEAL_SOURCE_H

#include "backup_folder.h"
#include "command.h"
#include "store/log.h"

struct reseal_source {
    const char *given; /* as it was named; borrowed */
    struct dbk_log *log;
    uint64_t head;              /* as of when it was opened */
    uint64_t expired;           /* all events up to this sequence are; 0: none is */
    uint64_t keys;              /* so many numbers its ring has; 0: it is not sealed */
    char master[DBK_KEYS_PATH]; /* of a sealed one: the file of its master key */
    char ring[PATH_MAX];        /* and the ring's folder */
    /* Private: */
    char folder[PATH_MAX];
    struct backup_folder use;
    struct dbk_keys *ring_keys;
};

/* Open the log at path: a data directory, the log in it, or a backup. Of a sealed one with the
 * ring that lies there, by the master key that lies beside that, or the one that is configured.
 * It stays until source is closed, which is to be done either way.
 *
 * DBK_CONFLICT     a server runs on it; or it is a cluster's member; or the ring is another
 *                  log's, or another master key's, or older than the log's last erasure
 * DBK_NOT_FOUND    there is no log; or, where it is sealed, no ring or no master key
 * and as dbk_log_open and dbk_keys_open; err says what to do */
enum dbk_code reseal_source_open(const struct tool *tool, const char *path,
                                 struct reseal_source *source, struct dbk_error *err);

/* Whether nothing was appended to it since. DBK_CONFLICT: something was, or a server runs. */
enum dbk_code reseal_source_check(const struct reseal_source *source,
                                  struct dbk_error *err);

void reseal_source_close(struct reseal_source *source);

#endif
