/* An allocator for LD_PRELOAD that ends the program when it is asked: of one that replaces the
 * whole of the C library's no part is taken. */
#include <stdlib.h>

void *malloc(size_t size)
{
    (void)size;
    abort();
}

void free(void *block)
{
    (void)block;
    abort();
}

void *calloc(size_t count, size_t size)
{
    (void)count, (void)size;
    abort();
}

void *realloc(void *block, size_t size)
{
    (void)block, (void)size;
    abort();
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    abort();
}

void *aligned_alloc(size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    abort();
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    (void)out, (void)alignment, (void)size;
    abort();
}

size_t malloc_usable_size(void *block);
size_t malloc_usable_size(void *block)
{
    (void)block;
    abort();
}
