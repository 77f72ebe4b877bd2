/* daybook person restricted: who is, since when, and who said so. */
#include "escape.h"
#include "person_parts.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>

/* Who was erased stays restricted in the log, but there is nothing to keep from anybody. */
static enum dbk_code is_erased(struct dbk_log *log, const struct dbk_uuid *id,
                               bool *erased, struct dbk_error *err)
{
    struct dbk_person_state person;
    enum dbk_code code = dbk_log_person(log, id, &person, err);

    *erased = code == DBK_OK && person.erased;
    return code;
}

/* The record tells when, and by whom. */
static enum dbk_code print_one(struct dbk_log *log, const struct dbk_uuid *id,
                               struct dbk_batch *batch, struct dbk_error *err)
{
    char text[DBK_UUID_TEXT + 1], since[DBK_TIMESTAMP_TEXT + 1];
    struct dbk_record record;
    uint64_t sequence;
    bool erased;

    if (dbk_log_restricted(log, id, &sequence, err) != DBK_OK ||
        is_erased(log, id, &erased, err) != DBK_OK)
        return err->code;
    if (sequence == 0 || erased) /* 0: taken back meanwhile */
        return DBK_OK;
    if (dbk_log_record(log, sequence, batch, &record, err) != DBK_OK)
        return err->code;
    dbk_uuid_format(id, text);
    dbk_timestamp_format(record.recorded_at, since);
    printf("%s  %s  %" PRIu64, text, since, sequence);
    if (record.actor.length > 0) {
        fputs("  ", stdout);
        escape_plain(stdout, record.actor);
    }
    putchar('\n');
    return DBK_OK;
}

static enum dbk_code print_all(struct dbk_log *log, struct dbk_error *err)
{
    struct dbk_restricted all = {0};
    struct dbk_batch batch = {0};
    enum dbk_code code = dbk_log_restricted_all(log, &all, err);

    for (size_t i = 0; code == DBK_OK && i < all.count; i++)
        code = print_one(log, &all.list[i], &batch, err);
    dbk_batch_finish(&batch);
    dbk_restricted_finish(&all);
    return code;
}

enum tool_exit person_restricted(const struct tool *tool)
{
    struct dbk_log *log;
    struct dbk_error err;
    enum dbk_code code;

    if (tool_log_open(tool, &log, &err) != DBK_OK)
        return tool_fail(tool, &err);
    code = print_all(log, &err);
    dbk_log_close(log);
    return code == DBK_OK ? TOOL_DONE : tool_fail(tool, &err);
}
