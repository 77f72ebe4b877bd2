/* Takes the place of the C library's free and realloc, for all libraries: memory that is
 * given back is wiped. What a request brought, or PostgreSQL answered, lies in some dozen
 * blocks of libpq, civetweb, msgpack and ours, and would stay there for as long as nobody
 * gets the block again: an erasure would not reach it.
 *
 * glibc lets a program do so ("Replacing malloc" in its manual), and has its own functions
 * under other names. It costs about 7 KB to be zeroed a request. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* glibc's own, which no header declares. */
void *__libc_malloc(size_t size);
void __libc_free(void *block);
void *__libc_realloc(void *block, size_t size);

/* In the size before a block, as glibc has it: it is a mapping, whose pages the system takes back
 * at once, so that nothing of it is left. */
#define IS_MAPPED 2u

static int is_mapped(void *block)
{
    size_t before;

    memcpy(&before, (char *)block - sizeof before, sizeof before);
    return (before & IS_MAPPED) != 0;
}

void free(void *block)
{
    if (block && !is_mapped(block))
        explicit_bzero(block, malloc_usable_size(block));
    __libc_free(block);
}

/* Never by glibc's, which may move the block and leave the old one as it is. */
void *realloc(void *block, size_t size)
{
    size_t before = block ? malloc_usable_size(block) : 0;
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
