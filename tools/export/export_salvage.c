#include "export_salvage.h"

#include "escape.h"
#include "tool_data.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ASK_EVERY 256 /* records */

enum dbk_code export_salvage_open(const struct tool *tool, struct export_select *select,
                                  struct dbk_salvage **salvage, struct dbk_error *err)
{
    const struct position_range *range = &select->range;
    enum dbk_code code;
    char dir[PATH_MAX];

    *salvage = NULL;
    if ((range->has_from && range->from.is_time) ||
        (range->has_to && range->to.is_time))
        return dbk_fail(err, DBK_INVALID,
                        "--salvage takes sequences for --from and --to: times cannot "
                        "be looked up in a damaged log");
    if (!tool_log_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    select->from = range->has_from ? range->from.sequence : 1;
    code = dbk_salvage_open(dir, select->from, range->has_to ? range->to.sequence : 0,
                            salvage, err);
    if (code != DBK_OK)
        return code;
    select->to = range->has_to ? range->to.sequence : dbk_salvage_head(*salvage);
    return DBK_OK;
}

struct export_source export_salvage_source(const struct export_select *select,
                                           const struct dbk_salvage *salvage)
{
    return (struct export_source){.whole = select->whole,
                                  .store_id = dbk_salvage_store_id(salvage),
                                  .from = select->from,
                                  .to = select->to,
                                  .type = select->type,
                                  .has_person = select->has_person,
                                  .person = select->person,
                                  .exported_at = dbk_timestamp_now()};
}

/* A stretch that cannot be read, told once it ends. */
struct gap {
    uint64_t from, to; /* from 0: there is none */
    char why[sizeof((struct dbk_salvaged *)0)->why];
};

static void end_gap(struct gap *gap, struct export_writer *writer)
{
    if (gap->from == 0)
        return;
    if (gap->from == gap->to)
        fprintf(stderr, "daybook export: record %" PRIu64 " cannot be read: ", gap->to);
    else
        fprintf(stderr,
                "daybook export: records %" PRIu64 " to %" PRIu64 " cannot be read: ",
                gap->from, gap->to);
    escape_plain(stderr, dbk_slice(gap->why));
    fputc('\n', stderr);
    export_writer_miss(writer, gap->from, gap->to);
    gap->from = 0;
}

static void extend_gap(struct gap *gap, const struct dbk_salvaged *item)
{
    if (gap->from == 0) {
        gap->from = item->sequence;
        snprintf(gap->why, sizeof gap->why, "%s", item->why);
    }
    gap->to = item->sequence;
}

static enum dbk_code write_item(struct export_run *run, const struct dbk_salvaged *item,
                                struct dbk_error *err)
{
    struct export_item out = {.bytes = {item->bytes, item->length},
                              .checksum = item->checksum};

    if (dbk_record_decode(item->bytes, item->length, &out.record, err) != DBK_OK)
        return err->code;
    if (!export_selects(&run->select, &out.record))
        return DBK_OK;
    return export_writer_add(run->writer, &out, err);
}

static enum dbk_code check_watch(const struct export_run *run, uint64_t sequence,
                                 struct dbk_error *err)
{
    uint64_t before = run->select.from - 1;

    if (sequence % ASK_EVERY != 0)
        return DBK_OK;
    return dbk_watch_progress(&run->watch, "exporting", "records", sequence - before,
                              run->select.to - before, err);
}

enum dbk_code export_salvage_run(struct export_run *run, struct dbk_salvage *salvage,
                                 struct dbk_error *err)
{
    struct gap gap = {.from = 0};
    struct dbk_salvaged item;
    enum dbk_code code;

    while ((code = dbk_salvage_next(salvage, &item, err)) == DBK_OK) {
        if (item.state == DBK_SALVAGED) {
            end_gap(&gap, run->writer);
            code = write_item(run, &item, err);
        } else {
            extend_gap(&gap, &item);
        }
        if (code == DBK_OK)
            code = check_watch(run, item.sequence, err);
        if (code != DBK_OK)
            return code;
    }
    end_gap(&gap, run->writer);
    return code == DBK_NOT_FOUND ? export_writer_end(run->writer, err) : code;
}
