#include "environment_load.h"

#include "environment_meta.h"

/* The flags are in the file, and LMDB goes by them: with wrong ones it reads wild. */
static int open_one(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
    unsigned found;
    int rc = mdb_dbi_open(txn, name, flags, dbi);

    if (rc == 0)
        rc = mdb_dbi_flags(txn, *dbi, &found);
    return rc == 0 && found != (flags & ~(unsigned)MDB_CREATE) ? MDB_CORRUPTED : rc;
}

static int open_databases(MDB_txn *txn, unsigned flags, struct environment *out)
{
    int rc;

    if ((rc = open_one(txn, "log", flags | MDB_INTEGERKEY, &out->log)) != 0 ||
        (rc = open_one(txn, "person", flags, &out->person)) != 0 ||
        (rc = open_one(txn, "email", flags, &out->email)) != 0 ||
        (rc = open_one(txn, "event", flags, &out->event)) != 0 ||
        (rc = open_one(txn, "idempotency", flags, &out->idempotency)) != 0)
        return rc;
    return 0;
}

/* What a log of a program before does not have: left 0 where it is not made. */
static int open_added(MDB_txn *txn, const char *name, unsigned flags, MDB_dbi *dbi)
{
    int rc = open_one(txn, name, flags, dbi);

    if (rc == MDB_NOTFOUND)
        *dbi = 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int open_identities(MDB_txn *txn, unsigned flags, struct environment *out)
{
    int rc;

    if ((rc = open_added(txn, "external", flags, &out->external)) != 0 ||
        (rc = open_added(txn, "alias", flags, &out->alias)) != 0 ||
        (rc = open_added(txn, "person_alias", flags, &out->person_alias)) != 0)
        return rc;
    return open_added(txn, "restricted", flags, &out->restricted);
}

static int initialise(MDB_txn *txn, struct environment *out)
{
    struct dbk_uuid store_id =
        dbk_uuid_is_nil(&out->store_id) ? dbk_uuid_new() : out->store_id;
    /* What knows nothing of keys is kept from writing to a sealed one. */
    uint32_t format =
        out->sealed ? ENVIRONMENT_FORMAT_SEALED : ENVIRONMENT_FORMAT_FIRST;
    uint32_t sealed = 1;
    int rc;

    if ((rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &out->meta)) != 0 ||
        (rc = environment_put_meta(txn, out->meta, "format", &format, sizeof format)) !=
            0)
        return rc;
    if (out->sealed)
        rc = environment_put_meta(txn, out->meta, "sealed", &sealed, sizeof sealed);
    if (rc != 0)
        return rc;
    return environment_put_meta(txn, out->meta, "store_id", store_id.bytes,
                                sizeof store_id.bytes);
}

static int look_whether_empty(MDB_txn *txn, bool *empty)
{
    MDB_dbi unnamed;
    MDB_stat stat;
    int rc = mdb_dbi_open(txn, NULL, 0, &unnamed);

    if (rc == 0)
        rc = mdb_stat(txn, unnamed, &stat);
    *empty = rc == 0 && stat.ms_entries == 0;
    return rc;
}

static int read_sealed(MDB_txn *txn, struct environment *out)
{
    uint32_t sealed;
    int rc = environment_get_meta(txn, out->meta, "sealed", &sealed, sizeof sealed);

    out->sealed = rc == 0;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static enum dbk_code check_format(MDB_txn *txn, struct environment *out,
                                  struct dbk_error *err)
{
    uint32_t format = 0;
    int rc = environment_get_meta(txn, out->meta, "format", &format, sizeof format);

    if (rc == MDB_NOTFOUND)
        return dbk_fail(err, DBK_UNSUPPORTED, "an LMDB file, but not a log of ours");
    out->member = rc == 0 && (format & ENVIRONMENT_MEMBER) != 0;
    format &= ~ENVIRONMENT_MEMBER;
    if (rc == 0 && format > ENVIRONMENT_FORMAT)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "written by a newer daybook (format %u, this one knows %u): "
                        "use that one",
                        format, ENVIRONMENT_FORMAT);
    if (rc == 0)
        rc = environment_get_meta(txn, out->meta, "store_id", out->store_id.bytes,
                                  sizeof out->store_id.bytes);
    if (rc == 0)
        rc = read_sealed(txn, out);
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "read what the log is");
}

/* Open the databases inside txn, for ENVIRONMENT_MAKE making them where the file is new. */
static enum dbk_code load(MDB_txn *txn, enum dbk_access access, struct environment *out,
                          struct dbk_error *err)
{
    enum dbk_code code;
    bool empty = false;
    int found = mdb_dbi_open(txn, "meta", 0, &out->meta), rc = found;

    if (found == MDB_NOTFOUND)
        rc = look_whether_empty(txn, &empty);
    if (empty) {
        if (access != ENVIRONMENT_MAKE) /* killed while it was made */
            return dbk_fail(err, DBK_NOT_FOUND, "holds no log");
        rc = initialise(txn, out);
    }
    if (rc == MDB_INCOMPATIBLE || (rc == 0 && found == MDB_NOTFOUND && !empty))
        return dbk_fail(err, DBK_UNSUPPORTED, "an LMDB file, but not a log of ours");
    if (rc != 0)
        return lmdb_fail(err, out->env, rc, "open the log");
    code = check_format(txn, out, err);
    if (code != DBK_OK)
        return code;
    rc = open_databases(txn, access == ENVIRONMENT_MAKE ? MDB_CREATE : 0, out);
    if (rc == 0)
        rc = open_identities(txn, access == ENVIRONMENT_MAKE ? MDB_CREATE : 0, out);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE) /* all are made in one commit */
        rc = MDB_CORRUPTED;
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}

enum dbk_code environment_load(enum dbk_access access, struct environment *out,
                               struct dbk_error *err)
{
    MDB_txn *txn;
    enum dbk_code code;
    int rc = mdb_txn_begin(out->env, NULL, access == ENVIRONMENT_MAKE ? 0 : MDB_RDONLY,
                           &txn);

    if (rc != 0)
        return lmdb_fail(err, out->env, rc, "open the log");
    code = load(txn, access, out, err);
    if (code != DBK_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    rc = mdb_txn_commit(txn); /* writes nothing where nothing was made */
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}

enum dbk_code environment_make_identities(struct environment *out,
                                          struct dbk_error *err)
{
    MDB_txn *txn;
    int rc;

    if (out->external && out->alias && out->person_alias && out->restricted)
        return DBK_OK;
    rc = mdb_txn_begin(out->env, NULL, 0, &txn);
    if (rc == 0) {
        rc = open_identities(txn, MDB_CREATE, out);
        if (rc == 0)
            rc = mdb_txn_commit(txn);
        else
            mdb_txn_abort(txn);
    }
    return rc == 0 ? DBK_OK : lmdb_fail(err, out->env, rc, "open the log");
}
