/* Where tiles are told. Source: c2sp.org/tlog-tiles. */
#include "lines.h"
#include "store/proof/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Digits in groups of three, all but the last with an x in front. */
static size_t format_number(uint64_t n, char *out)
{
    unsigned groups[7], count = 0;
    size_t length = 0;

    do {
        groups[count++] = (unsigned)(n % 1000);
        n /= 1000;
    } while (n > 0);
    while (count-- > 0)
        length +=
            (size_t)sprintf(out + length, count > 0 ? "x%03u/" : "%03u", groups[count]);
    return length;
}

size_t dbk_tile_format(const struct dbk_tile *tile, char out[DBK_TILE_PATH + 1])
{
    size_t length;

    assert(tile->width >= 1 && tile->width <= DBK_TILE_WIDTH);
    assert(tile->level < DBK_TILE_LEVELS);
    length = tile->entries ? (size_t)sprintf(out, "tile/entries/")
                           : (size_t)sprintf(out, "tile/%u/", tile->level);
    length += format_number(tile->n, out + length);
    if (tile->width < DBK_TILE_WIDTH)
        length += (size_t)sprintf(out + length, ".p/%u", tile->width);
    return length;
}

static bool take(struct dbk_slice *path, const char *text)
{
    size_t length = strlen(text);

    if (path->length < length || memcmp(path->data, text, length) != 0)
        return false;
    path->data += length;
    path->length -= length;
    return true;
}

/* Up to a slash, which is taken too. */
static bool take_number(struct dbk_slice *path, uint64_t max, uint64_t *out)
{
    const char *slash = path->length > 0 ? memchr(path->data, '/', path->length) : NULL;
    struct dbk_slice digits = {path->data, slash ? (size_t)(slash - path->data) : 0};

    if (!lines_number(digits, max, out))
        return false;
    path->data = slash + 1;
    path->length -= digits.length + 1;
    return true;
}

/* However it is written. */
static bool take_groups(struct dbk_slice *path, uint64_t *n)
{
    bool more = true;

    *n = 0;
    while (more) {
        uint64_t group = 0;

        more = take(path, "x");
        if (path->length < 3 || *n > UINT64_MAX / 1000 - 1)
            return false;
        for (unsigned i = 0; i < 3; i++) {
            if (path->data[i] < '0' || path->data[i] > '9')
                return false;
            group = group * 10 + (uint64_t)(path->data[i] - '0');
        }
        *n = *n * 1000 + group;
        path->data += 3;
        path->length -= 3;
        if (more && !take(path, "/"))
            return false;
    }
    return true;
}

static bool read_tile(struct dbk_slice path, struct dbk_tile *tile)
{
    uint64_t level = 0, width = DBK_TILE_WIDTH;

    if (!take(&path, "tile/"))
        return false;
    tile->entries = take(&path, "entries/");
    if (!tile->entries && !take_number(&path, DBK_TILE_LEVELS - 1, &level))
        return false;
    if (!take_groups(&path, &tile->n))
        return false;
    if (path.length > 0 &&
        (!take(&path, ".p/") || !lines_number(path, DBK_TILE_WIDTH - 1, &width) ||
         width == 0))
        return false;
    tile->level = (unsigned)level;
    tile->width = (unsigned)width;
    return true;
}

bool dbk_tile_parse(struct dbk_slice path, struct dbk_tile *tile)
{
    char canonical[DBK_TILE_PATH + 1];

    *tile = (struct dbk_tile){0};
    return read_tile(path, tile) &&
           dbk_slice_equal(
               path, (struct dbk_slice){canonical, dbk_tile_format(tile, canonical)});
}
