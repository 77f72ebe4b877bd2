/* daybook export - writes the log, or a part of it, to a file or a pipe. */
#include "audit_file.h"
#include "command.h"
#include "compress.h"
#include "escape.h"
#include "export_beside.h"
#include "export_checkpoint.h"
#include "export_output.h"
#include "export_run.h"
#include "export_salvage.h"
#include "plural.h"
#include "progress.h"
#include "signals.h"
#include "tool_data.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* What the command line asks for. */
struct wish {
    const char *path; /* NULL: standard output */
    enum export_format format;
    enum compression compression;
    bool follow, force, json;
    bool unseal;
    struct export_select select;
};

/* By --format, else by the ending of the file's name, before .gz or .zst. */
static bool read_format(const struct tool *tool, struct wish *wish)
{
    static const char *const endings[] = {".msgpack", ".csv"};
    static const enum export_format formats[] = {EXPORT_MSGPACK, EXPORT_CSV};
    const char *text = tool_value(tool, "--format");
    size_t length = wish->path ? strlen(wish->path) : 0;

    if (text)
        return export_format_parse(text, &wish->format);
    if (wish->path && compression_of(wish->path) != COMPRESSION_NONE)
        length = (size_t)(strrchr(wish->path, '.') - wish->path);
    for (size_t i = 0; i < 2; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending &&
            !memcmp(wish->path + length - ending, endings[i], ending))
            wish->format = formats[i];
    }
    return true;
}

static bool read_compression(const struct tool *tool, struct wish *wish)
{
    bool gzip = tool_has(tool, "--gzip"), zstd = tool_has(tool, "--zstd");
    enum compression named = COMPRESSION_NONE;

    if (wish->path)
        named = compression_of(wish->path);
    wish->compression = gzip ? COMPRESSION_GZIP : zstd ? COMPRESSION_ZSTD : named;
    return !(gzip && zstd) && (named == COMPRESSION_NONE || named == wish->compression);
}

static enum tool_exit read_wish(const struct tool *tool, struct wish *wish)
{
    struct dbk_error err;

    *wish = (struct wish){.follow = tool_has(tool, "--follow"),
                          .force = tool_has(tool, "--force"),
                          .json = tool_has(tool, "--json"),
                          .unseal = tool_has(tool, "--unseal")};
    if (tool->operand_count > 0 && !*tool->operands[0])
        return tool_misused(tool, "FILE is empty: name a file");
    if (tool->operand_count > 0 && strcmp(tool->operands[0], "-") != 0)
        wish->path = tool->operands[0];
    if (!read_format(tool, wish))
        return tool_misused(tool,
                            "--format is \"%.64s\": expected ndjson, msgpack or csv",
                            tool_value(tool, "--format"));
    if (!read_compression(tool, wish))
        return tool_misused(tool, "--gzip, --zstd and the file's ending exclude each "
                                  "other: name one");
    if (export_select_read(tool, &wish->select, &err) != DBK_OK)
        return tool_misused(tool, "%s", err.text);
    if (wish->unseal && wish->format == EXPORT_MSGPACK)
        return tool_misused(tool,
                            "--unseal is for ndjson and csv: msgpack has the very "
                            "bytes of the records");
    if (wish->unseal && tool_has(tool, "--salvage"))
        return tool_misused(tool, "--salvage takes what can be read as it lies in the "
                                  "log, sealed: give it without --unseal");
    if (!wish->path && (wish->json || wish->force))
        return tool_misused(tool, "--json and --force are for an export to a file");
    if (!wish->path && isatty(STDOUT_FILENO) &&
        (wish->format == EXPORT_MSGPACK || wish->compression != COMPRESSION_NONE))
        return tool_misused(tool, "not to a terminal: name a file");
    return TOOL_DONE;
}

/* Asked once to stop, following ends well; asked again, at once. */
static void forget(void *context)
{
    (void)context;
    if (signals_came())
        signals_forget();
}

static void print_unsealed(const struct export_trailer *trailer)
{
    printf("unsealed      for reading: it cannot be imported, and erases nobody whom "
           "the log "
           "erases; %s of erased persons %s nothing\n",
           plural(trailer->erased, "records").text,
           trailer->erased == 1 ? "says" : "say");
}

