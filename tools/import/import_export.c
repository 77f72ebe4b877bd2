#include "import_export.h"

#include "audit_held.h"
#include "log_place.h"
#include "progress.h"
#include "signals.h"
#include "staged_ring.h"
#include "staging.h"
#include "store/log_builder.h"

#include <inttypes.h>

/* How many records are read between two looks at the clock. */
#define SHOW_EVERY 1024

/* A log that is filled with an export. */
struct filling {
    const char *dir;
    struct export_reader *reader;
    struct staged_ring *ring;
    struct dbk_log_builder *builder; /* NULL: no record was read */
    bool sealed;
};

/* Its first record says whether it is sealed, as all of it is then. */
static enum dbk_code begin(struct filling *filling, struct dbk_slice first,
                           struct dbk_error *err)
{
    struct dbk_record record;

    if (first.length > 0 &&
        dbk_record_decode(first.data, first.length, &record, err) != DBK_OK)
        return err->code;
    filling->sealed = first.length > 0 && record.key > 0;
    if (filling->sealed && staged_ring_open(filling->ring, err) != DBK_OK)
        return err->code;
    return dbk_log_builder_open_sealed(filling->dir,
                                       filling->sealed ? filling->ring->keys : NULL,
                                       &filling->builder, err);
}

static enum dbk_code forget(struct filling *filling, struct dbk_slice bytes,
                            struct dbk_error *err)
{
    struct dbk_record record;

    if (!filling->sealed || !filling->ring->anew)
        return DBK_OK;
    if (dbk_record_decode(bytes.data, bytes.length, &record, err) != DBK_OK)
        return err->code;
    return staged_ring_forget(filling->ring, record.key, err);
}

static enum dbk_code add(struct filling *filling, struct dbk_slice bytes,
                         struct dbk_error *err)
{
    char place[EXPORT_PLACE_MAX];
    enum dbk_code code = filling->builder ? DBK_OK : begin(filling, bytes, err);

    if (code == DBK_OK)
        code = forget(filling, bytes, err);
    if (code == DBK_OK)
        code = dbk_log_builder_add(filling->builder, bytes.data, bytes.length, err);
    if (code != DBK_DAMAGED && code != DBK_UNSUPPORTED)
        return code;
    export_reader_place(filling->reader, place);
    return dbk_wrap(err, "%s", place);
}

static uint64_t head_of(const struct filling *filling)
{
    return filling->builder ? dbk_log_builder_head(filling->builder) : 0;
}

static enum dbk_code copy(struct filling *filling, struct progress *progress,
                          struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_slice bytes = {"", 1};

    progress_phase(progress, "importing", "records");
    while (code == DBK_OK && bytes.length > 0) {
        uint64_t done = head_of(filling);
        code = export_reader_next(filling->reader, &bytes, err);
        if (code == DBK_OK && bytes.length > 0)
            code = add(filling, bytes, err);
        if (done % SHOW_EVERY != 0)
            continue;
        progress_show_share(progress, done, export_reader_share(filling->reader));
        if (code == DBK_OK && signals_came())
            code = dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    }
    progress_clear(progress);
    if (code == DBK_OK && !filling->builder)
        code = begin(filling, (struct dbk_slice){0}, err);
    return code;
}

static enum dbk_code fill(const char *dir, struct export_reader *reader,
                          struct staged_ring *ring, struct progress *progress,
                          struct dbk_error *err)
{
    struct filling filling = {.dir = dir, .reader = reader, .ring = ring};
    enum dbk_code code = copy(&filling, progress, err);

    if (code == DBK_OK)
        return dbk_log_builder_finish(filling.builder, err);
    dbk_log_builder_abandon(filling.builder);
    return code;
}

enum dbk_code import_export_fill(const struct tool *tool, const char *path,
                                 const char *dir, struct progress *progress,
                                 struct dbk_error *err)
{
    struct staged_ring ring = {.tool = tool};
    struct compress_reader *source;
    struct export_reader *reader;
    enum export_format format;
    struct dbk_slice front;
    enum dbk_code code = compress_reader_open(path, NULL, &source, err);

    if (code != DBK_OK)
        return code;
    code = compress_front(source, &front, err);
    if (code == DBK_OK && (!export_recognise(front, &format) || format == EXPORT_CSV))
        code = dbk_fail(err, DBK_INVALID,
                        "it is neither a backup nor an export that "
                        "can be imported");
    if (code != DBK_OK) {
        compress_reader_close(source);
        return dbk_wrap(err, "%s", path);
    }
    code = export_reader_open(source, format, &reader, err);
    if (code == DBK_OK)
        code = fill(dir, reader, &ring, progress, err);
    staged_ring_end(&ring);
    export_reader_close(reader);
    return code == DBK_OK ? code : dbk_wrap(err, "%s", path);
}

/* What was made, against what was signed of it. */
static enum dbk_code hold(const struct export_reader *reader, const char *dir,
                          struct audit_held *held, struct progress *progress,
                          struct dbk_error *err)
{
    char text[EXPORT_CHECKPOINT_MAX];
    struct dbk_slice note = {text,
                             export_trailer_note(export_reader_trailer(reader), text)};

