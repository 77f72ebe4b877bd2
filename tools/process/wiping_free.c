/* Takes the place of the C library's allocator, for all libraries: it is glibc's as before, but
 * memory that is given back is wiped. What a request brought, or PostgreSQL answered, lies in
 * some dozen blocks of libpq, civetweb, msgpack and ours, and would stay there for as long as
 * nobody gets the block again: an erasure would not reach it.
 *
 * glibc lets a program do so ("Replacing malloc" in its manual, which also lists what belongs
 * to it), and has its own functions under other names. All of them are here, so that no block
 * is another allocator's, as of one in LD_PRELOAD, which is then not asked. It costs about 7 KB
 * to be zeroed a request. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own, which no header declares. */
void *__libc_malloc(size_t size);
void __libc_free(void *block);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);

/* In the size before a block, as glibc has it: flags, of which this says that it is a mapping,
 * whose pages the system takes back at once, so that nothing of it is left. */
#define FLAGS 7u
#define IS_MAPPED 2u

/* A fixed threshold: else it rises up to 32 MiB with what is freed, and blocks of that size
 * are no mappings any more, and wiped. */
#define MAPPED_FROM (256 << 10)

/* What glibc puts behind the first word of a block that was given back, to find one that is
 * given back twice: wiped, it would find none. 0: it does not. */
static size_t given_back;

static size_t word_of(const void *block, int at)
{
    size_t word;

    memcpy(&word, (const char *)block + at * (int)sizeof word, sizeof word);
    return word;
}

__attribute__((constructor)) static void begin(void)
{
    void *block = __libc_calloc(1, 3 * sizeof(size_t));

    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
    if (!block)
        return;
    __libc_free(block);
    given_back = word_of(block, 1);
}

static int is_mapped(const void *block)
{
    return (word_of(block, -1) & IS_MAPPED) != 0;
}

/* Behind a block that is no mapping its size takes the first word of the next one's head. */
size_t malloc_usable_size(void *block)
{
    if (!block)
        return 0;
    return (word_of(block, -1) & ~(size_t)FLAGS) -
           (is_mapped(block) ? 2 : 1) * sizeof(size_t);
}

void free(void *block)
{
    if (block && !is_mapped(block) &&
        (given_back == 0 || word_of(block, 1) != given_back))
        explicit_bzero(block, malloc_usable_size(block));
    __libc_free(block);
}

/* Never by glibc's, which may move the block and leave the old one as it is. */
void *realloc(void *block, size_t size)
{
    size_t before = malloc_usable_size(block);
    void *moved;

    if (!block || (size > 0 && is_mapped(block)))
        return __libc_realloc(block, size);
    if (size == 0) { /* as glibc has it */
        free(block);
        return NULL;
    }
    if (size <= before && size >= before / 2)
        return block;
    moved = __libc_malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, block, size < before ? size : before);
    free(block);
    return moved;
}

void *malloc(size_t size)
{
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return __libc_calloc(count, size);
}

void *memalign(size_t alignment, size_t size)
{
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block;

    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    block = __libc_memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

void *valloc(size_t size)
{
    return __libc_valloc(size);
}

void *pvalloc(size_t size)
{
    return __libc_pvalloc(size);
}