/* Only of records 1 on, all of them, can it be held against the export alone. */
static void print_checkpoint(const struct export_trailer *trailer)
{
    char text[EXPORT_CHECKPOINT_MAX];
    struct dbk_slice note = {text, export_trailer_note(trailer, text)};
    struct dbk_log_checkpoint is;

    if (note.length == 0 || audit_checkpoint_parse(note, &is, NULL) != DBK_OK)
        return;
    printf("checkpoint    of the first %" PRIu64 " records, signed by ", is.size);
    escape_plain(stdout, dbk_slice(is.origin));
    puts(trailer->records < trailer->last || is.size > trailer->last
             ? "; not all of them are in this file, so it cannot be held against it"
             : "");
}

static void print_text(const struct wish *wish, const struct export_trailer *trailer,
                       bool unsealed, uint64_t bytes, double seconds)
{
    char beside[PATH_MAX];

    printf("file          %s\n", wish->path);
    printf("records       %" PRIu64, trailer->records);
    if (trailer->records > 0)
        printf(", %" PRIu64 " to %" PRIu64, trailer->first, trailer->last);
    puts(trailer->whole ? ", the whole log" : "");
    printf("bytes         %" PRIu64 "\n", bytes);
    if (unsealed)
        print_unsealed(trailer);
    if (trailer->escaped > 0)
        printf("escaped       %s that a spreadsheet would run, by a ' in front\n",
               plural(trailer->escaped, "cells").text);
    printf("sha256        %s\n", trailer->sha256);
    print_checkpoint(trailer);
    if (wish->format == EXPORT_CSV &&
        export_beside_name(wish->path, beside, NULL) == DBK_OK)
        printf("trailer       %s\n", beside);
    printf("seconds       %.2f, %.0f records a second\n", seconds,
           seconds > 0 ? (double)trailer->records / seconds : 0);
}

static void print_json(const struct export_writer *writer, uint64_t bytes,
                       double seconds)
{
    char text[EXPORT_TRAILER_MAX];
    size_t length = export_writer_trailer_text(writer, text);

    printf("%.*s,\"bytes\":%" PRIu64 ",\"seconds\":%.3f}\n", (int)length - 1, text,
           bytes, seconds);
}

/* A part that holds nothing may not be what was meant. */
static void say_if_empty(const struct wish *wish, const struct export_trailer *trailer)
{
    if (!wish->path && trailer->records == 0 && !wish->select.whole)
        fputs("daybook export: 0 records\n", stderr);
}

/* Say how it ended. Who closes the pipe has seen enough, and needs no word. */
static enum tool_exit conclude(const struct tool *tool, const struct wish *wish,
                               struct dbk_error *err)
{
    if (err->code == DBK_UNAVAILABLE && !wish->path)
        return TOOL_FAILED;
    if (err->code != DBK_INTERRUPTED)
        return tool_fail(tool, err);
    if (wish->path)
        dbk_fail(err, DBK_INTERRUPTED, "stopped; %s was not written: run it again",
                 wish->path);
    else
        dbk_fail(err, DBK_INTERRUPTED,
                 "stopped; what was written has no trailer and is not whole");
    return tool_fail(tool, err);
}

/* Give a file its name, its trailer first where that stands beside it. */
static enum dbk_code keep(const struct wish *wish, const struct export_writer *writer,
                          struct export_output *output, struct dbk_error *err)
{
    char text[EXPORT_TRAILER_MAX];
    struct dbk_slice trailer = {.data = text};

    if (wish->format != EXPORT_CSV)
        return export_output_keep(output, err);
    trailer.length = export_writer_trailer_text(writer, text);
    if (!wish->path)
        fprintf(stderr, "%.*s\n", (int)trailer.length, text);
    else if (export_beside_write(wish->path, trailer, err) != DBK_OK) {
        export_output_discard(output);
        return err->code;
    }
    return export_output_keep(output, err);
}

