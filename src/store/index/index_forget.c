#include "index_forget.h"

#include "identity.h"
#include "index.h"
#include "sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Persons, in the order of their ids. */
struct gone {
    struct dbk_uuid *ids; /* owned */
    size_t count, room;
};

static int note(struct gone *gone, const struct dbk_uuid *id)
{
    if (gone->count == gone->room) {
        size_t room = gone->room ? 2 * gone->room : 64;
        struct dbk_uuid *grown = realloc(gone->ids, room * sizeof *grown);

        if (!grown)
            return ENOMEM;
        gone->ids = grown;
        gone->room = room;
    }
    gone->ids[gone->count++] = *id;
    return 0;
}

static int look(MDB_txn *txn, const struct environment *environment, MDB_val key,
                struct gone *gone)
{
    struct dbk_person_state person;
    struct dbk_uuid id;
    int rc;

    if (key.mv_size != sizeof id)
        return LMDB_INDEX_DAMAGED;
    memcpy(&id, key.mv_data, sizeof id);
    rc = index_look_person(txn, environment, &id, &person);
    if (rc == 0 && !person.erased && sealed_is_destroyed(environment, person.key))
        rc = note(gone, &id);
    return rc;
}

static int find_gone(MDB_txn *txn, const struct environment *environment,
                     struct gone *gone)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(txn, environment->person, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        rc = look(txn, environment, key, gone);
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Of e-mails, or of external ids: nobody can read of whom a tag is, but where it leads. */
static int drop_tags(MDB_txn *txn, MDB_dbi tags, const struct gone *gone)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int rc = mdb_cursor_open(txn, tags, &cursor);

    if (rc != 0)
        return rc;
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if (value.mv_size == sizeof *gone->ids &&
            bsearch(value.mv_data, gone->ids, gone->count, sizeof *gone->ids,
                    index_by_id))
            rc = mdb_cursor_del(cursor, 0);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int drop_all_tags(MDB_txn *txn, const struct environment *environment,
                         const struct gone *gone)
{
    int rc = drop_tags(txn, environment->email, gone);

    return rc == 0 ? drop_tags(txn, environment->external, gone) : rc;
}

int index_forget_tags(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_uuid *person)
{
    struct dbk_uuid id = *person;
    const struct gone gone = {.ids = &id, .count = 1};

    return drop_all_tags(txn, environment, &gone);
}

static int forget(MDB_txn *txn, const struct environment *environment,
                  const struct dbk_uuid *id)
{
    struct dbk_person_state person;
    int rc = index_look_person(txn, environment, id, &person);

    person.erased = true;
    if (rc == 0)
        rc = index_put_person(txn, environment, &person);
    return rc == 0 ? identity_forget_late(txn, environment, id) : rc;
}

int index_forget(MDB_txn *txn, const struct environment *environment)
{
    struct gone gone = {.ids = NULL};
    int rc = 0;

    if (environment->sealed && environment->keys)
        rc = find_gone(txn, environment, &gone);
    if (rc == 0 && gone.count > 0)
        qsort(gone.ids, gone.count, sizeof *gone.ids, index_by_id);
    if (rc == 0 && gone.count > 0)
        rc = drop_all_tags(txn, environment, &gone);
    for (size_t i = 0; i < gone.count && rc == 0; i++)
        rc = forget(txn, environment, &gone.ids[i]);
    free(gone.ids);
    return rc;
}
