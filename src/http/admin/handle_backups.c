/* GET /admin/backups: the last backup that is known, and how old it is. */
#include "handlers.h"
#include "request.h"
#include "response.h"

#include <stdlib.h>

static void render_last(const struct dbk_backup_known *last, bool ours, uint64_t head,
                        struct dbk_render *out)
{
    int64_t age = (dbk_timestamp_now() - last->at) / 1000000;

    dbk_render_text(out, "{\"head\":");
    dbk_render_number(out, last->head);
    dbk_render_text(out, ",\"at\":");
    dbk_render_timestamp(out, last->at);
    dbk_render_text(out, ",\"path\":");
    dbk_render_string(out, dbk_slice(last->path));
    dbk_render_text(out, ",\"store_id\":");
    dbk_render_uuid(out, &last->store_id);
    dbk_render_text(out, ",\"age_seconds\":");
    dbk_render_number(out, age > 0 ? (uint64_t)age : 0);
    dbk_render_text(out, ",\"records_behind\":");
    if (ours && head >= last->head)
        dbk_render_number(out, head - last->head);
    else
        dbk_render_text(out, "null");
    dbk_render_text(out, "}");
}

static const char *details_of(const struct dbk_backup_known *last, bool ours)
{
    if (last->head == 0)
        return "No backup is known: daybook backup makes one";
    return ours ? DETAILS_OK
                : "The last backup that is known is of another log: daybook backup "
                  "makes one of this";
}

enum dbk_code handle_get_backups(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    const struct dbk_server_options *options = &rq->service->options;
    struct dbk_uuid store_id = dbk_log_store_id(rq->service->log);
    struct dbk_backup_known *last = calloc(1, sizeof *last);
    enum dbk_code code;
    uint64_t head;
    bool ours;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look for backups");
    if (dbk_log_head(rq->service->log, &head, err) != DBK_OK) {
        free(last);
        return err->code;
    }
    if (options->backups)
        options->backups(options->backups_context, last);
    ours = dbk_uuid_equal(&last->store_id, &store_id);
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"last\":");
    if (last->head > 0)
        render_last(last, ours, head, &rs->body);
    else
        dbk_render_text(&rs->body, "null");
    dbk_render_text(&rs->body, "}");
    code = response_end(rs, 200, details_of(last, ours), err);
    free(last);
    return code;
}
