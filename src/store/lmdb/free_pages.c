#include "free_pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER 16     /* of a page */
#define NODE_HEADER 8 /* of an entry in it */
#define BRANCH 0x01   /* flags of a page */
#define LEAF 0x02     /* the same */
#define OVERFLOW 0x04 /* the same */
#define BIG 0x01      /* of an entry: its value is on pages of its own */
#define DEPTH_MAX 32  /* LMDB's own bound */
#define MISSING_MAX ((uint64_t)1 << 27)

/* One search. */
struct search {
    int fd;
    uint32_t page_size;
    uint64_t first, last; /* of the pages that are looked for */
    bool *found;          /* of each of them */
    uint64_t left;        /* how many are not found */
    uint64_t reads_left;  /* no tree has more pages than the file: else it goes round */
};

static uint16_t u16_at(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t u64_at(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static bool read_at(struct search *search, uint64_t page, void *out, size_t size)
{
    if (page >= search->first ||
        search->reads_left == 0) /* past the end, or going round */
        return false;
    search->reads_left--;
    return pread(search->fd, out, size, (off_t)(page * search->page_size)) ==
           (ssize_t)size;
}

static void take_page(struct search *search, uint64_t page)
{
    if (page < search->first || page > search->last ||
        search->found[page - search->first])
        return;
    assert(search->left > 0);
    search->found[page - search->first] = true;
    search->left--;
}

/* The value of an entry: how many, and the pages. */
static bool take_list(struct search *search, const uint8_t *list, size_t size)
{
    if (size < 8 || u64_at(list) != size / 8 - 1)
        return false;
    for (size_t at = 8; at + 8 <= size; at += 8)
        take_page(search, u64_at(list + at));
    return true;
}

/* A list that is too long for a page: on pages in a row, the first with a header. */
static bool take_big_list(struct search *search, uint64_t page, size_t size)
{
    uint64_t pages = (HEADER + size + search->page_size - 1) / search->page_size;
    uint8_t *bytes;
    bool fine;

    if (page >= search->first || pages > search->first - page)
        return false;
    bytes = malloc(HEADER + size);
    fine = bytes && read_at(search, page, bytes, HEADER + size) &&
           u16_at(bytes + 10) == OVERFLOW && take_list(search, bytes + HEADER, size);
    free(bytes);
    return fine;
}

static bool take_leaf(struct search *search, const uint8_t *page, size_t offset)
{
    const uint8_t *node = page + offset;
    size_t size = u16_at(node) | (size_t)u16_at(node + 2) << 16;
    size_t value = offset + NODE_HEADER + u16_at(node + 6);
    bool big = u16_at(node + 4) & BIG;

    if (value > search->page_size || (big ? 8 : size) > search->page_size - value)
        return false;
    return big ? take_big_list(search, u64_at(page + value), size)
               : take_list(search, page + value, size);
}

static uint64_t child_of(const uint8_t *node)
{
    return u16_at(node) | (uint64_t)u16_at(node + 2) << 16 |
           (uint64_t)u16_at(node + 4) << 32;
}

static bool take_tree(struct search *search, uint64_t root, int depth)
{
    uint8_t *page = malloc(search->page_size);
    bool fine = page && depth < DEPTH_MAX &&
                read_at(search, root, page, search->page_size) &&
                (u16_at(page + 10) == BRANCH || u16_at(page + 10) == LEAF);
    size_t end = fine ? u16_at(page + 12) : 0; /* of where the entries are told */

    fine = fine && end >= HEADER && end <= search->page_size;
    for (size_t at = HEADER; fine && at + 2 <= end; at += 2) {
        size_t offset = u16_at(page + at);

        if (offset > search->page_size - NODE_HEADER)
            fine = false;
        else if (u16_at(page + 10) == LEAF)
            fine = take_leaf(search, page, offset);
        else
            fine = take_tree(search, child_of(page + offset), depth + 1);
    }
    free(page);
    return fine;
}

bool free_pages_have(int fd, uint32_t page_size, uint64_t root, uint64_t first,
                     uint64_t last)
{
    struct search search = {.fd = fd,
                            .page_size = page_size,
                            .first = first,
                            .last = last,
                            .left = last - first + 1,
                            .reads_left = first};
    bool all;

    if (last < first || last - first >= MISSING_MAX)
        return false;
    search.found = calloc(search.left, sizeof *search.found);
    all = search.found && take_tree(&search, root, 0) && search.left == 0;
    free(search.found);
    return all;
}
