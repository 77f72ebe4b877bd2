#include "encode.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define LEVEL 1
#define GZIP_HEADER 16    /* zlib's way to ask for one, on top of the window */
#define GZIP_WINDOW_MIN 9 /* 512 bytes */
#define GZIP_WINDOW_MAX 15
#define GZIP_MEMORY 8
#define ZSTD_WINDOW_LOG 18 /* for what has no known length: 256 KiB */
#define PIECE ((size_t)16 << 10)

struct encoder {
    enum coding coding;
    z_stream gzip;
    ZSTD_CCtx *zstd;
    char piece[PIECE];
};

/* A window as long as what comes will do: it costs memory, and that is cleared. */
static bool open_gzip(struct encoder *encoder, size_t length)
{
    int window = GZIP_WINDOW_MIN, memory;

    while (window < GZIP_WINDOW_MAX && (length == 0 || length > (size_t)1 << window))
        window++;
    memory = GZIP_MEMORY - (GZIP_WINDOW_MAX - window);
    return deflateInit2(&encoder->gzip, LEVEL, Z_DEFLATED, window + GZIP_HEADER,
                        memory < 1 ? 1 : memory, Z_DEFAULT_STRATEGY) == Z_OK;
}

static bool open_zstd(struct encoder *encoder, size_t length)
{
    ZSTD_CCtx *zstd = encoder->zstd = ZSTD_createCCtx();

    if (!zstd ||
        ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL)))
        return false;
    if (length > 0)
        return !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, length));
    return !ZSTD_isError(
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, ZSTD_WINDOW_LOG));
}

struct encoder *encoder_create(enum coding coding, size_t length)
{
    struct encoder *encoder = malloc(sizeof *encoder);
    bool opened;

    assert(coding == CODING_GZIP || coding == CODING_ZSTD);
    if (!encoder)
        return NULL;
    encoder->coding = coding;
    encoder->gzip = (z_stream){0};
    encoder->zstd = NULL;
    opened =
        coding == CODING_GZIP ? open_gzip(encoder, length) : open_zstd(encoder, length);
    if (opened)
        return encoder;
    encoder_destroy(encoder);
    return NULL;
}

void encoder_destroy(struct encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->coding == CODING_GZIP)
        deflateEnd(&encoder->gzip);
    ZSTD_freeCCtx(encoder->zstd);
    free(encoder);
}

static bool put_gzip(struct encoder *encoder, struct dbk_slice bytes,
                     enum encoder_then then, struct dbk_render *out)
{
    static const int flush[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *gzip = &encoder->gzip;
    int rc;

    assert(bytes.length <= UINT_MAX); /* RESPONSE_MAX */
    gzip->next_in = (unsigned char *)(uintptr_t)bytes.data;
    gzip->avail_in = (unsigned)bytes.length;
    do {
        gzip->next_out = (unsigned char *)encoder->piece;
        gzip->avail_out = PIECE;
        rc = deflate(gzip, flush[then]);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return false;
        dbk_render_raw(out, encoder->piece, PIECE - gzip->avail_out);
    } while (gzip->avail_out == 0 || (then == ENCODER_END && rc != Z_STREAM_END));
    return true;
}

static bool put_zstd(struct encoder *encoder, struct dbk_slice bytes,
                     enum encoder_then then, struct dbk_render *out)
{
    static const ZSTD_EndDirective directive[] = {ZSTD_e_continue, ZSTD_e_flush,
                                                  ZSTD_e_end};
    ZSTD_inBuffer in = {bytes.data, bytes.length, 0};
    size_t left;

    do {
        ZSTD_outBuffer to = {encoder->piece, PIECE, 0};
        left = ZSTD_compressStream2(encoder->zstd, &to, &in, directive[then]);
        if (ZSTD_isError(left))
            return false;
        dbk_render_raw(out, encoder->piece, to.pos);
    } while (then == ENCODER_MORE ? in.pos < in.size : left > 0);
    return true;
}

bool encoder_put(struct encoder *encoder, struct dbk_slice bytes,
                 enum encoder_then then, struct dbk_render *out)
{
    return encoder->coding == CODING_GZIP ? put_gzip(encoder, bytes, then, out)
                                          : put_zstd(encoder, bytes, then, out);
}
