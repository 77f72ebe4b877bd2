#include "funnel_fold.h"

void funnel_fold_init(struct funnel_fold *fold, size_t steps_count, int64_t within_us)
{
    *fold = (struct funnel_fold){.steps_count = steps_count, .within_us = within_us};
}

void funnel_fold_end(struct funnel_fold *fold)
{
    for (size_t k = 0; k < fold->reached; k++)
        fold->persons[k]++;
    fold->reached = 0;
    for (size_t k = 0; k < fold->steps_count; k++)
        fold->has_started[k] = false;
}

static void do_step(struct funnel_fold *fold, size_t k, dbk_timestamp started)
{
    fold->started[k] = started;
    fold->has_started[k] = true;
    if (fold->reached <= k)
        fold->reached = k + 1;
}

/* Of all the ways to a step the one that began last has the most time left, so no other need
 * be remembered; it is never older than what is known. The last steps first: else one event
 * would be two of them. */
void funnel_fold_event(struct funnel_fold *fold, const struct dbk_uuid *person,
                       dbk_timestamp at, unsigned steps)
{
    if (!dbk_uuid_equal(&fold->person, person)) {
        funnel_fold_end(fold);
        fold->person = *person;
    }
    for (size_t k = fold->steps_count; k-- > 0;) {
        if (!(steps >> k & 1))
            continue;
        if (k == 0)
            do_step(fold, 0, at);
        else if (fold->has_started[k - 1] &&
                 at - fold->started[k - 1] <= fold->within_us)
            do_step(fold, k, fold->started[k - 1]);
    }
}
