#include "cors.h"
#include "encode.h"
#include "guard.h"
#include "lent.h"
#include "request.h"
#include "response.h"
#include "status.h"
#include "store/decimal.h"

#include <assert.h>
#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ONE_WRITE_MAX (64u << 10)
#define LINGER_MS 1000
#define CODED_FROM 1024 /* bytes; less is hardly shorter */

/* What we know against keeping the connection, when the head is written. */
static bool must_close(const struct response *rs, const struct request *rq)
{
    return rs->close || !rq->body_taken || atomic_load(&rq->service->stopping) ||
           guard_turn_over(rq->service->guard, rq->guarded);
}

/* Source: RFC 9112, section 9.3. */
static bool wishes_close(const struct request *rq)
{
    return head_lists(rq->head, "Connection", "close") ||
           (strcmp(rq->version, "1.0") == 0 &&
            !head_lists(rq->head, "Connection", "keep-alive"));
}

/* Text, which gets shorter; pictures are compressed already, and hashes cannot be. */
static bool can_shrink(const char *type)
{
    return strncmp(type, "image/", 6) != 0 &&
           strcmp(type, "application/octet-stream") != 0;
}

/* A 304 has the tag that the client has. */
static bool knows_coded(const struct request *rq, enum coding coding)
{
    const char *header = request_header(rq, "If-None-Match");
    char end[CODING_SUFFIX_MAX + 2];

    snprintf(end, sizeof end, "-%s\"", coding_name(coding));
    return header && strstr(header, end);
}

void response_choose_coding(struct response *rs, const struct request *rq,
                            size_t length)
{
    bool plain_will_do, unmodified = rs->status == 304;
    enum coding liked = coding_of_answer(rq->head, &plain_will_do);

    if (rs->status == 204 || rs->relayed || !can_shrink(rs->content_type))
        return;
    rs->varies = unmodified || length >= CODED_FROM;
    if (unmodified ? liked != CODING_IDENTITY && knows_coded(rq, liked)
                   : length >= CODED_FROM || !plain_will_do)
        rs->coding = liked;
}

/* The handler's header lines. A tag gets the coding at its end, for it names the bytes. */
static void render_lines(const struct response *rs, struct dbk_render *wire)
{
    static const char tag[] = "ETag: \"";
    struct dbk_slice head = {rs->head.text, rs->head.length};
    const char *at = NULL, *end = NULL;

    if (rs->coding != CODING_IDENTITY && head.length > 0)
        at = memmem(head.data, head.length, tag, sizeof tag - 1);
    if (at) {
        at += sizeof tag - 1;
        end = memchr(at, '"', head.length - (size_t)(at - head.data));
    }
    if (!end) {
        dbk_render_raw(wire, head.data, head.length);
        return;
    }
    dbk_render_raw(wire, head.data, (size_t)(end - head.data));
    dbk_render_text(wire, "-");
    dbk_render_text(wire, coding_name(rs->coding));
    dbk_render_raw(wire, end, head.length - (size_t)(end - head.data));
}

