#include "response.h"

#include "encode.h"
#include "etag.h"
#include "media_type.h"
#include "problem.h"
#include "request.h"
#include "status.h"
#include "store/decimal.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HEAD_MAX (64u << 10) /* the Link of the longest query, each byte as three */
#define KEPT_MAX (32u << 10) /* what a thread keeps for the next answer */

void response_init(struct response *rs)
{
    memset(rs, 0, sizeof *rs);
    dbk_render_init(&rs->head, HEAD_MAX);
    dbk_render_init(&rs->body, RESPONSE_MAX);
    dbk_render_init(&rs->wire, HEAD_MAX + RESPONSE_MAX);
    dbk_render_init(&rs->coded, RESPONSE_MAX);
    dbk_render_init(&rs->proofs, RESPONSE_MAX);
}

void response_finish(struct response *rs)
{
    dbk_render_finish(&rs->head);
    dbk_render_finish(&rs->body);
    dbk_render_finish(&rs->wire);
    dbk_render_finish(&rs->coded);
    dbk_render_finish(&rs->proofs);
    encoder_destroy(rs->encoder);
}

static void forget_answer(struct response *rs)
{
    rs->relayed = false;
    dbk_render_clear(&rs->head);
    dbk_render_clear(&rs->body);
    dbk_render_clear(&rs->proofs);
    rs->content_type = "application/json";
    rs->cache_control = "no-store";
    rs->fixed = rs->row = (struct dbk_slice){NULL, 0};
    rs->count_is = NULL;
}

void response_trim(struct response *rs)
{
    dbk_render_trim(&rs->body, KEPT_MAX);
    dbk_render_trim(&rs->wire, KEPT_MAX);
    dbk_render_trim(&rs->coded, KEPT_MAX);
    dbk_render_trim(&rs->proofs, KEPT_MAX);
    encoder_destroy(rs->encoder);
    rs->encoder = NULL;
}

void response_clear(struct response *rs)
{
    forget_answer(rs);
    rs->status = 0;
    rs->close = rs->sent = rs->broken = rs->varies = rs->relayed = false;
    rs->coding = CODING_IDENTITY;
    rs->bytes = rs->sequence = 0;
    rs->error[0] = '\0';
}