static enum dbk_code run_into(const struct wish *wish, struct export_run *run,
                              struct dbk_salvage *salvage,
                              struct export_checkpoint *checkpoint,
                              struct export_output *output, uint64_t *bytes,
                              struct dbk_error *err)
{
    struct export_source source = run->log
                                      ? export_select_source(&run->select, run->log)
                                      : export_salvage_source(&run->select, salvage);
    struct compress_writer *out;
    enum dbk_code code = compress_writer_open(output->fd, wish->compression, &out, err);

    if (code != DBK_OK)
        return code;
    source.unsealed = run->unsealed;
    source.sign = export_checkpoint_sign;
    source.context = checkpoint;
    code = export_writer_create(wish->format, &source, out, &run->writer, err);
    if (code == DBK_OK)
        code = run->log ? export_run(run, err) : export_salvage_run(run, salvage, err);
    *bytes = compress_written(out);
    compress_writer_close(out);
    return code;
}

/* From the log, or where that is NULL from what can be salvaged. */
static enum tool_exit run_with(const struct tool *tool, const struct wish *wish,
                               struct dbk_log *log, struct dbk_salvage *salvage)
{
    struct progress progress;
    struct export_run run = {.log = log,
                             .select = wish->select,
                             .follow = wish->follow,
                             .unsealed = wish->unseal && log && dbk_log_is_sealed(log),
                             .stopping = forget};
    struct export_checkpoint checkpoint;
    struct export_output output;
    struct dbk_error err;
    uint64_t bytes = 0;
    bool missing;
    enum dbk_code code;

    export_checkpoint_begin(tool, &checkpoint);
    if (log && export_select_resolve(log, wish->follow, &run.select, &err) != DBK_OK) {
        enum tool_exit exit = tool_refuse(tool, &err);
        return err.code == DBK_NOT_FOUND ? TOOL_DIFFERENT : exit;
    }
    if (export_output_open(wish->path, wish->force, &output, &err) != DBK_OK) {
        export_select_finish(&run.select);
        return tool_fail(tool, &err);
    }
    /* A bar between lines of records on one terminal would spoil both. */
    progress_start(&progress,
                   wish->path || !isatty(STDOUT_FILENO) ? tool_progress(tool) : NULL);
    run.watch = progress_watch(&progress, NULL);
    code = run_into(wish, &run, salvage, &checkpoint, &output, &bytes, &err);
    progress_clear(&progress);
    if (code == DBK_OK)
        code = keep(wish, run.writer, &output, &err);
    else
        export_output_discard(&output);
    if (code == DBK_OK && wish->json)
        print_json(run.writer, bytes, progress_seconds(&progress));
    else if (code == DBK_OK && wish->path)
        print_text(wish, export_writer_trailer(run.writer), run.unsealed, bytes,
                   progress_seconds(&progress));
    if (code == DBK_OK) {
        say_if_empty(wish, export_writer_trailer(run.writer));
        export_checkpoint_tell(&checkpoint);
    }
    missing = code == DBK_OK && export_writer_trailer(run.writer)->missing > 0;
    export_writer_destroy(run.writer);
    export_select_finish(&run.select);
    if (code != DBK_OK)
        return conclude(tool, wish, &err);
    return missing ? TOOL_DIFFERENT : TOOL_DONE;
}

/* What can be read of a damaged log. */
static enum tool_exit run_salvage(const struct tool *tool, struct wish *wish)
{
    struct dbk_salvage *salvage;
    enum tool_exit exit;
    struct dbk_error err;

