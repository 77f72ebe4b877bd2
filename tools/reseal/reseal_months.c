#include "reseal_months.h"

void reseal_months_begin(struct reseal_months *months, uint64_t expired)
{
    *months = (struct reseal_months){.expired = expired};
}

static bool is_expired(const struct reseal_months *months,
                       const struct dbk_record *event)
{
    return event->sequence <= months->expired;
}

/* Whether an event that had no month's key is the first of its run. */
static bool begins(struct reseal_months *months, const struct dbk_record *event)
{
    dbk_timestamp from = dbk_timestamp_month(event->recorded_at);
    bool gone = is_expired(months, event);

    if (months->begun && months->from == from && months->gone == gone)
        return false;
    months->begun = true;
    months->from = from;
    months->gone = gone;
    return true;
}

enum dbk_code reseal_months_look(struct reseal_months *months,
                                 struct reseal_numbers *numbers,
                                 const struct dbk_record *event, struct dbk_error *err)
{
    if (event->month > 0) {
        months->begun = false;
        return event->expired || is_expired(months, event)
                   ? reseal_numbers_destroy(numbers, event->month, err)
                   : DBK_OK;
    }
    if (begins(months, event) && months->gone)
        reseal_numbers_count(numbers);
    return DBK_OK;
}

enum dbk_code reseal_months_of(struct reseal_months *months,
                               struct reseal_numbers *numbers,
                               const struct dbk_record *event,
                               struct reseal_number *out, struct dbk_error *err)
{
    if (event->month > 0) {
        months->begun = false;
        return reseal_numbers_become(numbers, event->month, out, err);
    }
    if (begins(months, event))
        months->run = reseal_numbers_take(numbers, months->gone);
    *out = months->run;
    return DBK_OK;
}
