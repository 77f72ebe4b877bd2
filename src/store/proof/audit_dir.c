/* The audit directory: who signs here, and what was signed last.
 *
 * A key comes into its place last, behind its line in keys.pub and a `last` of its own, of a
 * log without records: killed in between, the former key is still there, and a key without
 * anything that it signed last is a loss that was not made here. */
#include "audit_dir.h"

#include "lines.h"
#include "store/durable.h"
#include "store/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MADE_UP "daybook.internal/" /* and 16 hexadecimal digits: a name of nobody's */

enum { MADE_UP_BYTES = 8, KEYS_MAX = 256 };

bool dbk_audit_path(const char *dir, const char *name, char out[DBK_AUDIT_PATH])
{
    return snprintf(out, DBK_AUDIT_PATH, "%s/%s", dir, name) < DBK_AUDIT_PATH;
}

enum dbk_code audit_dir_path(const char *dir, const char *name,
                             char out[DBK_AUDIT_PATH], struct dbk_error *err)
{
    if (dbk_audit_path(dir, name, out))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "the path of the audit directory is too long");
}

enum dbk_code audit_dir_read(const char *path, char *out, size_t size, size_t *length,
                             struct dbk_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;

    *length = 0;
    if (fd < 0 && errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no %s", path);
    if (fd < 0)
        return dbk_system_fail(err, "open", path);
    while (*length < size && ((got = read(fd, out + *length, size - *length)) > 0 ||
                              (got < 0 && errno == EINTR)))
        *length += got > 0 ? (size_t)got : 0;
    if (got < 0) {
        dbk_system_fail(err, "read", path);
        close(fd);
        return err ? err->code : DBK_IO;
    }
    close(fd);
    if (*length == size)
        return dbk_fail(err, DBK_DAMAGED, "%s is too large", path);
    out[*length] = '\0';
    return DBK_OK;
}

enum dbk_code audit_dir_write(const char *path, const char *bytes, size_t length,
                              struct dbk_error *err)
{
    char tmp[DBK_AUDIT_PATH + 8];
    enum dbk_code code;
    int fd;

    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    code = dbk_write_all(fd, bytes, length, tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(fd, tmp, path, err);
    if (code != DBK_OK)
        unlink(tmp);
    close(fd);
    return code;
}

/* A line for each key, at most as many as sign. */
static bool read_signers(struct dbk_slice text, struct dbk_audit_signers *out)
{
    struct dbk_slice line;

    while (lines_next(&text, &line)) {
        struct dbk_skey *key = &out->keys[out->count];

        if (out->count == DBK_AUDIT_SIGNERS ||
            dbk_skey_parse(line, key, NULL) != DBK_OK ||
            key->vkey.type != DBK_KEY_LOG ||
            strcmp(key->vkey.name, out->keys[0].vkey.name) != 0)
            return false;
        out->count++;
    }
    return out->count > 0 && text.length == 0;
}

/* Whoever can read it signs as this log does. */
static enum dbk_code check_mode(const char *path, struct dbk_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0 || (status.st_mode & 077) == 0)
        return DBK_OK; /* what else is wrong is found when it is read */
    return dbk_fail(
        err, DBK_IO,
        "%s is open to others than its owner (mode %03o): chmod 600 it, and "
        "where others had it, begin another name by daybook audit init "
        "--origin NAME",
        path, (unsigned)status.st_mode & 0777U);
}

enum dbk_code dbk_audit_signers(const char *dir, struct dbk_audit_signers *out,
                                struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_AUDIT_SIGNERS * (DBK_SKEY_TEXT + 1) + 64];
    size_t length;
    enum dbk_code code = audit_dir_path(dir, "key", path, err);

    out->count = 0;
    if (code == DBK_OK)
        code = check_mode(path, err);
    if (code == DBK_OK)
        code = audit_dir_read(path, text, sizeof text, &length, err);
    if (code == DBK_OK && !read_signers((struct dbk_slice){text, length}, out))
        code = dbk_fail(err, DBK_DAMAGED,
                        "%s holds no key: put a copy back, or begin another name by "
                        "daybook audit init --origin NAME",
                        path);
    sodium_memzero(text, sizeof text);
    if (code != DBK_OK)
        dbk_audit_signers_wipe(out);
    return code;
}

void dbk_audit_signers_wipe(struct dbk_audit_signers *signers)
{
    sodium_memzero(signers, sizeof *signers);
}

enum dbk_code dbk_audit_key(const char *dir, struct dbk_skey *key,
                            struct dbk_error *err)
{
    struct dbk_audit_signers signers;
    enum dbk_code code = dbk_audit_signers(dir, &signers, err);

    *key = (struct dbk_skey){.vkey.type = DBK_KEY_LOG};
    if (code == DBK_OK)
        *key = signers.keys[0];
    dbk_audit_signers_wipe(&signers);
    return code;
}

