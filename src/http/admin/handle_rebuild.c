/* GET, POST and DELETE /admin/rebuild: the read tables made anew from the log, as daybook
 * rebuild does, by this server; how it goes, and its end. */
#include "admin.h"
#include "body_fields.h"
#include "body_values.h"
#include "handlers.h"
#include "rebuilder.h"
#include "response.h"

#include <stdio.h>
#include <stdlib.h>

/* The draft that the readers are given stands in it. */
struct draft {
    struct body_draft draft;
    bool keep_old;
};

static void read_keep_old(struct body_draft *draft, struct dbk_slice value)
{
    if (value.data[0] != 't' && value.data[0] != 'f')
        body_complain(draft, "must be true or false");
    ((struct draft *)draft)->keep_old = value.data[0] == 't';
}

/* No body is as one without members. */
static enum dbk_code read_wish(struct request *rq, bool *keep_old,
                               struct dbk_error *err)
{
    static const struct body_field table[] = {
        {"keep_old", BODY_FIELD_OPTIONAL, read_keep_old}, {0}};
    struct dbk_record record = {0};
    struct draft draft = {.draft = {.record = &record, .fields = &rq->fields}};
    enum dbk_code code;
    void *memory;

    *keep_old = false;
    if (body_says_nothing(rq->body.data, rq->body.length))
        return DBK_OK;
    code = body_read(rq->body.data, rq->body.length, table, &draft.draft, &memory, err);
    free(memory);
    *keep_old = draft.keep_old;
    return code;
}

static void number(struct dbk_render *out, const char *key, uint64_t value)
{
    dbk_render_text(out, key);
    dbk_render_number(out, value);
}

static void time_of(struct dbk_render *out, const char *key, dbk_timestamp at)
{
    dbk_render_text(out, key);
    if (at != 0)
        dbk_render_timestamp(out, at);
    else
        dbk_render_text(out, "null");
}

static void render_result(struct dbk_render *out, const struct rebuilder_status *status)
{
    const struct dbk_rebuild_result *result = &status->result;
    char seconds[32];

    number(out, "{\"loaded\":", result->loaded);
    number(out, ",\"persons\":", result->persons);
    number(out, ",\"events\":", result->events);
    number(out, ",\"sequence\":", result->sequence);
    number(out, ",\"quarantined\":", result->quarantined);
    dbk_render_text(out, result->slow ? ",\"slow\":true" : ",\"slow\":false");
    dbk_render_named(out, ",\"kept\":", dbk_slice(result->kept));
    snprintf(seconds, sizeof seconds, ",\"seconds\":%.3f}", status->seconds);
    dbk_render_text(out, seconds);
}

static const char *name_of(enum rebuilder_state state)
{
    switch (state) {
    case REBUILDER_IDLE:
        return "idle";
    case REBUILDER_RUNNING:
        return "running";
    case REBUILDER_DONE:
        return "done";
    case REBUILDER_FAILED:
        return "failed";
    case REBUILDER_STOPPED:
        return "stopped";
    }
    return "idle";
}

static void render(struct dbk_render *out, const struct rebuilder_status *status)
{
    dbk_render_named(out, "{\"state\":", dbk_slice(name_of(status->state)));
    dbk_render_named(out, ",\"phase\":", dbk_slice(status->phase));
    dbk_render_named(out, ",\"unit\":", dbk_slice(status->unit));
    number(out, ",\"done\":", status->done);
    number(out, ",\"total\":", status->total);
    time_of(out, ",\"started_at\":", status->started_at);
    time_of(out, ",\"ended_at\":", status->ended_at);
    if (status->has_left)
        number(out, ",\"seconds_left\":", status->seconds_left);
    else
        dbk_render_text(out, ",\"seconds_left\":null");
    dbk_render_named(out, ",\"reason\":", dbk_slice(status->reason));
    dbk_render_text(out, ",\"result\":");
    if (status->state == REBUILDER_DONE)
        render_result(out, status);
    else
        dbk_render_text(out, "null");
    dbk_render_text(out, "}");
}

static enum dbk_code answer(const struct request *rq, struct response *rs, int http,
                            const char *details, struct dbk_error *err)
{
    struct rebuilder_status status;

    rebuilder_status(rq->service->rebuilder, &status);
    response_begin(rs);
    render(&rs->body, &status);
    return response_end(rs, http, details, err);
}

enum dbk_code handle_get_rebuild(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    return answer(rq, rs, 200, DETAILS_OK, err);
}

enum dbk_code handle_post_rebuild(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    char who[ADMIN_WHO_TEXT];
    bool keep_old;

    if (admin_check_page(rq, err) != DBK_OK ||
        read_wish(rq, &keep_old, err) != DBK_OK || admin_reach(rq, err) != DBK_OK)
        return err->code;
    admin_who(rq, who);
    if (rebuilder_start(rq->service->rebuilder, keep_old, who, err) != DBK_OK)
        return admin_tell(rq, err);
    response_header_text(rs, "Location", "/admin/rebuild");
    return answer(rq, rs, 202,
                  "The rebuild has begun; GET /admin/rebuild tells how it goes", err);
}

enum dbk_code handle_delete_rebuild(struct request *rq, struct response *rs,
                                    struct dbk_error *err)
{
    char who[ADMIN_WHO_TEXT];

    if (admin_check_page(rq, err) != DBK_OK)
        return err->code;
    admin_who(rq, who);
    if (!rebuilder_ask_stop(rq->service->rebuilder, who))
        return answer(rq, rs, 200, "No rebuild was running", err);
    return answer(rq, rs, 202,
                  "The rebuild was asked to stop; GET /admin/rebuild tells when it has",
                  err);
}
