#include "budget.h"

#include <assert.h>
#include <malloc.h>

#define LITTLE ((size_t)256 << 10)    /* what is not counted */
#define LARGE_PART 32                 /* what is more than this part of all is large */
#define TRIM_EVERY ((size_t)64 << 20) /* so that looking for free pages costs little */
#define MAP_FROM (256 << 10)

/* A fixed threshold: else it rises to the largest block that was ever freed, and blocks
 * below it lie between others that live on. */
void budget_init(struct budget *budget, size_t max)
{
    budget->max = max;
    atomic_init(&budget->used, 0);
    atomic_init(&budget->released, 0);
    mallopt(M_MMAP_THRESHOLD, MAP_FROM);
}

bool budget_hold(struct budget *budget, size_t *held, size_t wanted)
{
    size_t used = atomic_load(&budget->used), max = budget->max, others;

    if (wanted <= LITTLE || wanted <= *held)
        return true;
    if (wanted > max / LARGE_PART)
        max -= max / 8;
    do {
        others = used - *held;
        if (others > 0 && (others >= max || wanted > max - others))
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, others + wanted));
    *held = wanted;
    return true;
}

void budget_release(struct budget *budget, size_t *held)
{
    size_t released = *held;

    if (released == 0)
        return;
    assert(atomic_load(&budget->used) >= released);
    atomic_fetch_sub(&budget->used, released);
    *held = 0;
    released += atomic_fetch_add(&budget->released, released);
    if (released < TRIM_EVERY)
        return;
    atomic_store(&budget->released, 0);
    malloc_trim(0);
}