    if (wish->follow)
        return tool_misused(tool,
                            "--salvage ends with the log: give it without --follow");
    if (export_salvage_open(tool, &wish->select, &salvage, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    exit = run_with(tool, wish, NULL, salvage);
    dbk_salvage_close(salvage);
    return exit;
}

/* Its ring is needed for what is sealed, and to know a person's anonymous ids by. */
static enum dbk_code open_log(const struct tool *tool, const struct wish *wish,
                              struct dbk_log **log, struct dbk_error *err)
{
    return wish->unseal || wish->select.has_person ? tool_log_open_whole(tool, log, err)
                                                   : tool_log_open_shut(tool, log, err);
}

static enum tool_exit run(struct tool *tool)
{
    struct wish wish;
    struct dbk_log *log;
    struct dbk_error err;
    enum tool_exit exit = read_wish(tool, &wish);

    if (exit != TOOL_DONE)
        return exit;
    signals_hold();
    if (tool_has(tool, "--salvage"))
        return run_salvage(tool, &wish);
    if (open_log(tool, &wish, &log, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (wish.format == EXPORT_CSV && !wish.unseal && dbk_log_is_sealed(log)) {
        dbk_log_close(log);
        return tool_misused(tool, "the log is sealed, and csv is for reading: it needs "
                                  "--unseal");
    }
    exit = run_with(tool, &wish, log, NULL);
    dbk_log_close(log);
    return exit;
}

const struct command command_export = {
    .name = "export",
    .purpose = "write the log, or a part of it, to a file or a pipe",
    .operands = "[FILE]",
    .details =
        "Writes the records in the order of the log, each exactly as GET /log shows "
        "it,\n"
        "a JSON object a line (ndjson); or their own bytes (msgpack); or flat rows\n"
        "(csv). `daybook import` makes the very log again of a whole one; not of csv,\n"
        "nor of a part.\n"
        "\n"
        "Lines that are no records: behind every 1,000 of them a check line,\n"
        "{\"check\": ...}, has their checksums; the last one, the trailer, "
        "{\"export\":\n"
        "...}, says how many there are, the SHA-256 of all bytes before it, which "
        "log,\n"
        "range, filter and time it is of, and carries the newest checkpoint that was\n"
        "signed. So an export that was cut or changed is noticed. To leave them out:\n"
        "jq 'select(.format)'. docs/disk-format.md has it.\n"
        "\n"
        "csv: the trailer is in FILE.trailer.json, or on stderr where there is no "
        "FILE.\n"
        "A cell that a spreadsheet would run, one that begins with =, +, -, @ or "
        "such,\n"
        "has a ' in front, as has one that begins with ': take it away to have the\n"
        "recorded text.\n"
        "\n"
        "Of a sealed log what is sealed stays so: whoever has the export and not the "
        "ring\n"
        "of keys reads no name in it, and only such a one can be imported. --unseal "
        "opens\n"
        "it for reading, which csv needs: its trailer says so, no import takes it, and "
        "what\n"
        "it says stays there when a person is erased; of those who were erased before "
        "it\n"
        "has \"erased\":true.\n"
        "\n"
        "FILE's ending chooses .csv and .msgpack, and .gz and .zst behind them. It\n"
        "appears under its name when it is whole.\n"
        "\n" POSITION_HELP "\n"
        "It works beside a running server and needs no PostgreSQL. Ctrl-C ends\n"
        "--follow well, with the trailer; anything else it stops, with exit code 3.\n"
        "\n"
        "--salvage is for a damaged log: it steps over what cannot be read, and says\n"
        "which, on stderr and in the trailer; exit code 1 then. --from and --to take\n"
        "sequences there.\n",
    .example =
        "  daybook export log.ndjson.zst\n"
        "  daybook export --type person.created --from 2026-01-01 | jq .data\n"
        "  daybook export --person 9c65af1a-c109-4c17-9bf1-5f4bcac95e3c --format "
        "csv\n"
        "  daybook export --follow --from 1000 | your-program\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_max = 1,
    .options =
        {
            {"--format", "FORMAT", "ndjson (the default), msgpack or csv"},
            {"--from", "P", "Begin with this record"},
            {"--to", "P", "End with this record"},
            {"--type", "TYPE", "Only records of this type, such as event.recorded"},
            {"--person", "ID", "Only what is about this person"},
            {"--follow", NULL, "Go on with what is appended, until Ctrl-C"},
            {"--unseal", NULL, "Open what is sealed: for reading, not for import"},
            {"--salvage", NULL, "Step over what cannot be read of a damaged log"},
            {"--gzip", NULL, "Compress, as for a FILE that ends in .gz"},
            {"--zstd", NULL, "Compress, as for a FILE that ends in .zst"},
            {"--force", NULL, "Replace FILE where it is there"},
            {"--json", NULL, "Print one JSON object about the FILE"},
        },
    .run = run,
};
