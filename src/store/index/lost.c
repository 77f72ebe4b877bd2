#include "lost.h"

#include "environment_meta.h"
#include "sealed.h"
#include "store/keys.h"
#include "store/little_endian.h"
#include "store/uuid.h"

#include <endian.h>
#include <string.h>

/* As in person_alias: nobody's id, and in the place of an anonymous id's key the number. */
struct lost_key {
    struct dbk_uuid nobody;
    uint64_t number;
    uint8_t nothing[24];
};

_Static_assert(sizeof(struct lost_key) == 48, "as it is on disk");

static struct lost_key key_of(uint64_t number)
{
    return (struct lost_key){.number = htobe64(number)};
}

bool lost_is(MDB_val key)
{
    static const struct dbk_uuid nobody;

    return key.mv_size == sizeof(struct lost_key) &&
           !memcmp(key.mv_data, &nobody, sizeof nobody);
}

/* The last number of those that were destroyed together with this one. */
static uint64_t end_of(uint64_t number)
{
    return (number + DBK_KEYS_FORGOTTEN - 1) / DBK_KEYS_FORGOTTEN * DBK_KEYS_FORGOTTEN;
}

/* Whether all numbers up to the end of those around it are destroyed. How far that is known is
 * kept, so that each is looked at once. */
static int was_never_used(MDB_txn *txn, const struct environment *environment,
                          uint64_t number, bool *never)
{
    uint64_t end = end_of(number), known, first;
    int rc = environment_get_mark(txn, environment, ENVIRONMENT_FORGOTTEN, &first);

    for (known = first;
         rc == 0 && known < end && sealed_is_destroyed(environment, known + 1);)
        known++;
    *never = known >= end;
    if (rc == 0 && known > first)
        rc = environment_put_mark(txn, environment, ENVIRONMENT_FORGOTTEN, known);
    return rc;
}

int lost_note(MDB_txn *txn, const struct environment *environment, uint64_t number)
{
    struct lost_key key = key_of(number);
    char bytes[sizeof number];
    MDB_val name = {sizeof key, &key}, value = {sizeof bytes, bytes};
    bool never;
    int rc;

    if (!sealed_is_destroyed(environment, number)) /* the month's is */
        return 0;
    rc = was_never_used(txn, environment, number, &never);
    if (rc != 0 || never)
        return rc;
    dbk_put_le64(bytes, number);
    rc = mdb_put(txn, environment->person_alias, &name, &value, MDB_NOOVERWRITE);
    return rc == MDB_KEYEXIST ? 0 : rc;
}

/* The first one at a number or behind it. */
static int find(MDB_cursor *cursor, uint64_t *number)
{
    struct lost_key key = key_of(*number);
    MDB_val name = {sizeof key, &key}, value;
    int rc = mdb_cursor_get(cursor, &name, &value, MDB_SET_RANGE);

    if (rc == 0 && !lost_is(name))
        return MDB_NOTFOUND;
    if (rc == 0 && value.mv_size != sizeof *number)
        return LMDB_INDEX_DAMAGED;
    if (rc == 0)
        *number = dbk_get_le64(value.mv_data);
    return rc;
}

int lost_numbers(MDB_txn *txn, const struct environment *environment, uint64_t *numbers,
                 size_t max, size_t *count)
{
    MDB_cursor *cursor;
    uint64_t number = 0;
    int rc = mdb_cursor_open(txn, environment->person_alias, &cursor);

    *count = 0;
    if (rc != 0)
        return rc;
    while (*count < max && (rc = find(cursor, &number)) == 0)
        numbers[(*count)++] = number++;
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int drop(MDB_txn *txn, const struct environment *environment, uint64_t number)
{
    struct lost_key key = key_of(number);
    MDB_val name = {sizeof key, &key};
    int rc = mdb_del(txn, environment->person_alias, &name, NULL);

    return rc == MDB_NOTFOUND ? 0 : rc;
}

int lost_told(MDB_txn *txn, const struct environment *environment,
              struct dbk_slice keys)
{
    uint64_t number;
    size_t count;
    int rc = lost_numbers(txn, environment, &number, 1, &count);

    if (rc != 0 || count == 0) /* as mostly */
        return rc;
    for (size_t i = 0; rc == 0 && i + sizeof number <= keys.length;
         i += sizeof number) {
        memcpy(&number, keys.data + i, sizeof number);
        rc = drop(txn, environment, be64toh(number));
    }
    return rc;
}
