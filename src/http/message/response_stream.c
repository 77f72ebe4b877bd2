#include "response_stream.h"

#include "encode.h"
#include "request.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool chunked(const struct request *rq)
{
    return strcmp(rq->version, "1.1") == 0;
}

void response_stream_begin(struct response *rs, struct request *rq, int status)
{
    rs->status = status;
    rs->sent = true;
    if (!chunked(rq))
        rs->close = true;
    response_choose_coding(rs, rq, SIZE_MAX);
    if (rs->coding != CODING_IDENTITY && !rq->match.head) {
        rs->encoder = encoder_create(rs->coding, 0);
        if (!rs->encoder)
            rs->coding = CODING_IDENTITY;
    }
    response_render_head(rs, rq, chunked(rq) ? "Transfer-Encoding: chunked\r\n" : "");
}

/* The piece at hand, coded where that was chosen. */
static struct dbk_slice code_piece(struct response *rs, enum encoder_then then)
{
    struct dbk_slice piece = {rs->body.text, rs->body.length};

    if (!rs->encoder)
        return piece;
    dbk_render_clear(&rs->coded);
    if (!encoder_put(rs->encoder, piece, then, &rs->coded) ||
        dbk_render_code(&rs->coded) != DBK_OK)
        rs->broken = true;
    return (struct dbk_slice){rs->coded.text, rs->coded.length};
}

static void add_chunk(struct response *rs, struct request *rq, enum encoder_then then)
{
    struct dbk_slice piece = code_piece(rs, then);
    char size[24];

    if (dbk_render_code(&rs->body) != DBK_OK)
        rs->broken = true;
    if (rs->broken || piece.length == 0)
        return;
    snprintf(size, sizeof size, "%zx\r\n", piece.length);
    if (chunked(rq))
        dbk_render_text(&rs->wire, size);
    response_put(rs, rq, piece);
    if (chunked(rq))
        dbk_render_text(&rs->wire, "\r\n");
    rs->bytes += piece.length;
    dbk_render_clear(&rs->body);
}

bool response_stream_piece(struct response *rs, struct request *rq)
{
    assert(rs->sent); /* it was begun */
    if (rs->broken || rq->match.head)
        return false;
    add_chunk(rs, rq, ENCODER_FLUSH);
    return response_flush(rs, rq);
}

void response_stream_end(struct response *rs, struct request *rq)
{
    assert(rs->sent);
    if (rs->broken)
        return;
    if (!rq->match.head) {
        add_chunk(rs, rq, ENCODER_END);
        if (chunked(rq))
            dbk_render_text(&rs->wire, "0\r\n\r\n");
    }
    response_flush(rs, rq);
}

void response_stream_break(struct response *rs, const struct dbk_error *err)
{
    rs->broken = true;
    memcpy(rs->error, err->text, sizeof rs->error);
}
