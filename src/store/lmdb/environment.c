#include "environment.h"

#include "environment_check.h"
#include "environment_load.h"
#include "fault_watch.h"

#include <errno.h>
#include <string.h>

#define MAP_SIZE ((size_t)1 << 40)
#define MAP_SIZE_MIN ((size_t)1 << 30)
#define READERS_MAX 8192 /* every HTTP thread, and tools beside */

/* Map as much as asked for, or as this process may: address space, not memory. */
static int open_mapped(const char *dir, unsigned flags, size_t map_size, MDB_env **env)
{
    size_t size = map_size ? map_size : MAP_SIZE;
    int rc;

    do {
        rc = mdb_env_create(env);
        if (rc != 0)
            return rc;
        if ((rc = mdb_env_set_mapsize(*env, size)) == 0 &&
            (rc = mdb_env_set_maxdbs(*env, 16)) == 0 &&
            (rc = mdb_env_set_maxreaders(*env, READERS_MAX)) == 0)
            rc = mdb_env_open(*env, dir, MDB_NOTLS | flags, 0600);
        if (rc != 0) {
            mdb_env_close(*env);
            *env = NULL;
        }
        size /= 2;
    } while (rc == ENOMEM && !map_size && size >= MAP_SIZE_MIN);
    return rc;
}

static enum dbk_code open_env(const char *dir, enum dbk_access access, size_t map_size,
                              MDB_env **env, struct dbk_error *err)
{
    unsigned flags = 0;
    bool lock;
    int rc;

    if (environment_number_taken(dir))
        return lmdb_fail(err, NULL, EAGAIN, "open the log");
    if (access == ENVIRONMENT_READ || access == ENVIRONMENT_SALVAGE) {
        if (environment_check_locking(dir, &lock, err) != DBK_OK)
            return err->code;
        flags = MDB_RDONLY | (lock ? 0 : MDB_NOLOCK);
    }
    rc = open_mapped(dir, flags, map_size, env);
    return rc == 0 ? DBK_OK : lmdb_fail(err, NULL, rc, "open the log");
}

static enum dbk_code open_and_load(const char *dir, enum dbk_access access,
                                   size_t map_size, struct environment *out,
                                   struct dbk_error *err)
{
    enum dbk_code code = open_env(dir, access, map_size, &out->env, err);
    int dead;

    if (code != DBK_OK)
        return code;
    fault_watch(out->env, dir);
    mdb_reader_check(out->env, &dead);
    fault_enter(out->env);
    code = environment_load(access, out, err);
    if (code == DBK_OK && access == ENVIRONMENT_WRITE)
        code = environment_make_identities(out, err);
    fault_leave();
    /* Not for new ones only: whoever made it may have been killed before this. */
    if (code == DBK_OK && access != ENVIRONMENT_READ)
        code = environment_sync_names(dir, err);
    return code;
}

static enum dbk_code open_checked(const char *dir, enum dbk_access access,
                                  size_t map_size, struct environment *out,
                                  struct dbk_error *err)
{
    enum dbk_code code;
    struct dbk_error why;

    code = environment_check_directory(dir, access, err);
    if (code != DBK_OK) {
        environment_close(out);
        return code;
    }
    code = open_and_load(dir, access, map_size, out, &why);
    if (code != DBK_OK) {
        environment_close(out);
        return dbk_fail(err, code, "%s: %s", dir, why.text);
    }
    return DBK_OK;
}

enum dbk_code environment_open(const char *dir, enum dbk_access access, size_t map_size,
                               struct environment *out, struct dbk_error *err)
{
    memset(out, 0, sizeof *out);
    return open_checked(dir, access, map_size, out, err);
}

enum dbk_code environment_make(const char *dir, size_t map_size,
                               const struct dbk_uuid *store_id, bool sealed,
                               struct environment *out, struct dbk_error *err)
{
    memset(out, 0, sizeof *out);
    if (store_id)
        out->store_id = *store_id;
    out->sealed = sealed;
    return open_checked(dir, ENVIRONMENT_MAKE, map_size, out, err);
}

void environment_close(struct environment *environment)
{
    fault_forget(environment->env);
    if (environment->env)
        mdb_env_close(environment->env);
    memset(environment, 0, sizeof *environment);
}
