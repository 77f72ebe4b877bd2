#include "reseal_numbers.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* In `becomes`, beside the new number. */
#define GONE (UINT64_C(1) << 63)

enum dbk_code reseal_numbers_init(struct reseal_numbers *numbers, uint64_t old,
                                  struct dbk_error *err)
{
    *numbers = (struct reseal_numbers){.old = old};
    if (old == 0)
        return DBK_OK;
    numbers->becomes = calloc(old, sizeof *numbers->becomes);
    if (!numbers->becomes)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to know %" PRIu64 " keys by",
                        old);
    return DBK_OK;
}

void reseal_numbers_finish(struct reseal_numbers *numbers)
{
    free(numbers->becomes);
    *numbers = (struct reseal_numbers){.gone = 0};
}

void reseal_numbers_count(struct reseal_numbers *numbers)
{
    numbers->gone++;
}

static enum dbk_code find(const struct reseal_numbers *numbers, uint64_t old,
                          uint64_t **becomes, struct dbk_error *err)
{
    if (old == 0 || old > numbers->old)
        return dbk_fail(err, DBK_DAMAGED,
                        "its key, %" PRIu64 ", is not in the ring, which has %" PRIu64,
                        old, numbers->old);
    *becomes = &numbers->becomes[old - 1];
    return DBK_OK;
}

enum dbk_code reseal_numbers_destroy(struct reseal_numbers *numbers, uint64_t old,
                                     struct dbk_error *err)
{
    uint64_t *becomes;
    enum dbk_code code = find(numbers, old, &becomes, err);

    if (code == DBK_OK && !(*becomes & GONE)) {
        *becomes |= GONE;
        numbers->gone++;
    }
    return code;
}

void reseal_numbers_begin(struct reseal_numbers *numbers, uint64_t free)
{
    assert(free > numbers->gone);
    numbers->highest = free - 1;
}

struct reseal_number reseal_numbers_take(struct reseal_numbers *numbers, bool gone)
{
    assert(!gone || numbers->next_gone < numbers->gone);
    return (struct reseal_number){gone ? ++numbers->next_gone : ++numbers->highest,
                                  gone};
}

enum dbk_code reseal_numbers_become(struct reseal_numbers *numbers, uint64_t old,
                                    struct reseal_number *out, struct dbk_error *err)
{
    uint64_t *becomes;
    enum dbk_code code = find(numbers, old, &becomes, err);

    if (code != DBK_OK)
        return code;
    if ((*becomes & ~GONE) == 0)
        *becomes |= reseal_numbers_take(numbers, *becomes & GONE).number;
    *out = (struct reseal_number){*becomes & ~GONE, *becomes & GONE};
    return DBK_OK;
}
