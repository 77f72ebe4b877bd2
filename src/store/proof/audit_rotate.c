/* One key takes over from another. Its line in keys.pub comes first: what it signs is never
 * by a key that nobody can look up. A line there whose key was never put is of no harm. */
#include "audit_dir.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* One at a time: of two that began at once, the key of one would be told and never sign. Close
 * it. */
static enum dbk_code lock_dir(const char *dir, int *lock, struct dbk_error *err)
{
    enum dbk_code code;

    *lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return errno == ENOENT ? dbk_fail(err, DBK_NOT_FOUND, "there is no %s", dir)
                               : dbk_system_fail(err, "open", dir);
    if (flock(*lock, LOCK_EX) == 0)
        return DBK_OK;
    code = dbk_system_fail(err, "lock", dir);
    close(*lock);
    return code;
}

static enum dbk_code take_over(const char *dir, struct dbk_audit_signers *signers,
                               struct dbk_error *err)
{
    enum dbk_code code;

    signers->keys[1] = signers->keys[0];
    signers->count = 2;
    code = dbk_skey_make(dbk_slice(signers->keys[1].vkey.name), DBK_KEY_LOG, NULL,
                         &signers->keys[0], err);
    if (code == DBK_OK)
        code = audit_dir_note_key(dir, &signers->keys[0].vkey, err);
    if (code == DBK_OK)
        code = audit_dir_put_signers(dir, signers, err);
    return code;
}

static enum dbk_code rotate(const char *dir, struct dbk_vkey *made,
                            struct dbk_error *err)
{
    struct dbk_audit_signers signers;
    enum dbk_code code = dbk_audit_signers(dir, &signers, err);

    if (code == DBK_OK && signers.count == DBK_AUDIT_SIGNERS)
        code =
            dbk_fail(err, DBK_CONFLICT,
                     "a former key still signs beside the present one: end that first "
                     "(daybook audit rotate-key --end)");
    if (code == DBK_OK)
        code = take_over(dir, &signers, err);
    *made = signers.keys[0].vkey;
    dbk_audit_signers_wipe(&signers);
    return code;
}

enum dbk_code dbk_audit_rotate(const char *dir, struct dbk_vkey *made,
                               struct dbk_error *err)
{
    int lock;
    enum dbk_code code = lock_dir(dir, &lock, err);

    if (code != DBK_OK)
        return code;
    code = rotate(dir, made, err);
    close(lock);
    return code;
}

/* What was signed last must be known by a key that is still there. */
static enum dbk_code check_signed(const char *dir, const struct dbk_vkey *key,
                                  struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    enum dbk_code code;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_audit_last(dir, key, last, NULL);
    free(last);
    if (code == DBK_OK)
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "the new key has signed nothing yet: daybook serve does within a "
                    "second, where it runs");
}

static enum dbk_code rotate_end(const char *dir, struct dbk_vkey *ended,
                                struct dbk_error *err)
{
    struct dbk_audit_signers signers;
    enum dbk_code code = dbk_audit_signers(dir, &signers, err);

    if (code == DBK_OK && signers.count < 2)
        code = dbk_fail(err, DBK_NOT_FOUND, "one key signs, and no former one");
    if (code == DBK_OK)
        code = check_signed(dir, &signers.keys[0].vkey, err);
    *ended = signers.keys[1].vkey;
    if (code == DBK_OK) {
        signers.count = 1;
        code = audit_dir_put_signers(dir, &signers, err);
    }
    dbk_audit_signers_wipe(&signers);
    return code;
}

enum dbk_code dbk_audit_rotate_end(const char *dir, struct dbk_vkey *ended,
                                   struct dbk_error *err)
{
    int lock;
    enum dbk_code code = lock_dir(dir, &lock, err);

    if (code != DBK_OK)
        return code;
    code = rotate_end(dir, ended, err);
    close(lock);
    return code;
}
