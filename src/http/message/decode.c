#include "decode.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for a gzip header */
#define ZSTD_WINDOW_LOG 23

struct decoder {
    enum coding coding;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    bool begun, inside; /* a member or frame, of which there may be several */
    const char *at;     /* what was fed, and not used yet */
    size_t left;
};

static bool open_zstd(struct decoder *decoder)
{
    decoder->zstd = ZSTD_createDCtx();
    return decoder->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
}

struct decoder *decoder_create(enum coding coding)
{
    struct decoder *decoder = calloc(1, sizeof *decoder);
    bool opened;

    assert(coding == CODING_GZIP || coding == CODING_ZSTD);
    if (!decoder)
        return NULL;
    decoder->coding = coding;
    opened = coding == CODING_GZIP ? inflateInit2(&decoder->gzip, GZIP_WINDOW) == Z_OK
                                   : open_zstd(decoder);
    if (opened)
        return decoder;
    decoder_destroy(decoder);
    return NULL;
}

void decoder_destroy(struct decoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->coding == CODING_GZIP)
        inflateEnd(&decoder->gzip);
    ZSTD_freeDCtx(decoder->zstd);
    free(decoder);
}

void decoder_feed(struct decoder *decoder, const char *bytes, size_t length)
{
    assert(decoder->left == 0); /* what was fed before is used up */
    decoder->at = bytes;
    decoder->left = length;
}

static ssize_t take_gzip(struct decoder *decoder, char *out, size_t size)
{
    z_stream *gzip = &decoder->gzip;
    int rc;

    if (!decoder->inside && inflateReset(gzip) != Z_OK)
        return -1;
    decoder->inside = true;
    gzip->next_in = (unsigned char *)(uintptr_t)decoder->at;
    gzip->avail_in = decoder->left < UINT_MAX ? (unsigned)decoder->left : UINT_MAX;
    gzip->next_out = (unsigned char *)out;
    gzip->avail_out = size < UINT_MAX ? (unsigned)size : UINT_MAX;
    rc = inflate(gzip, Z_NO_FLUSH);
    decoder->left -= (size_t)((const char *)gzip->next_in - decoder->at);
    decoder->at = (const char *)gzip->next_in;
    decoder->inside = rc != Z_STREAM_END;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return -1;
    return (char *)gzip->next_out - out;
}

static ssize_t take_zstd(struct decoder *decoder, char *out, size_t size)
{
    ZSTD_inBuffer in = {decoder->at, decoder->left, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t rc = ZSTD_decompressStream(decoder->zstd, &to, &in);

    if (ZSTD_isError(rc))
        return -1;
    decoder->at += in.pos;
    decoder->left -= in.pos;
    decoder->inside = rc != 0;
    return (ssize_t)to.pos;
}

/* Both libraries may hold back what did not fit: so until they have no more, though nothing
 * is left to feed them. */
ssize_t decoder_take(struct decoder *decoder, char *out, size_t size)
{
    ssize_t got = 0;
    size_t before;

    assert(size > 0);
    do {
        before = decoder->left;
        if (before == 0 && !decoder->inside)
            return 0;
        got = decoder->coding == CODING_GZIP ? take_gzip(decoder, out, size)
                                             : take_zstd(decoder, out, size);
        decoder->begun = true;
    } while (got == 0 && decoder->left > 0 && decoder->left < before);
    return got == 0 && decoder->left > 0 ? -1 : got;
}

bool decoder_is_whole(const struct decoder *decoder)
{
    return decoder->begun && !decoder->inside && decoder->left == 0;
}
