#include "compare.h"

#include "lost.h"
#include "months.h"

#include "store/slice.h"
#include "store/uuid.h"

#include <assert.h>
#include <stdio.h>

/* One database on both sides, walked in key order. */
struct pair {
    const char *name;
    bool hashed;                 /* its keys are no text */
    bool forgets;                /* see is_forgotten */
    MDB_cursor *there, *implied; /* there: NULL where the log has no such database */
    MDB_val there_key, there_value, implied_key, implied_value;
    int there_rc, implied_rc; /* 0, or MDB_NOTFOUND past the end */
    void (*differs)(void *context, const char *text);
    void *context;
};

static void format_hash(const unsigned char *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        sprintf(out + 2 * i, "%02x", bytes[i]);
}

static void format_key(bool hashed, MDB_val key, char *out, size_t size)
{
    struct dbk_uuid id;

    assert(size > DBK_UUID_TEXT);
    if (key.mv_size == sizeof id.bytes) {
        memcpy(id.bytes, key.mv_data, sizeof id.bytes);
        dbk_uuid_format(&id, out);
    } else if (hashed && key.mv_size < size / 2) {
        format_hash((const unsigned char *)key.mv_data, key.mv_size, out);
    } else {
        snprintf(out, size, "\"%.*s\"", (int)key.mv_size, (const char *)key.mv_data);
    }
}

static void tell(const struct pair *pair, MDB_val key, const char *what)
{
    char key_text[600], text[700];

    format_key(pair->hashed, key, key_text, sizeof key_text);
    snprintf(text, sizeof text, "index %s, %.600s: %s", pair->name, key_text, what);
    pair->differs(pair->context, text);
}

static void step_there(struct pair *pair)
{
    pair->there_rc = pair->there ? mdb_cursor_get(pair->there, &pair->there_key,
                                                  &pair->there_value, MDB_NEXT)
                                 : MDB_NOTFOUND;
}

static void step_implied(struct pair *pair)
{
    pair->implied_rc = mdb_cursor_get(pair->implied, &pair->implied_key,
                                      &pair->implied_value, MDB_NEXT);
}

static bool same_value(const struct pair *pair)
{
    return pair->there_value.mv_size == pair->implied_value.mv_size &&
           !memcmp(pair->there_value.mv_data, pair->implied_value.mv_data,
                   pair->there_value.mv_size);
}

/* Below 0: the side that is there comes first, as LMDB orders keys; a side past its end
 * comes last. */
static int order(const struct pair *pair)
{
    size_t least = pair->there_key.mv_size < pair->implied_key.mv_size
                       ? pair->there_key.mv_size
                       : pair->implied_key.mv_size;
    int by_bytes;

    assert(pair->there_rc == 0 || pair->implied_rc == 0);
    if (pair->there_rc != 0 || pair->implied_rc != 0)
        return pair->there_rc == 0 ? -1 : 1;
    by_bytes = memcmp(pair->there_key.mv_data, pair->implied_key.mv_data, least);
    if (by_bytes != 0)
        return by_bytes;
    return (pair->there_key.mv_size > least) - (pair->implied_key.mv_size > least);
}

/* Of what an alias has, and of the rest of it, see identity.h. */
enum { NUMBER_AT = 32, NUMBER = 8 };

static bool is_zero(MDB_val value, size_t from, size_t length)
{
    const char *bytes = value.mv_data;

    for (size_t i = 0; i < length; i++)
        if (bytes[from + i])
            return false;
    return true;
}

/* In a log of which events are expired: it has the number of the key that an anonymous id's
 * events had, and nobody can tell any more whose they were. */
static bool is_forgotten(const struct pair *pair, bool implied)
{
    MDB_val is = pair->there_value, other = pair->implied_value;

    if (!pair->forgets)
        return false;
    if (!implied)
        return is.mv_size == NUMBER ||
               (is.mv_size == NUMBER_AT + NUMBER && is_zero(is, 0, NUMBER_AT));
    if (is.mv_size != other.mv_size || is.mv_size < NUMBER_AT + NUMBER)
        return is.mv_size == NUMBER && other.mv_size == 0;
    return is_zero(other, NUMBER_AT, NUMBER) &&
           !memcmp(is.mv_data, other.mv_data, NUMBER_AT) &&
           !memcmp((const char *)is.mv_data + NUMBER_AT + NUMBER,
                   (const char *)other.mv_data + NUMBER_AT + NUMBER,
                   is.mv_size - NUMBER_AT - NUMBER);
}

/* What the ring has destroyed, and no record says so, is as the ring was when the indexes were
 * made. */
static bool is_lost(const struct pair *pair, MDB_val key)
{
    return pair->hashed && lost_is(key);
}

static void compare_entries(struct pair *pair)
{
    int first = order(pair);

    if (first < 0) {
        if (!is_forgotten(pair, false) && !is_lost(pair, pair->there_key))
            tell(pair, pair->there_key, "the log implies no such entry");
        step_there(pair);
    } else if (first > 0) {
        if (!is_lost(pair, pair->implied_key))
            tell(pair, pair->implied_key, "missing");
        step_implied(pair);
    } else {
        if (!same_value(pair) && !is_forgotten(pair, true))
            tell(pair, pair->there_key, "the log implies another value");
        step_there(pair);
        step_implied(pair);
    }
}

static bool ended(int rc)
{
    return rc != 0 && rc != MDB_NOTFOUND;
}

static int compare_database(struct pair *pair)
{
    step_there(pair);
    step_implied(pair);
    while ((pair->there_rc == 0 || pair->implied_rc == 0) && !ended(pair->there_rc) &&
           !ended(pair->implied_rc))
        compare_entries(pair);
    if (ended(pair->there_rc))
        return pair->there_rc;
    return ended(pair->implied_rc) ? pair->implied_rc : 0;
}

int compare_indexes(MDB_txn *there, const struct environment *there_environment,
                    MDB_txn *implied, const struct environment *implied_environment,
                    void (*differs)(void *context, const char *text), void *context)
{
    const struct {
        const char *name;
        bool hashed, forgets;
        MDB_dbi there, implied;
    } databases[] = {
        {"person", false, false, there_environment->person,
         implied_environment->person},
        {"email", false, false, there_environment->email, implied_environment->email},
        {"event", false, false, there_environment->event, implied_environment->event},
        {"external", true, false, there_environment->external,
         implied_environment->external},
        {"alias", true, true, there_environment->alias, implied_environment->alias},
        {"person_alias", true, true, there_environment->person_alias,
         implied_environment->person_alias},
        {"restricted", false, false, there_environment->restricted,
         implied_environment->restricted},
    };
    uint64_t expired;
    int rc = months_expired(there, there_environment, &expired);

    for (size_t i = 0; rc == 0 && i < sizeof databases / sizeof *databases; i++) {
        struct pair pair = {.name = databases[i].name,
                            .hashed = databases[i].hashed,
                            .forgets = databases[i].forgets && expired > 0,
                            .differs = differs,
                            .context = context};

        if (databases[i].there)
            rc = mdb_cursor_open(there, databases[i].there, &pair.there);
        if (rc == 0)
            rc = mdb_cursor_open(implied, databases[i].implied, &pair.implied);
        if (rc == 0)
            rc = compare_database(&pair);
        if (pair.there)
            mdb_cursor_close(pair.there);
        if (pair.implied)
            mdb_cursor_close(pair.implied);
    }
    return rc;
}
