/* The audit directory is made: who signs, and anew under another name.
 *
 * A key comes into its place last, behind its line in keys.pub and a `last` of its own, of a
 * log without records: killed in between, the former key is still there, and a key without
 * anything that it signed last is a loss that was not made here. */
#include "audit_dir.h"

#include "store/durable.h"
#include "store/timestamp.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MADE_UP "daybook.internal/" /* and 16 hexadecimal digits: a name of nobody's */

enum { MADE_UP_BYTES = 8, KEPT_MAX = 100, NOTED_MAX = 256 };

static enum dbk_code make_dir(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, 0700) == 0)
        return dbk_sync_parent(dir, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", dir);
}

/* One that nobody will take for another's. */
static void make_up(char out[DBK_NOTE_NAME_MAX + 1])
{
    uint8_t bytes[MADE_UP_BYTES];
    char hex[2 * MADE_UP_BYTES + 1];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(hex, sizeof hex, bytes, sizeof bytes);
    snprintf(out, DBK_NOTE_NAME_MAX + 1, MADE_UP "%s", hex);
}

static bool is_made_up(const char *name)
{
    return !strncmp(name, MADE_UP, strlen(MADE_UP)) &&
           strlen(name) == strlen(MADE_UP) + (size_t)2 * MADE_UP_BYTES;
}

/* Whether they are one file. */
static bool is_same(const char *path, const char *other)
{
    struct stat a, b;

    return lstat(path, &a) == 0 && lstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* What was signed last under another key, as evidence: beside what was kept before, in this
 * second, too. */
static enum dbk_code keep_last(const char *dir, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], kept[DBK_AUDIT_PATH + 48];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);
    int64_t seconds = dbk_timestamp_now() / 1000000;

    if (code != DBK_OK)
        return code;
    snprintf(kept, sizeof kept, "%s.%" PRId64, path, seconds);
    for (unsigned i = 1; link(path, kept) != 0; i++) {
        if (errno == ENOENT || (errno == EEXIST && is_same(path, kept)))
            break;
        if (errno != EEXIST || i == KEPT_MAX)
            return dbk_system_fail(err, "keep", path);
        snprintf(kept, sizeof kept, "%s.%" PRId64 ".%u", path, seconds, i);
    }
    return dbk_sync_directory(dir, err);
}

static enum dbk_code begin_last(const char *dir, const struct dbk_skey *key,
                                struct dbk_error *err)
{
    struct dbk_log_checkpoint none = {.size = 0};
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    enum dbk_code code;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to sign");
    memcpy(none.origin, key->vkey.name, sizeof none.origin);
    dbk_hash_empty(&none.root);
    dbk_log_checkpoint_sign(&none, key, last);
    code = audit_dir_put_last(dir, last, err);
    free(last);
    return code;
}

static enum dbk_code put_key(const char *dir, const struct dbk_skey *key,
                             struct dbk_error *err)
{
    struct dbk_audit_signers alone = {.count = 1, .keys = {*key}};
    enum dbk_code code = audit_dir_put_signers(dir, &alone, err);

    dbk_audit_signers_wipe(&alone);
    return code;
}

static enum dbk_code make_key(const char *dir, const char *origin, struct dbk_skey *key,
                              struct dbk_error *err)
{
    char name[DBK_NOTE_NAME_MAX + 1];
    enum dbk_code code;

    if (sodium_init() < 0)
        return dbk_fail(err, DBK_INTERNAL, "libsodium does not start");
    if (!*origin)
        make_up(name);
    code =
        dbk_skey_make(dbk_slice(*origin ? origin : name), DBK_KEY_LOG, NULL, key, err);
    if (code == DBK_OK)
        code = audit_dir_note_key(dir, &key->vkey, err);
    if (code == DBK_OK)
        code = keep_last(dir, err);
    if (code == DBK_OK)
        code = begin_last(dir, key, err);
    if (code == DBK_OK)
        code = put_key(dir, key, err);
    return code;
}

