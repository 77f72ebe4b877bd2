#include "audit_source.h"

#include "backup_checkpoint.h"
#include "signals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_RECORDS = 4096, BATCH_BYTES = 4 << 20 };

/* Or another file that is no log's. */
static bool is_export(const char *path)
{
    size_t length = strlen(path);
    struct stat status;

    if (length >= 9 && !strcmp(path + length - 9, "/data.mdb"))
        return false;
    return !strcmp(path, "-") || (stat(path, &status) == 0 && !S_ISDIR(status.st_mode));
}

static enum dbk_code open_export(const char *path, struct audit_source *source,
                                 struct dbk_error *err)
{
    struct compress_reader *bytes;
    enum export_format format;
    struct dbk_slice front;
    enum dbk_code code = compress_reader_open(path, NULL, &bytes, err);

    if (code != DBK_OK)
        return code;
    code = compress_front(bytes, &front, err);
    if (code == DBK_OK && (!export_recognise(front, &format) || format == EXPORT_CSV))
        code = dbk_fail(err, DBK_INVALID,
                        "it is neither a log, a backup nor an export of records");
    if (code == DBK_OK)
        return export_reader_open(bytes, format, &source->reader, err);
    compress_reader_close(bytes);
    return code;
}

static enum dbk_code open_log(const char *path, struct audit_source *source,
                              struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    char folder[PATH_MAX];

    if (!backup_folder_find(path, folder))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    backup_folder_enter(&source->folder, folder);
    return dbk_log_open(folder, &options, &source->log, err);
}

static enum dbk_code read_to_the_end(struct export_reader *reader,
                                     struct dbk_error *err)
{
    struct dbk_slice bytes = {"", 1};
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; code == DBK_OK && bytes.length > 0; i++) {
        code = export_reader_next(reader, &bytes, err);
        if (i % BATCH_RECORDS == 0 && signals_came())
            return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    }
    return code;
}

/* What is wrong with it is told by who reads it for its records. */
static enum dbk_code note_of_export(const char *path, char **text, size_t *length,
                                    struct dbk_error *err)
{
    struct audit_source source = {0};
    enum dbk_code code = open_export(path, &source, err);

    if (code == DBK_OK)
        code = read_to_the_end(source.reader, err);
    if (code == DBK_OK) {
        *text = calloc(1, EXPORT_CHECKPOINT_MAX);
        if (!*text)
            code = dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
        else
            *length = export_trailer_note(export_reader_trailer(source.reader), *text);
    }
    export_reader_close(source.reader);
    if (code == DBK_OK && *length == 0) {
        free(*text);
        *text = NULL;
    }
    return code == DBK_INTERRUPTED || code == DBK_NO_MEMORY ? code : DBK_OK;
}

enum dbk_code audit_source_checkpoint(const char *path, char name[AUDIT_SOURCE_NAME],
                                      char **text, size_t *length,
                                      struct dbk_error *err)
{
    char folder[PATH_MAX];
    struct stat status;

    *text = NULL;
    *length = 0;
    if (is_export(path)) {
        if (!strcmp(path, "-") || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
            return DBK_OK;
        snprintf(name, AUDIT_SOURCE_NAME, "the trailer of %s", path);
        return note_of_export(path, text, length, err);
    }
    if (!backup_folder_find(path, folder) ||
        snprintf(name, AUDIT_SOURCE_NAME, "%s/" BACKUP_CHECKPOINT, folder) >=
            AUDIT_SOURCE_NAME)
        return DBK_OK;
    return backup_checkpoint_find(folder, text, length, err);
}

enum dbk_code audit_source_open(const char *path, struct audit_source *source,
                                struct dbk_error *err)
{
    *source =
        (struct audit_source){.folder = {.use = -1, .write = -1, .had_lock = true}};
    if (strcmp(path, "-") != 0 && access(path, F_OK) != 0)
        return dbk_fail(err, errno == ENOENT ? DBK_NOT_FOUND : DBK_IO, "%s: %s", path,
                        strerror(errno));
    if ((is_export(path) ? open_export : open_log)(path, source, err) != DBK_OK)
        return dbk_wrap(err, "%s", path);
    return DBK_OK;
}

void audit_source_close(struct audit_source *source)
{
    export_reader_close(source->reader);
    dbk_log_close(source->log);
    dbk_batch_finish(&source->batch);
    backup_folder_leave(&source->folder);
}

static enum dbk_code next_of_log(struct audit_source *source, struct dbk_slice *bytes,
                                 struct dbk_error *err)
{
    const struct dbk_batch_entry *entry;

    if (source->next == source->batch.count) {
        source->next = 0;
        if (dbk_log_read(source->log, source->given, BATCH_RECORDS, BATCH_BYTES,
                         &source->batch, err) != DBK_OK)
            return err->code;
        if (source->batch.count == 0)
            return DBK_OK;
    }
    entry = &source->batch.entries[source->next++];
    if (entry->length == 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "record %" PRIu64 " is damaged: its checksum is wrong",
                        entry->sequence);
    *bytes = (struct dbk_slice){source->batch.bytes + entry->offset, entry->length};
    return DBK_OK;
}

enum dbk_code audit_source_next(struct audit_source *source, struct dbk_slice *bytes,
                                struct dbk_error *err)
{
    enum dbk_code code;

    *bytes = (struct dbk_slice){0};
    code = source->reader ? export_reader_next(source->reader, bytes, err)
                          : next_of_log(source, bytes, err);
    if (code == DBK_OK && bytes->length > 0)
        source->given++;
    return code;
}