void response_header(struct response *rs, const char *name, const char *format, ...)
{
    char value[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    response_header_text(rs, name, value);
}

void response_header_text(struct response *rs, const char *name, const char *value)
{
    dbk_render_text(&rs->head, name);
    dbk_render_raw(&rs->head, ": ", 2);
    dbk_render_text(&rs->head, value);
    dbk_render_raw(&rs->head, "\r\n", 2);
}

void response_header_number(struct response *rs, const char *name, uint64_t value)
{
    char text[DECIMAL_MAX + 1];

    decimal_format(value, text);
    response_header_text(rs, name, text);
}

bool response_tag(struct response *rs, const struct request *rq, const char *tag)
{
    bool known = etag_if_none_match(request_header(rq, "If-None-Match"), tag);

    response_header_text(rs, "ETag", tag);
    rs->status = known ? 304 : 200;
    return known;
}

int response_status(const struct response *rs)
{
    return rs->broken && !*rs->error ? 0 : rs->status;
}

void response_begin(struct response *rs)
{
    dbk_render_clear(&rs->body);
    rs->row = (struct dbk_slice){NULL, 0};
    dbk_render_text(&rs->body, "{\"data\":");
}

void response_row(struct response *rs, struct dbk_slice json)
{
    assert(rs->row.length == 0); /* an answer borrows one at most */
    rs->row = json;
    rs->row_at = rs->body.length;
}

static void render_fields(struct dbk_render *body,
                          const struct dbk_field_errors *fields)
{
    dbk_render_text(body, ",\"errors\":[");
    for (size_t i = 0; i < fields->count; i++) {
        dbk_render_text(body, i ? ",{\"field\":" : "{\"field\":");
        dbk_render_string(body, dbk_slice(fields->list[i].field));
        dbk_render_text(body, ",\"message\":");
        dbk_render_string(body, dbk_slice(fields->list[i].message));
        if (fields->list[i].has_person_id) {
            dbk_render_text(body, ",\"person_id\":");
            dbk_render_uuid(body, &fields->list[i].person_id);
        }
        dbk_render_text(body, "}");
    }
    dbk_render_text(body, "]");
}

static void render_count(struct response *rs)
{
    dbk_render_text(&rs->body, "\"count\":");
    dbk_render_number(&rs->body, rs->count);
    dbk_render_text(&rs->body, ",\"count_is\":");
    dbk_render_string(&rs->body, dbk_slice(rs->count_is));
    dbk_render_text(&rs->body, ",");
}

static void render_problem(struct dbk_render *body, const struct problem *problem)
{
    dbk_render_text(body, ",\"title\":");
    dbk_render_string(body, dbk_slice(problem->title));
    dbk_render_text(body, ",\"type\":\"" PROBLEM_TYPE);
    dbk_render_text(body, problem->name);
    dbk_render_text(body, "\"");
}

/* problem may be NULL: it is none, or the one of the status. */
static enum dbk_code end_with(struct response *rs, int status, const char *details,
                              const char *members,
                              const struct dbk_field_errors *fields,
                              const struct problem *problem, struct dbk_error *err)
{
    dbk_render_text(&rs->body, ",\"response\":{");
    if (rs->count_is)
        render_count(rs);
    dbk_render_text(&rs->body, "\"details\":");
    dbk_render_string(&rs->body, dbk_slice(details));
    dbk_render_text(&rs->body, members);
    if (fields && fields->count > 0)
        render_fields(&rs->body, fields);
    dbk_render_text(&rs->body, ",\"message\":");
    dbk_render_string(&rs->body,
                      dbk_slice(status < 207 ? "Ok" : status_reason(status)));
    if (rs->proofs.length > 0) {
        dbk_render_text(&rs->body, ",\"proofs\":[");
        dbk_render_raw(&rs->body, rs->proofs.text, rs->proofs.length);
        dbk_render_text(&rs->body, "]");
    }
    dbk_render_text(&rs->body, ",\"status\":");
    dbk_render_number(&rs->body, (uint64_t)status);
    if (!problem && status >= 400)
        problem = problem_of(status, DBK_OK);
    if (problem)
        render_problem(&rs->body, problem);
    dbk_render_text(&rs->body, "}}");
    rs->status = status;
    if (dbk_render_code(&rs->body) == DBK_OK)
        return DBK_OK;
    return dbk_fail(err, DBK_NO_MEMORY, "no memory for the answer");
}

enum dbk_code response_end(struct response *rs, int status, const char *details,
                           struct dbk_error *err)
{
    return end_with(rs, status, details, "", NULL, NULL, err);
}

enum dbk_code response_end_with(struct response *rs, int status, const char *details,
                                const char *members, struct dbk_error *err)
{
    return end_with(rs, status, details, members, NULL, NULL, err);
}

enum dbk_code response_empty(struct response *rs, int status, const char *details,
                             const struct dbk_field_errors *fields,
                             struct dbk_error *err)
{
    response_begin(rs);
    dbk_render_text(&rs->body, "null");
    return end_with(rs, status, details, "", fields, NULL, err);
}

/* What a client may read of a failure: its own mistakes in full, ours in general, unless
 * the server was told to show them. */
static void details_of(const struct request *rq, const struct dbk_error *err, char *out,
                       size_t size)
{
    const char *sentence = status_sentence(err->code);

    if (sentence && rq->unavailable &&
        (err->code == DBK_UNAVAILABLE || err->code == DBK_NOT_LEADER ||
         err->code == DBK_IN_DOUBT))
        sentence = rq->unavailable;
    if (err->code == DBK_TIMEOUT && rq->timed_out)
        sentence = rq->timed_out;
    if ((err->code == DBK_DAMAGED || err->code == DBK_UNSUPPORTED) && rq->unreadable)
        sentence = rq->unreadable;
    if (!sentence)
        snprintf(out, size, "%s", err->text);
    else if (rq->service->options.show_error_details)
        snprintf(out, size, "%s: %s", sentence, err->text);
    else
        snprintf(out, size, "%s", sentence);
    if (rq->fields.count == 0) /* else it begins with a field's name */
        out[0] = (char)toupper((unsigned char)out[0]);
}

/* What 415 is about: which codings are taken, or which media types are (RFC 9110, 15.5.16;
 * RFC 5789, 2.2). */
static void render_taken(struct response *rs, const struct request *rq)
{
    if (rq->wrong_coding)
        response_header_text(rs, "Accept-Encoding", CODINGS_TAKEN);
    else if (rq->match.route && rq->match.route->body == BODY_PATCH)
        response_header_text(rs, "Accept-Patch", MEDIA_TYPES_PATCH);
}

static const struct problem *problem_for(const struct request *rq, int status,
                                         const struct dbk_error *err)
{
    if (status == 400 && rq->fields.count > 0)
        return problem_named("invalid-fields");
    if (status == 415 && rq->wrong_coding)
        return problem_named("unsupported-encoding");
    return problem_of(status, err->code);
}

/* The whole of RFC 9457 instead of the envelope, where that is asked for. */
static void render_document(struct response *rs, const struct request *rq, int status,
                            const struct problem *problem, const char *details)
{
    rs->status = status;
    rs->content_type = PROBLEM_MEDIA;
    dbk_render_clear(&rs->body);
    dbk_render_text(&rs->body, "{\"detail\":");
    dbk_render_string(&rs->body, dbk_slice(details));
    if (rq->fields.count > 0)
        render_fields(&rs->body, &rq->fields);
    if (rq->head->method) {
        dbk_render_text(&rs->body, ",\"instance\":");
        dbk_render_string(&rs->body, dbk_slice(rq->path));
    }
    dbk_render_text(&rs->body, ",\"request_id\":");
    dbk_render_string(&rs->body, dbk_slice(rq->id));
    dbk_render_text(&rs->body, ",\"status\":");
    dbk_render_number(&rs->body, (uint64_t)status);
    render_problem(&rs->body, problem);
    dbk_render_text(&rs->body, "}");
}

static bool wants_document(const struct request *rq)
{
    struct accept document = request_accept(rq, PROBLEM_MEDIA);

    return document.range == ACCEPT_NAMED &&
           accept_prefers(document, request_accept(rq, "application/json"));
}

void response_fail(struct response *rs, const struct request *rq, int status,
                   const struct dbk_error *err)
{
    char details[sizeof err->text + 256];
    const struct problem *problem;

    details_of(rq, err, details, sizeof details);
    if (status == 0)
        status = status_of(err->code);
    problem = problem_for(rq, status, err);
    if (status_sentence(err->code))
        memcpy(rs->error, err->text, sizeof rs->error);
    forget_answer(rs);
    if (status_passes(status))
        response_header_number(rs, "Retry-After",
                               rq->retry_after ? rq->retry_after : 1);
    if (status == 415)
        render_taken(rs, rq);
    if (rq->challenge)
        response_header_text(rs, "WWW-Authenticate", rq->challenge);
    if (wants_document(rq)) {
        render_document(rs, rq, status, problem, details);
    } else {
        response_begin(rs);
        dbk_render_text(&rs->body, "null");
        end_with(rs, status, details, "", &rq->fields, problem, NULL);
    }
    if (dbk_render_code(&rs->body) != DBK_OK)
        rs->close = true; /* the status says enough */
}
