#include "compress.h"

#include "store/durable.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK ((size_t)128 * 1024)
#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for a gzip header */

struct compress_writer {
    int fd;
    atomic_bool aborted;
    enum compression compression;
    z_stream gzip;
    ZSTD_CCtx *zstd;
    uint64_t written;
    unsigned char buffer[CHUNK];
};

/* What is to become of what was added: the two libraries' own words. */
enum how { GO_ON, FLUSH, END };

enum compression compression_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot && !strcmp(dot, ".gz"))
        return COMPRESSION_GZIP;
    if (dot && !strcmp(dot, ".zst"))
        return COMPRESSION_ZSTD;
    return COMPRESSION_NONE;
}

static bool start_gzip(struct compress_writer *writer)
{
    return deflateInit2(&writer->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
                        8, Z_DEFAULT_STRATEGY) == Z_OK;
}

static bool start_zstd(struct compress_writer *writer)
{
    writer->zstd = ZSTD_createCCtx();
    return writer->zstd &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1));
}

enum dbk_code compress_writer_open(int fd, enum compression compression,
                                   struct compress_writer **out, struct dbk_error *err)
{
    struct compress_writer *writer = calloc(1, sizeof *writer);
    bool started = writer != NULL;

    *out = NULL;
    if (writer) {
        writer->fd = fd;
        writer->compression = compression;
        if (compression == COMPRESSION_GZIP)
            started = start_gzip(writer);
        else if (compression == COMPRESSION_ZSTD)
            started = start_zstd(writer);
    }
    if (!started) {
        compress_writer_close(writer);
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    }
    *out = writer;
    return DBK_OK;
}

void compress_writer_close(struct compress_writer *writer)
{
    if (!writer)
        return;
    if (writer->compression == COMPRESSION_GZIP)
        deflateEnd(&writer->gzip);
    ZSTD_freeCCtx(writer->zstd); /* NULL is fine */
    free(writer);
}

void compress_abort(struct compress_writer *writer)
{
    atomic_store(&writer->aborted, true);
}

uint64_t compress_written(const struct compress_writer *writer)
{
    return writer->written;
}

static enum dbk_code write_fail(struct dbk_error *err)
{
    if (errno == EPIPE)
        return dbk_fail(err, DBK_UNAVAILABLE, "nobody reads on");
    return dbk_fail(err, dbk_errno_code(errno), "write: %s", strerror(errno));
}

static enum dbk_code put(struct compress_writer *writer, const char *bytes,
                         size_t length, struct dbk_error *err)
{
    while (length > 0) {
        ssize_t wrote;

        if (atomic_load(&writer->aborted))
            return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
        wrote = write(writer->fd, bytes, length);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return write_fail(err);
        bytes += wrote;
        length -= (size_t)wrote;
        writer->written += (uint64_t)wrote;
    }
    return DBK_OK;
}

static enum dbk_code put_buffer(struct compress_writer *writer, size_t length,
                                struct dbk_error *err)
{
    return put(writer, (const char *)writer->buffer, length, err);
}

static enum dbk_code put_gzip(struct compress_writer *writer, const char *bytes,
                              size_t length, enum how how, struct dbk_error *err)
{
    static const int words[] = {
        [GO_ON] = Z_NO_FLUSH, [FLUSH] = Z_SYNC_FLUSH, [END] = Z_FINISH};
    z_stream *gzip = &writer->gzip;
    int rc;

    gzip->next_in = (Bytef *)(uintptr_t)bytes; /* zlib only reads it */
    gzip->avail_in = (uInt)length;
    do {
        gzip->next_out = writer->buffer;
        gzip->avail_out = (uInt)CHUNK;
        rc = deflate(gzip, words[how]);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return dbk_fail(err, DBK_INTERNAL, "gzip: %s", zError(rc));
        if (put_buffer(writer, CHUNK - gzip->avail_out, err) != DBK_OK)
            return err->code;
    } while (gzip->avail_out == 0);
    return DBK_OK;
}

static enum dbk_code put_zstd(struct compress_writer *writer, const char *bytes,
                              size_t length, enum how how, struct dbk_error *err)
{
    static const ZSTD_EndDirective words[] = {
        [GO_ON] = ZSTD_e_continue, [FLUSH] = ZSTD_e_flush, [END] = ZSTD_e_end};
    ZSTD_inBuffer in = {bytes, length, 0};
    size_t left;

    do {
        ZSTD_outBuffer out = {writer->buffer, CHUNK, 0};
        left = ZSTD_compressStream2(writer->zstd, &out, &in, words[how]);
        if (ZSTD_isError(left))
            return dbk_fail(err, DBK_NO_MEMORY, "zstd: %s", ZSTD_getErrorName(left));
        if (put_buffer(writer, out.pos, err) != DBK_OK)
            return err->code;
    } while (how == GO_ON ? in.pos < in.size : left > 0);
    return DBK_OK;
}

static enum dbk_code process(struct compress_writer *writer, const char *bytes,
                             size_t length, enum how how, struct dbk_error *err)
{
    switch (writer->compression) {
    case COMPRESSION_GZIP:
        return put_gzip(writer, bytes, length, how, err);
    case COMPRESSION_ZSTD:
        return put_zstd(writer, bytes, length, how, err);
    case COMPRESSION_NONE:
        break;
    }
    return put(writer, bytes, length, err);
}

enum dbk_code compress_write(struct compress_writer *writer, const char *bytes,
                             size_t length, struct dbk_error *err)
{
    return process(writer, bytes, length, GO_ON, err);
}

enum dbk_code compress_flush(struct compress_writer *writer, struct dbk_error *err)
{
    return process(writer, "", 0, FLUSH, err);
}

enum dbk_code compress_end(struct compress_writer *writer, struct dbk_error *err)
{
    return process(writer, "", 0, END, err);
}