static const char *date_of(struct response *rs)
{
    time_t now = time(NULL);
    struct tm utc;

    if ((int64_t)now != rs->date_at) {
        gmtime_r(&now, &utc);
        strftime(rs->date, sizeof rs->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        rs->date_at = (int64_t)now;
    }
    return rs->date;
}

/* The lines that are this server's, and not another's whose answer is passed on. */
static void render_own(struct response *rs, const struct request *rq,
                       struct dbk_render *wire)
{
    dbk_render_text(wire, "X-Content-Type-Options: nosniff\r\nX-Request-Id: ");
    dbk_render_text(wire, rq->id);
    dbk_render_text(wire, "\r\nCache-Control: ");
    dbk_render_text(wire, rs->cache_control);
    if (rs->status != 204 && rs->status != 304) {
        dbk_render_text(wire, "\r\nContent-Type: ");
        dbk_render_text(wire, rs->content_type);
    }
    dbk_render_text(wire, "\r\n");
    if (rs->coding != CODING_IDENTITY && rs->status != 304) {
        dbk_render_text(wire, "Content-Encoding: ");
        dbk_render_text(wire, coding_name(rs->coding));
        dbk_render_text(wire, "\r\n");
    }
    cors_render(rq, wire);
    quota_render(&rq->use, wire);
}

void response_render_head(struct response *rs, const struct request *rq,
                          const char *length_line)
{
    struct dbk_render *wire = &rs->wire;

    rs->close = must_close(rs, rq) || wishes_close(rq);
    dbk_render_clear(wire);
    dbk_render_text(wire, "HTTP/1.1 ");
    dbk_render_number(wire, (uint64_t)rs->status);
    dbk_render_text(wire, " ");
    dbk_render_text(wire, status_reason(rs->status));
    if (!rs->relayed) {
        dbk_render_text(wire, "\r\nDate: ");
        dbk_render_text(wire, date_of(rs));
    }
    dbk_render_text(wire, rs->close ? "\r\nConnection: close\r\n"
                                    : "\r\nConnection: keep-alive\r\n");
    dbk_render_text(wire, length_line);
    if (!rs->relayed)
        render_own(rs, rq, wire);
    render_lines(rs, wire);
    if (rs->varies)
        dbk_render_text(wire, "Vary: Accept-Encoding\r\n");
    dbk_render_text(wire, "\r\n");
    /* Cut anywhere, a head runs into its body. */
    if (dbk_render_code(&rs->head) != DBK_OK)
        rs->broken = true;
}

static bool write_bytes(struct response *rs, struct request *rq, const char *bytes,
                        size_t length)
{
    int allowed =
        rq->service->options.request_timeout_ms + (int)(length / CLIENT_SLOWEST);

    guarded_writing(rq->guarded, allowed);
    if (rq->lent ? !lent_send(rq->lent, bytes, length)
                 : mg_write(rq->connection, bytes, length) != (int)length)
        rs->broken = true;
    if (!rq->lent || !rq->lent->unsent)
        guarded_working(rq->guarded);
    return !rs->broken;
}

bool response_flush(struct response *rs, struct request *rq)
{
    if (dbk_render_code(&rs->wire) != DBK_OK)
        rs->broken = true;
    if (!rs->broken && rs->wire.length > 0)
        write_bytes(rs, rq, rs->wire.text, rs->wire.length);
    dbk_render_clear(&rs->wire);
    return !rs->broken;
}

bool response_put(struct response *rs, struct request *rq, struct dbk_slice bytes)
{
    if (bytes.length > ONE_WRITE_MAX)
        return response_flush(rs, rq) && write_bytes(rs, rq, bytes.data, bytes.length);
    dbk_render_raw(&rs->wire, bytes.data, bytes.length);
    return true;
}

enum { PARTS = 3 };

/* The body: what was rendered, and in between what was borrowed. */
static size_t body_of(const struct response *rs, struct dbk_slice parts[PARTS])
{
    const struct dbk_render *body = &rs->body;
    size_t cut = rs->row.length ? rs->row_at : body->length;

    memset(parts, 0, PARTS * sizeof *parts);
    if (rs->status == 204 || rs->status == 304)
        return 0;
    if (rs->fixed.length) {
        parts[0] = rs->fixed;
        return rs->fixed.length;
    }
    assert(cut <= body->length);
    parts[0] = (struct dbk_slice){body->text, cut};
    parts[1] = rs->row;
    if (cut < body->length)
        parts[2] = (struct dbk_slice){body->text + cut, body->length - cut};
    return body->length + rs->row.length;
}

static void write_length_line(char out[64], size_t length)
{
    static const char name[] = "Content-Length: ";
    char *at = out + sizeof name - 1;

    memcpy(out, name, sizeof name - 1);
    at += decimal_format(length, at);
    memcpy(at, "\r\n", sizeof "\r\n");
}

/* Code the body, as a whole. Where that fails it goes out as it is. */
static size_t code_parts(struct response *rs, struct dbk_slice parts[PARTS],
                         size_t length)
{
    struct encoder *encoder =
        rs->coding == CODING_IDENTITY || length == 0 || rs->status == 304
            ? NULL
            : encoder_create(rs->coding, length);
    bool coded = encoder != NULL;

    dbk_render_clear(&rs->coded);
    for (size_t i = 0; i < PARTS && coded; i++)
        coded = encoder_put(encoder, parts[i],
                            i == PARTS - 1 ? ENCODER_END : ENCODER_MORE, &rs->coded);
    encoder_destroy(encoder);
    if (!coded || dbk_render_code(&rs->coded) != DBK_OK) {
        if (rs->status != 304)
            rs->coding = CODING_IDENTITY;
        return length;
    }
    parts[0] = (struct dbk_slice){rs->coded.text, rs->coded.length};
    parts[1] = parts[2] = (struct dbk_slice){NULL, 0};
    return rs->coded.length;
}

static void write_whole(struct response *rs, struct request *rq)
{
    struct dbk_slice parts[PARTS];
    size_t length = body_of(rs, parts);
    char length_line[64] = "";

    response_choose_coding(rs, rq, length);
    length = code_parts(rs, parts, length);

    assert(rs->status >= 200 && rs->status < 600); /* who filled it in said which */

    if (rs->status != 204 && rs->status != 304)
        write_length_line(length_line, length);
    response_render_head(rs, rq, length_line);
    if (rs->broken)
        return;
    rs->bytes = rq->match.head ? 0 : length;
    for (size_t i = 0; i < PARTS && !rq->match.head; i++) {
        if (!response_put(rs, rq, parts[i]))
            return;
    }
    response_flush(rs, rq);
}

void response_send(struct response *rs, struct request *rq)
{
    if (!rs->sent)
        write_whole(rs, rq);
    if (rs->broken)
        rs->close = true;
    if (!rs->close)
        return;
    if (rq->lent) {
        rq->lent->end = true;
        rq->lent->linger_ms = rs->broken || rq->body_taken ? 0 : LINGER_MS;
        return;
    }
    mg_disable_connection_keep_alive(rq->connection);
    if (!rs->broken && !rq->body_taken)
        guarded_linger(rq->guarded, LINGER_MS);
}
