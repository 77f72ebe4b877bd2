/* backup.h - copies a log while it is written to, and brings copies up to date. */
#ifndef DBK_STORE_BACKUP_H
#define DBK_STORE_BACKUP_H

#include "store/keys.h"
#include "store/verify.h"

#include <stdbool.h>
#include <stdint.h>

struct dbk_backup_options {
    bool compact;           /* leave free pages out, which takes longer */
    struct dbk_watch watch; /* told of MiB; the copy may end well before the total */
};

/* Copy the log in directory source, as it is at one moment and beside whoever uses it, to
 * the directory dir, which is made (0700) and must not hold anything. File and folder are
 * synced. On failure what was begun is removed. The original's file grows meanwhile, as
 * for any long reader. Copying happens in a child process: for processes that have no
 * other threads that take locks.
 *
 * DBK_EXISTS       dir holds something
 * DBK_INTERRUPTED  the watch said stop
 * DBK_DAMAGED      the log's file is; without compact the copy is damaged too, as a rule
 * DBK_NOT_FOUND, DBK_UNSUPPORTED  there is no log in source that can be opened
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_backup(const char *source, const char *dir,
                             const struct dbk_backup_options *options,
                             struct dbk_error *err);

struct dbk_backup_append_options {
    /* Told what is not right of what was appended, or was to be: as in verify.h. */
    void (*finding)(void *context, uint64_t sequence, const char *text);
    void *context;
    struct dbk_keys
        *keys; /* the ring of the log's keys, where it is sealed; borrowed */
    struct dbk_watch watch;
};

struct dbk_backup_appended {
    struct dbk_uuid store_id; /* of both */
    uint64_t before, head;    /* the last record of the backup: before, and now */
    uint64_t findings;        /* all; the first hundred are told */
    bool sealed;              /* both are */
};

/* Bring the backup in dir up to the head of the log in directory source, beside whoever
 * uses that: append the records that are new with the bytes they have, change the indexes
 * as they say, and take over the idempotency keys that answer for them. First the last
 * record of the backup is held against the log's: only a backup of this very history is
 * added to. Nothing is written where nothing is new.
 *
 * Each step is one durable transaction of some thousand records: whoever reads the backup
 * meanwhile, or after a kill or a power cut at any moment, has a whole log up to some
 * record, never before *before. Then what was appended is read again: checksums, bytes,
 * order, and the index entries of what it is about are held against the log's own. What
 * was there before is not read again.
 *
 * The caller sees to it that one process at a time does so. In a child process: for
 * processes that have no other threads that take locks.
 *
 * DBK_OK           done; with findings, the log is damaged behind out->head, or what was
 *                  appended does not read back right
 * DBK_CONFLICT     of another log, or of another history: err tells; it is as it was
 * DBK_DAMAGED      the end of the backup is, or the structure of either file
 * DBK_INTERRUPTED  the watch said stop; what was appended stays
 * DBK_NOT_FOUND, DBK_UNSUPPORTED  there is no log, or no backup, that can be opened; or they are
 *                  sealed, and there are no keys
 * DBK_NO_ROOM, DBK_IO
 */
enum dbk_code dbk_log_backup_append(const char *source, const char *dir,
                                    const struct dbk_backup_append_options *options,
                                    struct dbk_backup_appended *out,
                                    struct dbk_error *err);

/* Look through the backup in dir (or any log): is there each record from 1 on, with the
 * right checksum? result->whole then; its indexes are not looked at. Quick: as fast as the
 * disk reads. options->scratch_dir is not used. In a child process, too.
 *
 * DBK_OK    it was looked through; result tells
 * DBK_INTERRUPTED, and as dbk_log_verify
 */
enum dbk_code dbk_log_backup_look(const char *dir,
                                  const struct dbk_verify_options *options,
                                  struct dbk_verify_result *result,
                                  struct dbk_error *err);

#endif