    if (note.length > 0 && audit_held_add(held, "trailer", note, err) != DBK_OK)
        return err->code;
    if (audit_held_expect(held, err) != DBK_OK)
        return err->code;
    return audit_held_check(held, dir, false, progress, err);
}

static enum dbk_code import_into(const struct tool *tool, struct staging *staging,
                                 struct export_reader *reader, struct staged_ring *ring,
                                 struct audit_held *held, struct progress *progress,
                                 struct dbk_error *err)
{
    enum dbk_code code = staging_begin(tool->config, staging, err);

    if (code != DBK_OK)
        return code;
    code = fill(staging->tmp, reader, ring, progress, err);
    if (code == DBK_OK)
        code = hold(reader, staging->tmp, held, progress, err);
    if (code == DBK_OK)
        code = staged_ring_place(ring, err);
    staging->take_back = staged_ring_take_back;
    staging->context = ring;
    if (code == DBK_OK)
        return staging_place(staging, err);
    staged_ring_end(ring); /* it lies in what may be removed */
    staging_abandon(staging);
    return code;
}

static void print_keys(const struct tool *tool, const struct staged_ring *ring,
                       bool sealed)
{
    const char *dir = config_text(tool->config, SETTING_DATA_DIR);

    if (sealed && ring->anew)
        printf("keys          none: nobody in it is known any more; the ring in "
               "%s/keys is "
               "new\n",
               dir);
    else if (sealed)
        printf("keys          %s/keys, by which it is sealed\n", dir);
}

static void print_done(const struct tool *tool, const struct staging *staging,
                       const struct export_trailer *trailer,
                       const struct staged_ring *ring, bool sealed,
                       const struct audit_held *held, double seconds)
{
    if (tool_has(tool, "--json")) {
        char text[EXPORT_TRAILER_MAX];
        size_t length = export_trailer_text_1(trailer, text);
        printf("%.*s,\"sealed\":%s,\"without_keys\":%s", (int)length - 1, text,
               sealed ? "true" : "false", sealed && ring->anew ? "true" : "false");
        audit_held_print_json(held);
        printf(",\"seconds\":%.3f}\n", seconds);
        return;
    }
    printf("records       %" PRIu64 ", the whole of the export\n", trailer->records);
    printf("sha256        %s, checked\n", trailer->sha256);
    print_keys(tool, ring, sealed);
    audit_held_print(held);
    printf("seconds       %.2f, %.0f records a second\n", seconds,
           seconds > 0 ? (double)trailer->records / seconds : 0);
    printf("next          %s\n", staging_next(staging));
}

static enum tool_exit conclude(const struct tool *tool, const char *path,
                               enum dbk_code code, struct dbk_error *err)
{
    if (code == DBK_INTERRUPTED) {
        dbk_fail(err, code, "stopped; nothing was imported: run the same again");
        return tool_fail(tool, err);
    }
    tool_fail(tool, err);
    if (code != DBK_DAMAGED && code != DBK_INVALID)
        return TOOL_FAILED;
    fprintf(stderr, "daybook import: nothing of %s was imported\n", path);
    return TOOL_DIFFERENT;
}

/* Whoever writes brings the ring up to the log's erasures, and binds it to the log: else the next
 * one who only reads could not. It was sealed, where it is there at all. */
static bool settle(const struct tool *tool)
{
    struct dbk_error err;
    struct dbk_log *log;
    bool sealed;

    if (log_place_open(tool, false, NULL, &log, &err) != DBK_OK) {
        logger_line(tool->logger, LOG_LEVEL_WARN, err.text);
        return true;
    }
    sealed = dbk_log_is_sealed(log);
    dbk_log_close(log);
    return sealed;
}

static enum tool_exit run(const struct tool *tool, const char *path,
                          struct export_reader *reader, struct audit_held *held)
{
    struct staging staging;
    struct progress progress;
    struct staged_ring ring;
    struct dbk_error err;
    enum dbk_code code;
    bool sealed;

    staged_ring_begin(&ring, tool);
    progress_start(&progress, tool_progress(tool));
    code = import_into(tool, &staging, reader, &ring, held, &progress, &err);
    sealed = ring.used;
    staged_ring_end(&ring);
    if (code != DBK_OK)
        return conclude(tool, path, code, &err);
    if (sealed)
        sealed = settle(tool);
    log_place_made(tool);
    print_done(tool, &staging, export_reader_trailer(reader), &ring, sealed, held,
               progress_seconds(&progress));
    return TOOL_DONE;
}

enum tool_exit import_export(const struct tool *tool, const char *path,
                             struct compress_reader *source, enum export_format format)
{
    struct export_reader *reader = NULL;
    struct audit_held *held;
    struct dbk_error err;
    enum tool_exit exit;

    if (audit_held_begin(tool, &held, &err) != DBK_OK) {
        compress_reader_close(source);
        exit = err.code == DBK_DAMAGED ? conclude(tool, path, err.code, &err)
                                       : tool_refuse(tool, &err);
    } else if (export_reader_open(source, format, &reader, &err) != DBK_OK) {
        exit = tool_fail(tool, &err);
    } else {
        exit = run(tool, path, reader, held);
    }
    export_reader_close(reader);
    audit_held_destroy(held);
    return exit;
}
