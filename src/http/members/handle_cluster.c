/* GET /admin/cluster: the members, and which one leads. POST /admin/cluster/hand-over:
 * another is to. */
#include "admin.h"
#include "body_fields.h"
#include "body_values.h"
#include "fresh.h"
#include "handlers.h"
#include "members.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HAND_OVER_MS = 15000 };

/* The draft that the reader is given stands in it. */
struct draft {
    struct body_draft draft;
    char node[DBK_MEMBER_TEXT];
};

static void number(struct dbk_render *out, const char *key, int64_t value)
{
    dbk_render_text(out, key);
    if (value >= 0)
        dbk_render_number(out, (uint64_t)value);
    else
        dbk_render_text(out, "null");
}

static void render(const struct service *service,
                   const struct dbk_membership_look *look, struct dbk_slice members,
                   struct dbk_render *out)
{
    dbk_render_text(out, look->leads ? "{\"leads\":true" : "{\"leads\":false");
    members_render_role(service, look, out);
    dbk_render_named(out, ",\"why\":", dbk_slice(look->why));
    number(out, ",\"epoch\":", look->epoch);
    number(out, ",\"next\":", look->next);
    number(out, ",\"end\":", look->end);
    dbk_render_text(out, ",\"members\":");
    dbk_render_raw(out, members.data, members.length);
    dbk_render_text(out, "}");
}

/* Where those who keep the list do not answer, what this one knows is told all the same:
 * just then somebody looks. */
enum dbk_code handle_get_cluster(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    const struct dbk_membership *membership = rq->service->options.membership;
    struct dbk_membership_look look = {
        .leads = !membership, .next = -1, .epoch = -1, .end = -1};
    struct dbk_slice members = dbk_slice(membership ? "null" : "[]");
    char details[sizeof err->text + 64] = DETAILS_OK;
    char *json = NULL;
    size_t length = 0;

    if (membership && fresh_enter(rq, true, err) != DBK_OK)
        return err->code;
    if (membership) {
        membership->look(membership->context, &look);
        if (membership->members(membership->context, &json, &length, err) == DBK_OK)
            members = (struct dbk_slice){json, length};
    }
    if (membership && !json)
        snprintf(details, sizeof details, "The other members are not known now: %s",
                 err->text);
    response_begin(rs);
    render(rq->service, &look, members, &rs->body);
    free(json);
    return response_end(rs, 200, details, err);
}

static void read_node(struct body_draft *draft, struct dbk_slice value)
{
    struct draft *ours = (struct draft *)draft;
    struct dbk_slice text;

    if (!body_string(draft, value, &text))
        return;
    if (text.length == 0 || text.length >= sizeof ours->node ||
        memchr(text.data, '\0', text.length)) {
        body_complain(draft, "must be the name of a member");
        return;
    }
    memcpy(ours->node, text.data, text.length);
    ours->node[text.length] = '\0';
}

static enum dbk_code read_body(struct request *rq, char node[DBK_MEMBER_TEXT],
                               struct dbk_error *err)
{
    static const struct body_field table[] = {{"node", BODY_FIELD_REQUIRED, read_node},
                                              {0}};
    struct dbk_record record = {0};
    struct draft draft = {.draft = {.record = &record, .fields = &rq->fields}};
    enum dbk_code code;
    void *memory;

    code = body_read(rq->body.data, rq->body.length, table, &draft.draft, &memory, err);
    free(memory);
    memcpy(node, draft.node, sizeof draft.node);
    return code;
}

enum dbk_code handle_post_hand_over(struct request *rq, struct response *rs,
                                    struct dbk_error *err)
{
    const struct dbk_membership *membership = rq->service->options.membership;
    char node[DBK_MEMBER_TEXT];
    enum dbk_code code;

    if (!membership)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "This server is alone: it was started without CLUSTER_BROKERS");
    if (admin_check_page(rq, err) != DBK_OK || read_body(rq, node, err) != DBK_OK ||
        fresh_enter(rq, true, err) != DBK_OK)
        return err->code;
    rq->submitted = true; /* it is decided here, whatever the log has */
    code = membership->hand_over(membership->context, node, HAND_OVER_MS, err);
    rq->timed_out = "It did not take over in time, and this one leads on; daybook "
                    "cluster status tells how it is";
    if (code != DBK_OK)
        return code;
    admin_note(rq, "hand-over to %s", node);
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"leader\":");
    dbk_render_string(&rs->body, dbk_slice(node));
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 200, DETAILS_OK, err);
}