/* Whether somebody (NULL: anybody) signed a log that has records there: else it was killed while
 * it was made. What cannot be read may be anybody's. */
static bool has_signed(const char *path, const char *name)
{
    struct dbk_note *note = malloc(sizeof *note);
    char *text = malloc(DBK_SIGNED_MAX + 1);
    struct dbk_log_checkpoint read = {.size = 1};
    size_t length;
    enum dbk_code code = DBK_NO_MEMORY;

    if (note && text)
        code = audit_dir_read(path, text, DBK_SIGNED_MAX + 1, &length, NULL);
    if (code == DBK_OK &&
        (dbk_note_parse((struct dbk_slice){text, length}, note, NULL) != DBK_OK ||
         dbk_log_checkpoint_parse(note->text, &read, NULL) != DBK_OK))
        code = DBK_DAMAGED;
    free(note);
    free(text);
    if (code != DBK_OK)
        return code != DBK_NOT_FOUND && !name;
    return read.size > 0 && (!name || !strcmp(read.origin, name));
}

/* There is none. Where there was one, it is lost, and that is not to be passed over. */
static enum dbk_code check_lost(const char *dir, bool anew, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    if (code != DBK_OK || anew || !has_signed(path, NULL))
        return code;
    return dbk_fail(err, DBK_NOT_FOUND,
                    "%s/key is lost, which signed %s: put a copy back, or begin "
                    "another name by daybook audit init --origin NAME",
                    dir, path);
}

/* A name that signed here before stands for what it signed: it is not begun again. */
static enum dbk_code check_unused(const char *dir, const char *name,
                                  struct dbk_error *err)
{
    DIR *folder = opendir(dir);
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = DBK_OK;

    if (!folder)
        return dbk_system_fail(err, "open", dir);
    for (struct dirent *at; code == DBK_OK && (at = readdir(folder));) {
        if ((!strcmp(at->d_name, "last") || !strncmp(at->d_name, "last.", 5)) &&
            dbk_audit_path(dir, at->d_name, path) && has_signed(path, name))
            code =
                dbk_fail(err, DBK_CONFLICT,
                         "%.160s signed here before (audit/%.40s has what), and that "
                         "is not to be contradicted: begin a name that is new",
                         name, at->d_name);
    }
    closedir(folder);
    return code;
}

/* By any of the keys that sign: the newest may not have yet. */
static enum dbk_code read_any_last(const char *dir,
                                   const struct dbk_audit_signers *signers,
                                   struct dbk_signed_checkpoint *last,
                                   struct dbk_error *err)
{
    enum dbk_code code = DBK_CONFLICT;

    for (size_t i = 0; code == DBK_CONFLICT && i < signers->count; i++)
        code = dbk_audit_last(dir, &signers->keys[i].vkey, last, err);
    return code;
}

static bool has_key(const struct dbk_vkey *keys, size_t count,
                    const struct dbk_vkey *key)
{
    for (size_t i = 0; i < count; i++) {
        if (dbk_vkey_equal(&keys[i], key))
            return true;
    }
    return false;
}

/* Note the keys that sign in keys.pub, which may have been lost. What is damaged is left as it
 * is. */
static enum dbk_code note_missing(const char *dir,
                                  const struct dbk_audit_signers *signers,
                                  struct dbk_error *err)
{
    struct dbk_vkey *noted = calloc(NOTED_MAX, sizeof *noted);
    size_t count = 0;
    enum dbk_code code;

    if (!noted)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read keys");
    code = dbk_audit_keys(dir, noted, NOTED_MAX, &count, err);
    if (code == DBK_NOT_FOUND)
        code = DBK_OK;
    for (size_t i = signers->count; code == DBK_OK && i-- > 0;) {
        if (!has_key(noted, count, &signers->keys[i].vkey))
            code = audit_dir_note_key(dir, &signers->keys[i].vkey, err);
    }
    free(noted);
    return code == DBK_DAMAGED ? DBK_OK : code;
}