enum dbk_code dbk_audit_keys(const char *dir, struct dbk_vkey *keys, size_t count,
                             size_t *found, struct dbk_error *err)
{
    enum { SIZE = KEYS_MAX * (DBK_VKEY_TEXT + 1) };
    char path[DBK_AUDIT_PATH], *text = malloc(SIZE), *feed;
    size_t length;
    enum dbk_code code = audit_dir_path(dir, "keys.pub", path, err);

    *found = 0;
    if (!text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read keys");
    if (code == DBK_OK)
        code = audit_dir_read(path, text, SIZE, &length, err);
    for (char *at = text; code == DBK_OK && at < text + length; at = feed + 1) {
        feed = memchr(at, '\n', (size_t)(text + length - at));
        if (!feed)
            break; /* half of a line that was being added */
        if (*found == count) {
            memmove(keys, keys + 1, (count - 1) * sizeof *keys);
            --*found;
        }
        code = dbk_vkey_parse((struct dbk_slice){at, (size_t)(feed - at)},
                              &keys[*found], NULL);
        if (code != DBK_OK)
            code = dbk_fail(err, DBK_DAMAGED, "%s has a line that is no key", path);
        else
            ++*found;
    }
    free(text);
    return code;
}

enum dbk_code dbk_audit_last(const char *dir, const struct dbk_vkey *key,
                             struct dbk_signed_checkpoint *last, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    struct dbk_error why;
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    if (code == DBK_OK)
        code = audit_dir_read(path, last->text, sizeof last->text, &last->length, err);
    if (code != DBK_OK)
        return code;
    if (dbk_log_checkpoint_open((struct dbk_slice){last->text, last->length}, key,
                                &last->checkpoint, NULL, &why) != DBK_OK)
        return dbk_fail(err, DBK_DAMAGED, "%s: %s", path, why.text);
    return DBK_OK;
}

enum dbk_code audit_dir_put_last(const char *dir,
                                 const struct dbk_signed_checkpoint *last,
                                 struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    return code == DBK_OK ? audit_dir_write(path, last->text, last->length, err) : code;
}

/* Making it. */

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

enum dbk_code audit_dir_note_key(const char *dir, const struct dbk_vkey *key,
                                 struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_VKEY_TEXT + 3] = "\n";
    size_t length = dbk_vkey_format(key, text + 1) + 1;
    enum dbk_code code = audit_dir_path(dir, "keys.pub", path, err);
    struct stat status;
    char last = '\n';
    int fd;

    if (code != DBK_OK)
        return code;
    text[length++] = '\n';
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "open", path);
    if (fstat(fd, &status) == 0 && status.st_size > 0 &&
        pread(fd, &last, 1, status.st_size - 1) != 1)
        last = '\n';
    code = last == '\n' ? dbk_write_all(fd, text + 1, length - 1, path, err)
                        : dbk_write_all(fd, text, length, path, err);
    if (code == DBK_OK)
        code = dbk_sync_file(fd, path, err);
    close(fd);
    return code == DBK_OK ? dbk_sync_directory(dir, err) : code;
}

/* What was signed last under another key, as evidence. */
static enum dbk_code keep_last(const char *dir, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], kept[DBK_AUDIT_PATH + 32];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);
    int64_t seconds = dbk_timestamp_now() / 1000000;

    if (code != DBK_OK)
        return code;
    snprintf(kept, sizeof kept, "%s.%" PRId64, path, seconds);
    if (link(path, kept) == 0 || errno == ENOENT || errno == EEXIST)
        return dbk_sync_directory(dir, err);
    return dbk_system_fail(err, "keep", path);
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

enum dbk_code audit_dir_put_signers(const char *dir,
                                    const struct dbk_audit_signers *signers,
                                    struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_AUDIT_SIGNERS * (DBK_SKEY_TEXT + 1) + 1];
    size_t length = 0;
    enum dbk_code code = audit_dir_path(dir, "key", path, err);

    for (size_t i = 0; i < signers->count; i++) {
        length += dbk_skey_format(&signers->keys[i], text + length);
        text[length++] = '\n';
    }
    if (code == DBK_OK)
        code = audit_dir_write(path, text, length, err);
    sodium_memzero(text, sizeof text);
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

/* Whether somebody signed a log that has records: else it was killed while it was made. */
static bool has_signed(const char *path)
{
    struct dbk_note *note = malloc(sizeof *note);
    char *text = malloc(DBK_SIGNED_MAX + 1);
    struct dbk_log_checkpoint read = {.size = 1};
    size_t length;
    bool there =
        note && text &&
        audit_dir_read(path, text, DBK_SIGNED_MAX + 1, &length, NULL) == DBK_OK;

    if (there && dbk_note_parse((struct dbk_slice){text, length}, note, NULL) == DBK_OK)
        dbk_log_checkpoint_parse(note->text, &read, NULL);
    free(note);
    free(text);
    return there && read.size > 0;
}

/* There is none. Where there was one, it is lost, and that is not to be passed over. */
static enum dbk_code check_lost(const char *dir, bool anew, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    if (code != DBK_OK || anew || !has_signed(path))
        return code;
    return dbk_fail(err, DBK_NOT_FOUND,
                    "%s/key is lost, which signed %s: put a copy back, or begin "
                    "another name by daybook audit init --origin NAME",
                    dir, path);
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
    return *made ? make_key(dir, origin, key, err) : code;
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

/* By any of the keys that sign: the newest may not have yet. */
static enum dbk_code read_any_last(const char *dir,
                                   const struct dbk_audit_signers *signers,
                                   struct dbk_signed_checkpoint *last)
{
    enum dbk_code code = DBK_DAMAGED;

    for (size_t i = 0; code == DBK_DAMAGED && i < signers->count; i++)
        code = dbk_audit_last(dir, &signers->keys[i].vkey, last, NULL);
    return code;
}

enum dbk_code dbk_audit_trust(const char *dir, struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    struct dbk_audit_signers signers;
    enum dbk_code code;

    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_audit_signers(dir, &signers, err);
    if (code == DBK_OK) {
        code = read_any_last(dir, &signers, last);
        if (code == DBK_OK)
            code =
                dbk_fail(err, DBK_CONFLICT,
                         "%s/last is there, and right: nothing is to be trusted", dir);
        else if (code == DBK_DAMAGED)
            code = keep_last(dir, err);
        else if (code == DBK_NOT_FOUND)
            code = DBK_OK;
        else
            dbk_fail(err, code, "%s/last cannot be read", dir);
        if (code == DBK_OK)
            code = begin_last(dir, &signers.keys[0], err);
    }
    dbk_audit_signers_wipe(&signers);
    free(last);
    return code;
}
