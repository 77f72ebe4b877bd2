#include "compress.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK ((size_t)256 * 1024)
#define GZIP_WINDOW (15 + 16) /* zlib's way to ask for a gzip header */
#define ASK_MS 100
#define COMPRESS_MARK "\xEF\xBB\xBF"

struct compress_reader {
    int fd;                        /* -1: none, the bytes are all at hand */
    const struct dbk_watch *watch; /* NULL: read on */
    double size;                   /* of the file, as it lies on disk; 0: unknown */
    uint64_t taken;                /* bytes that came from it */

    bool known; /* whether compression is */
    enum compression compression;
    z_stream gzip;
    ZSTD_DCtx *zstd;
    bool inside; /* a compressed stream that has not ended */

    const unsigned char *at; /* raw bytes that were not used yet */
    size_t left;
    unsigned char *buffer; /* for them; NULL where fd is -1 */

    bool begun; /* a byte order mark was looked for */
    size_t front_length, front_used;
    char front[COMPRESS_FRONT]; /* what was looked at already */
};

static enum dbk_code open_file(struct compress_reader *reader, const char *path,
                               struct dbk_error *err)
{
    struct stat status;

    reader->buffer = malloc(CHUNK);
    if (!reader->buffer)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory while opening %s", path);
    reader->fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC)
                                        : fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (reader->fd < 0)
        return dbk_fail(err, errno == ENOENT ? DBK_NOT_FOUND : DBK_IO, "%s: %s", path,
                        strerror(errno));
    if (fstat(reader->fd, &status) == 0 && S_ISREG(status.st_mode))
        reader->size = (double)status.st_size;
    return DBK_OK;
}

enum dbk_code compress_reader_open(const char *path, const struct dbk_watch *watch,
                                   struct compress_reader **reader,
                                   struct dbk_error *err)
{
    enum dbk_code code;

    *reader = calloc(1, sizeof **reader);
    if (!*reader)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory while opening %s", path);
    (*reader)->fd = -1;
    (*reader)->watch = watch;
    code = open_file(*reader, path, err);
    if (code != DBK_OK) {
        compress_reader_close(*reader);
        *reader = NULL;
    }
    return code;
}

enum dbk_code compress_reader_open_bytes(struct dbk_slice bytes,
                                         struct compress_reader **reader,
                                         struct dbk_error *err)
{
    *reader = calloc(1, sizeof **reader);
    if (!*reader)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    (*reader)->fd = -1;
    (*reader)->at = (const unsigned char *)bytes.data;
    (*reader)->left = bytes.length;
    return DBK_OK;
}

void compress_reader_close(struct compress_reader *reader)
{
    if (!reader)
        return;
    if (reader->compression == COMPRESSION_GZIP)
        inflateEnd(&reader->gzip);
    ZSTD_freeDCtx(reader->zstd); /* NULL is fine */
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->buffer);
    free(reader);
}

/* Wait until there is something to read, or the end. A file is always ready. */
static enum dbk_code wait_ready(const struct compress_reader *reader,
                                struct dbk_error *err)
{
    struct pollfd ready = {.fd = reader->fd, .events = POLLIN};

    while (reader->watch && poll(&ready, 1, ASK_MS) <= 0) {
        if (dbk_watch_stops(reader->watch))
            return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    }
    return DBK_OK;
}

/* Read more raw bytes behind those that are left, which are moved to the front. */
static enum dbk_code fill(struct compress_reader *reader, struct dbk_error *err)
{
    ssize_t got;

    if (reader->fd < 0)
        return DBK_OK;
    if (wait_ready(reader, err) != DBK_OK)
        return err->code;
    if (reader->left > 0)
        memmove(reader->buffer, reader->at, reader->left);
    reader->at = reader->buffer;
    do
        got = read(reader->fd, reader->buffer + reader->left, CHUNK - reader->left);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return dbk_fail(err, DBK_IO, "read: %s", strerror(errno));
    reader->left += (size_t)got;
    reader->taken += (uint64_t)got;
    return DBK_OK;
}

static bool starts(const struct compress_reader *reader, const char *magic,
                   size_t length)
{
    return reader->left >= length && !memcmp(reader->at, magic, length);
}

/* What the first bytes say. */
static enum dbk_code recognise(struct compress_reader *reader, struct dbk_error *err)
{
    size_t before;
    bool started = true;

    do {
        before = reader->left;
        if (fill(reader, err) != DBK_OK)
            return err->code;
    } while (reader->left < 4 && reader->left > before);
    if (starts(reader, "\x1F\x8B", 2)) {
        started = inflateInit2(&reader->gzip, GZIP_WINDOW) == Z_OK;
        reader->compression = started ? COMPRESSION_GZIP : COMPRESSION_NONE;
    } else if (starts(reader, "\x28\xB5\x2F\xFD", 4)) {
        reader->zstd = ZSTD_createDCtx();
        started = reader->zstd != NULL;
        reader->compression = COMPRESSION_ZSTD;
    }
    reader->known = true;
    return started ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "out of memory");
}

static enum dbk_code read_plain(struct compress_reader *reader, char *out, size_t size,
                                size_t *got)
{
    *got = size < reader->left ? size : reader->left;
    if (*got > 0)
        memcpy(out, reader->at, *got);
    reader->at += *got;
    reader->left -= *got;
    return DBK_OK;
}

