/* audit_source.h - the records of a log, a backup or an export, one after the other. */
#ifndef DBK_TOOLS_AUDIT_SOURCE_H
#define DBK_TOOLS_AUDIT_SOURCE_H

#include "backup_folder.h"
#include "export_reader.h"
#include "store/log.h"

#define AUDIT_SOURCE_NAME 4096

struct audit_source {
    uint64_t given; /* records */
    /* Private: */
    struct dbk_log *log; /* or */
    struct export_reader *reader;
    struct backup_folder folder;
    struct dbk_batch batch;
    size_t next; /* of the batch */
};

/* Open what is at the path: a data directory, the folder of a log or of a backup, or an
 * export of a whole log. Errors as dbk_log_open and export_reader_open; DBK_INVALID: it is
 * none of them. Close it either way. */
enum dbk_code audit_source_open(const char *path, struct audit_source *source,
                                struct dbk_error *err);
void audit_source_close(struct audit_source *source);

/* The checkpoint that a backup or an export carries: *text, with a NUL behind, is the caller's;
 * NULL: it carries none, or cannot be read to its end, or only once (of a pipe). All of an
 * export is read for it. name receives what it is called. DBK_INTERRUPTED, DBK_NO_MEMORY, and
 * as backup_checkpoint_find. */
enum dbk_code audit_source_checkpoint(const char *path, char name[AUDIT_SOURCE_NAME],
                                      char **text, size_t *length,
                                      struct dbk_error *err);

/* The next record's bytes, valid until the next call; length 0 behind the last. DBK_DAMAGED
 * names the record, or its place. */
enum dbk_code audit_source_next(struct audit_source *source, struct dbk_slice *bytes,
                                struct dbk_error *err);

#endif
