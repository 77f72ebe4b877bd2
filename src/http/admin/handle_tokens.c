/* GET, POST and DELETE /admin/tokens: the access tokens of the data directory, as daybook
 * token has them. A secret is in one answer only, that to who has made it. GET /tokens/self
 * tells a client what its own may do. */
#include "access.h"
#include "admin.h"
#include "body_token.h"
#include "handlers.h"
#include "response.h"

#include <stdio.h>
#include <string.h>

static const char *dir_of(const struct request *rq)
{
    return rq->service->options.tokens_dir;
}

static enum dbk_code check_dir(struct request *rq, struct dbk_error *err)
{
    if (dir_of(rq))
        return DBK_OK;
    rq->unavailable = "This server has no directory for access tokens";
    return dbk_fail(err, DBK_UNAVAILABLE, "there is no directory for tokens");
}

/* A comma-separated text as an array. The items need no escapes. */
static void render_items(struct dbk_render *out, const char *key, const char *items)
{
    dbk_render_text(out, key);
    dbk_render_text(out, "[");
    while (*items) {
        size_t length = strcspn(items, ",");
        dbk_render_string(out, (struct dbk_slice){items, length});
        items += length;
        if (*items == ',') {
            dbk_render_text(out, ",");
            items++;
        }
    }
    dbk_render_text(out, "]");
}

static void render_bound(struct dbk_render *out, const char *key, uint64_t bound)
{
    dbk_render_text(out, key);
    if (bound > 0)
        dbk_render_number(out, bound);
    else
        dbk_render_text(out, "null");
}

/* Without its end: the one that was made has a member more. */
static void render_token(struct dbk_render *out, const struct dbk_token *token)
{
    char scopes[DBK_SCOPES_TEXT];

    dbk_scopes_format(token->scopes, scopes);
    dbk_render_text(out, "{\"name\":");
    dbk_render_string(out, dbk_slice(token->name));
    render_items(out, ",\"scopes\":", scopes);
    dbk_render_text(out, ",\"created_at\":");
    dbk_render_timestamp(out, token->created);
    render_bound(out, ",\"rate\":", token->bounds.rate);
    render_bound(out, ",\"address_rate\":", token->bounds.address_rate);
    render_bound(out, ",\"bytes_a_day\":", token->bounds.bytes_a_day);
    render_items(out, ",\"origins\":", token->bounds.origins);
}

enum dbk_code handle_list_tokens(struct request *rq, struct response *rs,
                                 struct dbk_error *err)
{
    struct dbk_tokens tokens;
    enum dbk_code code;

    if (check_dir(rq, err) != DBK_OK ||
        dbk_tokens_read(dir_of(rq), &tokens, err) != DBK_OK)
        return err->code;
    response_begin(rs);
    dbk_render_text(&rs->body, "[");
    for (size_t i = 0; i < tokens.count; i++) {
        dbk_render_text(&rs->body, i ? "," : "");
        render_token(&rs->body, &tokens.list[i]);
        dbk_render_text(&rs->body, "}");
    }
    dbk_render_text(&rs->body, "]");
    code = response_end(rs, 200,
                        tokens.count > 0 ? DETAILS_OK
                                         : "There are no access tokens: only this "
                                           "machine is served, and nobody is asked",
                        err);
    dbk_tokens_finish(&tokens);
    return code;
}

enum dbk_code handle_get_own_token(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    char scopes[DBK_SCOPES_TEXT];
    bool asked = rq->actor[0] != '\0';

    dbk_scopes_format(rq->scopes, scopes);
    response_begin(rs);
    dbk_render_text(&rs->body, "{\"name\":");
    if (asked)
        dbk_render_string(&rs->body, dbk_slice(rq->actor));
    else
        dbk_render_text(&rs->body, "null");
    render_items(&rs->body, ",\"scopes\":", scopes);
    dbk_render_text(&rs->body, "}");
    return response_end(rs, 200,
                        asked
                            ? DETAILS_OK
                            : "No access token is asked for: everybody on this machine "
                              "may do everything",
                        err);
}

/* What was made: as the file has it, for the time; where that cannot be read just now, who
 * has made it is told the secret all the same. */
static void look_at(const struct request *rq, const struct body_token *wanted,
                    struct dbk_token *out)
{
    struct dbk_tokens tokens;

    *out = (struct dbk_token){.scopes = wanted->scopes,
                              .bounds = wanted->bounds,
                              .created = dbk_timestamp_now()};
    memcpy(out->name, wanted->name, sizeof out->name);
    if (dbk_tokens_read(dir_of(rq), &tokens, NULL) != DBK_OK)
        return;
    for (size_t i = 0; i < tokens.count; i++) {
        if (strcmp(tokens.list[i].name, wanted->name) == 0)
            out->created = tokens.list[i].created;
    }
    dbk_tokens_finish(&tokens);
}

static enum dbk_code make(const struct request *rq, const struct body_token *wanted,
                          char secret[DBK_TOKEN_SECRET + 1], struct dbk_error *err)
{
    char scopes[DBK_SCOPES_TEXT];

    if (dbk_tokens_create(dir_of(rq), wanted->name, wanted->scopes, &wanted->bounds,
                          secret, err) != DBK_OK) {
        if (err->code == DBK_TOO_LARGE) /* not the request is */
            err->code = DBK_CONFLICT;
        return err->code;
    }
    dbk_scopes_format(wanted->scopes, scopes);
    admin_note(rq, "token %s (%s) made", wanted->name, scopes);
    access_look(rq->service->access);
    return DBK_OK;
}

enum dbk_code handle_post_token(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    bool first = !access_required(rq->service->access);
    char secret[DBK_TOKEN_SECRET + 1] = "";
    struct body_token wanted;
    struct dbk_token made;
    enum dbk_code code;

    if (admin_check_page(rq, err) != DBK_OK || check_dir(rq, err) != DBK_OK ||
        body_token_read(rq->body.data, rq->body.length, &wanted, &rq->fields, err) !=
            DBK_OK)
        return err->code;
    code = make(rq, &wanted, secret, err);
    if (code == DBK_OK) {
        look_at(rq, &wanted, &made);
        response_begin(rs);
        render_token(&rs->body, &made);
        dbk_render_text(&rs->body, ",\"token\":");
        dbk_render_string(&rs->body, dbk_slice(secret));
        dbk_render_text(&rs->body, "}");
        code = response_end(
            rs, 201,
            first ? "The token was made, and is not shown again. It is the first: from "
                    "now on every request must bring one"
                  : "The token was made, and is not shown again",
            err);
    }
    explicit_bzero(secret, sizeof secret);
    return code;
}

enum dbk_code handle_delete_token(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    char name[DBK_TOKEN_NAME_MAX + 1];
    size_t length, left;

    if (admin_check_page(rq, err) != DBK_OK || check_dir(rq, err) != DBK_OK)
        return err->code;
    if (!route_text(rq->match.name, name, sizeof name, &length) ||
        !dbk_token_name_valid(name, length))
        return dbk_fail(err, DBK_NOT_FOUND, "There is no token of this name");
    if (dbk_tokens_revoke(dir_of(rq), name, true, &left, err) != DBK_OK)
        return err->code == DBK_CONFLICT
                   ? dbk_fail(err, DBK_CONFLICT,
                              "\"%s\" is the last token with the scope admin, without "
                              "which nobody could make another here: make one first, "
                              "or use the command: daybook token revoke %s",
                              name, name)
                   : err->code;
    admin_note(rq, "token %s revoked", name);
    access_look(rq->service->access);
    return response_empty(rs, 200, DETAILS_OK, NULL, err);
}