static enum dbk_code read_gzip(struct compress_reader *reader, char *out, size_t size,
                               size_t *got, struct dbk_error *err)
{
    z_stream *gzip = &reader->gzip;
    int rc;

    gzip->next_in = (Bytef *)(uintptr_t)reader->at; /* zlib only reads it */
    gzip->avail_in = (uInt)reader->left;
    gzip->next_out = (Bytef *)out;
    gzip->avail_out = (uInt)size;
    rc = inflate(gzip, Z_NO_FLUSH);
    *got = size - gzip->avail_out;
    reader->at = gzip->next_in;
    reader->left = gzip->avail_in;
    reader->inside = rc != Z_STREAM_END;
    if (rc == Z_STREAM_END)
        rc = inflateReset(gzip); /* another may follow */
    if (rc == Z_OK || rc == Z_BUF_ERROR)
        return DBK_OK;
    if (rc == Z_MEM_ERROR)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    return dbk_fail(err, DBK_DAMAGED, "the gzip file is damaged (%s)",
                    gzip->msg ? gzip->msg : zError(rc));
}

static enum dbk_code read_zstd(struct compress_reader *reader, char *out, size_t size,
                               size_t *got, struct dbk_error *err)
{
    ZSTD_inBuffer from = {reader->at, reader->left, 0};
    ZSTD_outBuffer to = {out, size, 0};
    size_t rest = ZSTD_decompressStream(reader->zstd, &to, &from);

    if (ZSTD_isError(rest))
        return dbk_fail(err, DBK_DAMAGED, "the zstd file is damaged (%s)",
                        ZSTD_getErrorName(rest));
    *got = to.pos;
    reader->at += from.pos;
    reader->left -= from.pos;
    reader->inside = rest != 0;
    return DBK_OK;
}

static enum dbk_code read_some(struct compress_reader *reader, char *out, size_t size,
                               size_t *got, struct dbk_error *err)
{
    switch (reader->compression) {
    case COMPRESSION_GZIP:
        return read_gzip(reader, out, size, got, err);
    case COMPRESSION_ZSTD:
        return read_zstd(reader, out, size, got, err);
    case COMPRESSION_NONE:
        break;
    }
    return read_plain(reader, out, size, got);
}

static enum dbk_code cut_short(const struct compress_reader *reader,
                               struct dbk_error *err)
{
    return dbk_fail(err, DBK_DAMAGED, "the %s file is cut short",
                    reader->compression == COMPRESSION_GZIP ? "gzip" : "zstd");
}

/* As compress_read, for what is behind the front. */
static enum dbk_code read_on(struct compress_reader *reader, char *out, size_t size,
                             size_t *got, struct dbk_error *err)
{
    enum dbk_code code = reader->known ? DBK_OK : recognise(reader, err);

    *got = 0;
    while (code == DBK_OK && *got == 0) {
        size_t left = reader->left;
        if (left > 0 || reader->inside) /* a decoder may hold output back */
            code = read_some(reader, out, size, got, err);
        if (code != DBK_OK || *got > 0 || reader->left < left)
            continue;
        code = fill(reader, err);
        if (code == DBK_OK && reader->left == left)
            return reader->inside ? cut_short(reader, err) : DBK_OK;
    }
    return code;
}

static enum dbk_code read_front(struct compress_reader *reader, size_t wanted,
                                struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    size_t got = 1;

    while (code == DBK_OK && got > 0 && reader->front_length < wanted) {
        code = read_on(reader, reader->front + reader->front_length,
                       COMPRESS_FRONT - reader->front_length, &got, err);
        if (code == DBK_OK)
            reader->front_length += got;
    }
    return code;
}

/* Some editors write a byte order mark before UTF-8, which is no part of the text. None
 * of the binary files that are read begins with these bytes. */
static enum dbk_code begin(struct compress_reader *reader, struct dbk_error *err)
{
    if (reader->begun)
        return DBK_OK;
    if (read_front(reader, strlen(COMPRESS_MARK), err) != DBK_OK)
        return err->code;
    reader->begun = true;
    if (reader->front_length >= strlen(COMPRESS_MARK) &&
        !memcmp(reader->front, COMPRESS_MARK, strlen(COMPRESS_MARK))) {
        reader->front_length -= strlen(COMPRESS_MARK);
        memmove(reader->front, reader->front + strlen(COMPRESS_MARK),
                reader->front_length);
    }
    return DBK_OK;
}

enum dbk_code compress_read(struct compress_reader *reader, char *out, size_t size,
                            size_t *got, struct dbk_error *err)
{
    enum dbk_code code = begin(reader, err);
    size_t front = reader->front_length - reader->front_used;

    assert(reader->front_used <= reader->front_length);
    *got = 0;
    if (code != DBK_OK)
        return code;
    if (front == 0)
        return read_on(reader, out, size, got, err);
    *got = size < front ? size : front;
    memcpy(out, reader->front + reader->front_used, *got);
    reader->front_used += *got;
    return DBK_OK;
}

enum dbk_code compress_front(struct compress_reader *reader, struct dbk_slice *front,
                             struct dbk_error *err)
{
    enum dbk_code code = begin(reader, err);

    assert(reader->front_used == 0); /* nothing was read yet */
    if (code == DBK_OK)
        code = read_front(reader, COMPRESS_FRONT, err);
    *front = (struct dbk_slice){reader->front, reader->front_length};
    return code;
}

double compress_share(const struct compress_reader *reader)
{
    double share;

    if (reader->size <= 0)
        return -1;
    share = (double)(reader->taken - reader->left) / reader->size;
    return share > 1 ? 1 : share;
}
