#include "months.h"
#include "environment_meta.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(sizeof(struct month) == 24, "as it is on disk");

/* Since year 0. */
static int64_t number_of_month(dbk_timestamp at)
{
    time_t seconds = (time_t)(dbk_timestamp_month(at) / 1000000);
    struct tm date;

    gmtime_r(&seconds, &date);
    return (date.tm_year + INT64_C(1900)) * 12 + date.tm_mon;
}

int64_t months_between(dbk_timestamp from, dbk_timestamp to)
{
    return number_of_month(to) - number_of_month(from);
}

static MDB_val name_of(const char *name)
{
    return (MDB_val){strlen(name), (void *)(uintptr_t)name};
}

/* In the map, as long as nothing is written. */
static int get_all(MDB_txn *txn, const struct environment *environment, MDB_val *value)
{
    MDB_val name = name_of(ENVIRONMENT_MONTHS);
    int rc = mdb_get(txn, environment->meta, &name, value);

    if (rc == MDB_NOTFOUND)
        *value = (MDB_val){0, NULL};
    if (rc == 0 && value->mv_size % sizeof(struct month) != 0)
        return MDB_CORRUPTED;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static size_t count_of(MDB_val value)
{
    return value.mv_size / sizeof(struct month);
}

static struct month month_at(MDB_val value, size_t i)
{
    struct month month;

    assert(i < count_of(value));
    memcpy(&month, (const char *)value.mv_data + i * sizeof month, sizeof month);
    return month;
}

int months_last(MDB_txn *txn, const struct environment *environment, struct month *out)
{
    MDB_val value;
    int rc = get_all(txn, environment, &value);

    *out = (struct month){0};
    if (rc == 0 && count_of(value) > 0)
        *out = month_at(value, count_of(value) - 1);
    return rc;
}

/* What is there from its `skipped`th on, and the one behind it, if any. */
static int put_all(MDB_txn *txn, const struct environment *environment, MDB_val value,
                   size_t skipped, const struct month *behind)
{
    size_t before = skipped * sizeof *behind, kept = value.mv_size - before;
    MDB_val name = name_of(ENVIRONMENT_MONTHS);
    MDB_val all = {kept + (behind ? sizeof *behind : 0), NULL};
    char *bytes;
    int rc;

    if (all.mv_size == 0) {
        rc = mdb_del(txn, environment->meta, &name, NULL);
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    all.mv_data = bytes = malloc(all.mv_size);
    if (!bytes)
        return ENOMEM;
    if (kept > 0)
        memcpy(bytes, (const char *)value.mv_data + before, kept);
    if (behind)
        memcpy(bytes + kept, behind, sizeof *behind);
    rc = mdb_put(txn, environment->meta, &name, &all, 0);
    free(bytes);
    return rc;
}

int months_add(MDB_txn *txn, const struct environment *environment,
               const struct month *month)
{
    MDB_val value;
    int rc = get_all(txn, environment, &value);

    assert(month->first > 0);
    return rc == 0 ? put_all(txn, environment, value, 0, month) : rc;
}

int months_note(MDB_txn *txn, const struct environment *environment, uint64_t sequence,
                dbk_timestamp recorded_at, uint64_t number)
{
    struct month last, month = {.first = sequence, .number = number};
    int rc = months_last(txn, environment, &last);

    if (rc != 0 || (number > 0 && last.number == number) ||
        (number == 0 && last.first == 0))
        return rc;
    month.from = dbk_timestamp_month(recorded_at);
    if (number == 0 && last.number == 0 && last.from == month.from)
        return 0;
    return months_add(txn, environment, &month);
}

/* How many runs at the front are due. */
static size_t count_due(MDB_val value, dbk_timestamp before, dbk_timestamp now)
{
    size_t due = 0;

    for (size_t i = 0; i < count_of(value); i++) {
        struct month month = month_at(value, i);

        if (month.from < before)
            due = i + 1;
        else if (month.from <= now)
            break;
    }
    return due;
}

int months_due(MDB_txn *txn, const struct environment *environment,
               dbk_timestamp before, dbk_timestamp now, uint64_t head,
               struct months_due *out)
{
    const size_t max = sizeof out->numbers / sizeof *out->numbers;
    MDB_val value;
    size_t due, i;
    int rc = get_all(txn, environment, &value);

    out->count = 0;
    out->through = 0;
    if (rc != 0)
        return rc;
    due = count_due(value, before, now);
    for (i = 0; i < due && out->count < max; i++) {
        struct month month = month_at(value, i);

        if (month.number > 0)
            out->numbers[out->count++] = month.number;
    }
    out->through = i < count_of(value) ? month_at(value, i).first - 1 : head;
    return 0;
}

static bool has_month(MDB_val value, dbk_timestamp from)
{
    for (size_t i = 0; i < count_of(value); i++) {
        if (month_at(value, i).from == from)
            return true;
    }
    return false;
}

int months_look(MDB_txn *txn, const struct environment *environment,
                dbk_timestamp before, dbk_timestamp now, uint64_t head,
                struct months_look *out)
{
    const dbk_timestamp last = dbk_timestamp_month(dbk_timestamp_month(now) - 1);
    MDB_val value;
    int rc = months_due(txn, environment, before, now, head, &out->due);

    if (rc == 0)
        rc = get_all(txn, environment, &value);
    if (rc != 0)
        return rc;
    out->oldest = before;
    for (size_t i = 0; i < count_of(value); i++) {
        struct month month = month_at(value, i);

        if (month.number > 0 && month.first <= out->due.through &&
            month.from < out->oldest)
            out->oldest = month.from;
    }
    out->silent_month = has_month(value, last) ? dbk_timestamp_month(last - 1) : last;
    out->silent = !has_month(value, out->silent_month);
    return 0;
}

int months_expire(MDB_txn *txn, const struct environment *environment, uint64_t through)
{
    size_t skipped = 0;
    MDB_val value;
    int rc = get_all(txn, environment, &value);

    while (rc == 0 && skipped < count_of(value) &&
           month_at(value, skipped).first <= through)
        skipped++;
    if (rc == 0 && skipped > 0)
        rc = put_all(txn, environment, value, skipped, NULL);
    return rc == 0
               ? environment_put_mark(txn, environment, ENVIRONMENT_EXPIRED, through)
               : rc;
}

int months_expired(MDB_txn *txn, const struct environment *environment,
                   uint64_t *through)
{
    return environment_get_mark(txn, environment, ENVIRONMENT_EXPIRED, through);
}

int months_clear(MDB_txn *txn, const struct environment *environment)
{
    MDB_val months = name_of(ENVIRONMENT_MONTHS),
            expired = name_of(ENVIRONMENT_EXPIRED);
    int rc = mdb_del(txn, environment->meta, &months, NULL);

    if (rc == 0 || rc == MDB_NOTFOUND)
        rc = mdb_del(txn, environment->meta, &expired, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
