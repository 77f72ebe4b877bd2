#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY INT64_C(86400000000) /* microseconds */
#define CHUNK 256                /* records; at their longest some 18 MB */

static bool parse_sequence(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *out = value;
    return value > 0;
}

static bool parse_time(const char *text, struct position *out)
{
    char whole[64];
    int length = snprintf(whole, sizeof whole, "%sT00:00:00", text);

    if (dbk_timestamp_parse(text, strlen(text), &out->time))
        return true;
    out->is_day = true;
    return length < (int)sizeof whole &&
           dbk_timestamp_parse(whole, (size_t)length, &out->time);
}

enum dbk_code position_parse(const char *text, struct position *out,
                             struct dbk_error *err)
{
    *out = (struct position){0};
    if (parse_sequence(text, &out->sequence))
        return DBK_OK;
    out->is_time = true;
    if (parse_time(text, out))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "\"%.64s\" is neither a sequence (1 or more) nor a time such as "
                    "2026-11-23T17:00:00",
                    text);
}

/* The last record of the batch at or before time; 0 where there is none. */
static uint64_t last_in(const struct dbk_batch *batch, dbk_timestamp time)
{
    struct dbk_record record;

    for (size_t i = batch->count; i > 0; i--) {
        if (dbk_batch_record(batch, i - 1, &record, NULL) == DBK_OK &&
            record.recorded_at <= time)
            return batch->entries[i - 1].sequence;
    }
    return 0;
}

/* The last record at or before time; 0 where there is none. */
static enum dbk_code find_last(struct dbk_log *log, uint64_t head, dbk_timestamp time,
                               uint64_t *sequence, struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;

    *sequence = 0;
    while (code == DBK_OK && head > 0 && *sequence == 0) {
        uint64_t after = head > CHUNK ? head - CHUNK : 0;
        code = dbk_log_read(log, after, (size_t)(head - after), SIZE_MAX, &batch, err);
        if (code == DBK_OK)
            *sequence = last_in(&batch, time);
        head = after;
    }
    dbk_batch_finish(&batch);
    return code;
}

/* The last moment that is meant. */
dbk_timestamp position_latest(const struct position *position)
{
    return position->is_day ? position->time + (DAY - 1) : position->time;
}

enum dbk_code position_to(const struct position *position, struct dbk_log *log,
                          uint64_t head, uint64_t *sequence, struct dbk_error *err)
{
    *sequence = position->sequence;
    if (!position->is_time)
        return DBK_OK;
    return find_last(log, head, position_latest(position), sequence, err);
}

enum dbk_code position_from(const struct position *position, struct dbk_log *log,
                            uint64_t head, uint64_t *sequence, struct dbk_error *err)
{
    enum dbk_code code;

    *sequence = position->sequence;
    if (!position->is_time)
        return DBK_OK;
    code = find_last(log, head, position->time - 1, sequence, err);
    ++*sequence;
    return code;
}

enum dbk_code position_range_parse(const char *from, const char *to,
                                   struct position_range *range, struct dbk_error *err)
{
    *range = (struct position_range){.has_from = from != NULL, .has_to = to != NULL};
    if (from && position_parse(from, &range->from, err) != DBK_OK)
        return dbk_wrap(err, "--from");
    if (to && position_parse(to, &range->to, err) != DBK_OK)
        return dbk_wrap(err, "--to");
    if (from && to && range->from.is_time == range->to.is_time &&
        (range->from.sequence > range->to.sequence ||
         range->from.time > position_latest(&range->to)))
        return dbk_fail(err, DBK_INVALID, "--from is behind --to");
    return DBK_OK;
}

static enum dbk_code check_in_log(const char *flag, const struct position *position,
                                  uint64_t head, struct dbk_error *err)
{
    if (position->is_time || position->sequence <= head)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "%s: there is no record %" PRIu64 ", the log ends with %" PRIu64,
                    flag, position->sequence, head);
}

static enum dbk_code check_range(const struct position_range *range, uint64_t from,
                                 uint64_t to, uint64_t head, struct dbk_error *err)
{
    if (range->has_to && to == 0 && head > 0)
        return dbk_fail(err, DBK_INVALID,
                        "--to: all records, 1 to %" PRIu64 ", are later", head);
    if (from > to && from - to > 1)
        return dbk_fail(err, DBK_INVALID,
                        "--from is record %" PRIu64 ", behind --to, record %" PRIu64,
                        from, to);
    return DBK_OK;
}

enum dbk_code position_range_find(const struct position_range *range,
                                  struct dbk_log *log, bool coming, uint64_t *from,
                                  uint64_t *to, struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t head;

    if (dbk_log_head(log, &head, err) != DBK_OK)
        return err->code;
    *from = 1;
    *to = coming ? UINT64_MAX : head;
    code = range->has_from && !coming ? check_in_log("--from", &range->from, head, err)
                                      : DBK_OK;
    if (code == DBK_OK && range->has_to && !coming)
        code = check_in_log("--to", &range->to, head, err);
    if (code == DBK_OK && range->has_from)
        code = position_from(&range->from, log, head, from, err);
    if (code == DBK_OK && range->has_to)
        code = position_to(&range->to, log, head, to, err);
    return code == DBK_OK ? check_range(range, *from, *to, head, err) : code;
}