/* A key that did not sign what is there may be another log's, and is not noted: whoever signs
 * finds that out. */
static enum dbk_code note_again(const char *dir, struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    struct dbk_audit_signers signers;
    enum dbk_code code;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_audit_signers(dir, &signers, err);
    if (code == DBK_OK && read_any_last(dir, &signers, last, NULL) == DBK_OK)
        code = note_missing(dir, &signers, err);
    dbk_audit_signers_wipe(&signers);
    free(last);
    return code;
}

/* Whether the key that is there is the one to go on with. */
static enum dbk_code check_key(const struct dbk_skey *key, const char *origin,
                               bool anew, bool *stays, struct dbk_error *err)
{
    *stays = !*origin || !strcmp(origin, key->vkey.name);
    if (*stays || anew || is_made_up(key->vkey.name))
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT,
                    "this log is known as %.160s: go on with that name, or begin "
                    "another by daybook audit init --origin %.160s",
                    key->vkey.name, origin);
}

static enum dbk_code init(const char *dir, const char *origin, bool anew,
                          struct dbk_skey *key, bool *made, struct dbk_error *err)
{
    enum dbk_code code;
    bool stays = false;

    if (*origin && !dbk_note_name_valid(dbk_slice(origin)))
        return dbk_fail(err, DBK_INVALID,
                        "a log's name has 1 to %d bytes and no spaces or +, as "
                        "daybook.example.org/log: \"%.64s\" is none",
                        DBK_NOTE_NAME_MAX, origin);
    code = make_dir(dir, err);
    if (code == DBK_OK)
        code = dbk_audit_key(dir, key, err);
    if (code == DBK_OK)
        code = check_key(key, origin, anew, &stays, err);
    else if (code == DBK_NOT_FOUND)
        code = check_lost(dir, anew, err);
    else if (code == DBK_DAMAGED && anew)
        code = DBK_OK;
    *made = code == DBK_OK && !stays;
    if (code == DBK_OK && stays)
        return note_again(dir, err);
    if (code == DBK_OK && *origin)
        code = check_unused(dir, origin, err);
    return code == DBK_OK ? make_key(dir, origin, key, err) : code;
}

enum dbk_code dbk_audit_init(const char *dir, const char *origin, bool anew,
                             struct dbk_skey *key, bool *made, struct dbk_error *err)
{
    struct dbk_skey own = {.vkey.type = DBK_KEY_LOG};
    struct dbk_error why;
    bool made_one = false;
    enum dbk_code code = init(dir, origin ? origin : "", anew, &own, &made_one, &why);

    if (made)
        *made = made_one && code == DBK_OK;
    if (key)
        *key = own;
    dbk_skey_wipe(&own);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}

static enum dbk_code trust(const char *dir, const struct dbk_audit_signers *signers,
                           struct dbk_signed_checkpoint *last, struct dbk_error *err)
{
    enum dbk_code code = read_any_last(dir, signers, last, err);

    if (code == DBK_OK)
        return dbk_fail(err, DBK_CONFLICT,
                        "%s/last is there, and right: nothing is to be trusted", dir);
    if (code == DBK_DAMAGED)
        code = keep_last(dir, err);
    else if (code == DBK_NOT_FOUND)
        code = DBK_OK;
    else if (code == DBK_CONFLICT)
        return dbk_wrap(err, AUDIT_DIR_APART);
    return code == DBK_OK ? begin_last(dir, &signers->keys[0], err) : code;
}

enum dbk_code dbk_audit_trust(const char *dir, struct dbk_vkey *key,
                              struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    struct dbk_audit_signers signers;
    struct dbk_error why;
    enum dbk_code code;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_audit_signers(dir, &signers, &why);
    if (code == DBK_OK)
        code = trust(dir, &signers, last, &why);
    *key = signers.keys[0].vkey;
    dbk_audit_signers_wipe(&signers);
    free(last);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
